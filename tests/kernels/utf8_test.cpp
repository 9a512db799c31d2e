// UTF-8: what is one character, and what a terminal gets.
#include "kernels/base/utf8.h"

#include <gtest/gtest.h>

using namespace bifrons;

namespace {

TEST(Utf8, characters_of_one_to_four_bytes)
{
    for (const std::string text :
         {"a", "\xC3\xA9", "\xE2\x82\xAC", "\xF0\x9F\x98\x80", "\xED\x9F\xBF", "\xF4\x8F\xBF\xBF"})
        EXPECT_EQ(utf8_length(text, 0), text.size()) << text;
    EXPECT_EQ(utf8_length("", 0), 0u);
}

TEST(Utf8, what_is_no_character)
{
    for (const std::string text : {"\x80", "\xC3", "\xC3(", "\xE2\x82", "\xC0\xAF", "\xE0\x80\x80", "\xED\xA0\x80",
                                   "\xF4\x90\x80\x80", "\xF8\x88\x80\x80\x80", "\xFF"})
        EXPECT_EQ(utf8_length(text, 0), 0u) << int(text[0]) << " of " << text.size();
}

TEST(Utf8, a_terminal_gets_no_control_characters)
{
    EXPECT_EQ(printable("na\xC3\xAFve\n\tx"), "na\xC3\xAFve\n\tx");
    EXPECT_EQ(printable("\x1b]0;owned\x07.png"), "\\x1b]0;owned\\x07.png");
    EXPECT_EQ(printable("a\rb\x7F"), "a\\x0db\\x7f");
    EXPECT_EQ(printable("\xC2\x9B"
                        "2J"),
              "\\xc2\\x9b2J")
        << "CSI in one character";
    EXPECT_EQ(printable("\x9B"
                        "2J\xFF"),
              "\\x9b2J\\xff");
    EXPECT_EQ(printable(std::string("a\0b", 3)), "a\\x00b");
}

TEST(Utf8, any_bytes_can_be_written_as_text_and_read_again)
{
    EXPECT_EQ(to_utf8("caf\xC3\xA9.mp4"), "caf\xC3\xA9.mp4");
    EXPECT_EQ(to_utf8("caf\xE9.mp4"), "caf\xEE\xBF\xA9.mp4") << "U+EFE9";
    EXPECT_EQ(to_utf8("\x80\xFF"), "\xEE\xBE\x80\xEE\xBF\xBF");
    for (const std::string bytes :
         {"caf\xE9", "\x80\xBF\xC0\xFF", "\xEE\xBE\x80", "\xEE\xBF\xBF!", "\xEE\xBE", "a\xEE\xBD\xBF", ""}) {
        const std::string text = to_utf8(bytes);
        for (std::size_t at = 0, length = 0; at < text.size(); at += length) {
            length = utf8_length(text, at);
            ASSERT_GT(length, 0u) << bytes;
        }
        EXPECT_EQ(from_utf8(text), bytes);
    }
}

} // namespace
