// JSON from outside: depth, numbers out of range, and what a message shows of it.
#include "engine/json.h"

#include "kernels/base/error.h"

#include <gtest/gtest.h>

using namespace bifrons;

namespace {

std::string complaint(const std::string& text)
{
    try {
        parse_json(text, "f");
        return "";
    } catch (const Error& e) {
        EXPECT_EQ(e.kind(), ErrorKind::data);
        return e.what();
    }
}

std::string nested(int depth)
{
    return std::string(std::size_t(depth), '[') + std::string(std::size_t(depth), ']');
}

TEST(Json, depth_has_a_limit)
{
    EXPECT_EQ(complaint(nested(32)), "");
    EXPECT_NE(complaint(nested(33)).find("f: is nested more than 32 levels deep"), std::string::npos);
    EXPECT_NE(complaint(std::string(5'000'000, '[')).find("nested"), std::string::npos);
    EXPECT_NE(complaint(R"({"\\":)" + nested(40) + "}").find("nested"), std::string::npos) << "an escaped backslash";
    EXPECT_TRUE(json_or_discarded(nested(33)).is_discarded());
    EXPECT_EQ(json_or_discarded("[[1]]").dump(), "[[1]]");
}

TEST(Json, brackets_in_texts_do_not_nest)
{
    EXPECT_EQ(complaint("[\"" + std::string(100, '[') + "\\\"" + std::string(100, '{') + "\"]"), "");
}

TEST(Json, faults_are_told_in_a_sentence)
{
    EXPECT_EQ(complaint("[1,"), "f: is not valid JSON at byte 3 of 3; the file is truncated or damaged");
    EXPECT_NE(complaint("[1e999]").find("f: holds a number out of range parsing '1e999'"), std::string::npos);
    EXPECT_TRUE(json_or_discarded("[1e999]").is_discarded());
    EXPECT_TRUE(json_or_discarded("").is_discarded());
    EXPECT_EQ(shown(nlohmann::json::array({1, 2})), "[1,2]");
    EXPECT_EQ(shown(std::string(1000, 'a')), "\"" + std::string(39, 'a') + "...");
}

TEST(Json, says_how_much_was_read)
{
    const std::string text = R"({"a": [{"b": 1}, {"b": 22}], "c": 3})";
    std::size_t read = 99;
    std::vector<std::size_t> objects;
    const auto note = [&](int, nlohmann::json::parse_event_t event, nlohmann::json&) {
        if (event == nlohmann::json::parse_event_t::object_end) objects.push_back(read);
        return true;
    };
    EXPECT_EQ(parse_json(text, "f", note, &read).at("c"), 3);
    EXPECT_EQ(objects, (std::vector<std::size_t>{text.find('}') + 1, text.find("}]") + 1, text.size()}));
    EXPECT_EQ(read, text.size());
}

} // namespace
