// tests/data/pickle_test.cpp - Python's values: what Python wrote comes back, and nothing else gets in. The files are
// of make_dfl_faces.py.
#include "data/import/pickle.h"

#include "data/file.h"
#include "kernels/base/error.h"
#include "tests/data/folder.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace bifrons::data {
namespace {

using namespace std::string_literals;
using Kind = PickledValue::Kind;

std::vector<std::uint8_t> bytes_of(const std::string& text)
{
    return {text.begin(), text.end()};
}

/// What reading it is refused with.
std::string fault_of(const std::vector<std::uint8_t>& bytes)
{
    try {
        Pickle(bytes, "x.jpg");
    } catch (const Error& error) {
        EXPECT_EQ(error.kind(), ErrorKind::data);
        return error.what();
    }
    return "none";
}

class Protocols : public ::testing::TestWithParam<int> {
  protected:
    std::vector<std::uint8_t> file() const
    {
        return read_file(std::string(BIFRONS_DFL "/values.") + std::to_string(GetParam()));
    }
};
INSTANTIATE_TEST_SUITE_P(Pickles, Protocols, ::testing::Values(2, 3, 4, 5));

TEST_P(Protocols, values_come_back)
{
    const std::vector<std::uint8_t> bytes = file();
    const Pickle pickle(bytes, "values");
    const PickledValue& value = pickle.value();
    const auto numbers = [&](const char* key) {
        const PickledValue* const found = value.find(key);
        return found ? found->numbers(key) : std::vector<double>{-999};
    };
    using Numbers = std::vector<double>;
    EXPECT_EQ(numbers("numbers"), (Numbers{1, -2, 70000, -1099511627776, 2.5, 1, 0}));
    EXPECT_EQ(value.find("none"), nullptr);
    EXPECT_EQ(value.find("absent"), nullptr);
    ASSERT_TRUE(value.find("text"));
    EXPECT_EQ(value.find("text")->text, "\xC3\xA9");
    ASSERT_TRUE(value.find("bytes"));
    EXPECT_EQ(value.find("bytes")->kind, Kind::bytes);
    EXPECT_EQ(value.find("bytes")->text, "\x00\xFF"s);
    EXPECT_EQ(numbers("tuple"), (Numbers{1, 2, 3}));
    EXPECT_EQ(numbers("set"), (Numbers{7}));
    EXPECT_EQ(numbers("big endian"), (Numbers{0, 1, 2, 3, 4, 5}));
    EXPECT_EQ(value.find("big endian")->array.shape, (std::vector<std::int64_t>{2, 3}));
    Numbers counted(24);
    for (std::size_t i = 0; i < counted.size(); ++i) counted[i] = double(i);
    EXPECT_EQ(numbers("fortran"), counted);
    EXPECT_EQ(numbers("scalar"), (Numbers{0.25}));
    EXPECT_EQ(numbers("flags"), (Numbers{1, 0}));
    EXPECT_EQ(numbers("empty"), Numbers{});
}

TEST_P(Protocols, cut_off_anywhere_it_is_refused)
{
    std::vector<std::uint8_t> bytes = file();
    while (!bytes.empty()) {
        bytes.pop_back();
        EXPECT_NE(fault_of(bytes).find("x.jpg: damaged at byte "), std::string::npos) << bytes.size();
    }
}

TEST(Pickle, what_could_run_a_program_is_refused_by_name)
{
    EXPECT_NE(fault_of(bytes_of("cos\nsystem\n(X\x02\0\0\0lstR."s)).find("need os.system, which may run a program"),
              std::string::npos);
    EXPECT_NE(fault_of(bytes_of("\x80\x04\x8c\x08"
                                "builtins\x8c\x04"
                                "eval\x93."s))
                  .find("need builtins.eval"),
              std::string::npos);
    EXPECT_NE(fault_of(bytes_of("cx\n\x1b[31m\n."s)).find("\\x1b[31m"), std::string::npos);
    for (const char* opcode : {"P1\n.", "(i__main__\nx\n.", "}\x81.", "\x82\x01."})
        EXPECT_NE(fault_of(bytes_of(opcode)).find("may run a program"), std::string::npos) << opcode;
}

TEST(Pickle, numpy_names_are_no_way_in)
{
    // The types are callable in Python, and their states are set by anybody.
    EXPECT_NE(fault_of(bytes_of("cnumpy\nndarray\n)R."s)), "none");
    EXPECT_NE(fault_of(bytes_of("cnumpy\ndtype\nX\x02\0\0\0O8\x85R."s)), "none");
    EXPECT_NE(fault_of(bytes_of("cnumpy\ndtype\n)R."s)), "none");
    EXPECT_NE(fault_of(bytes_of("}}b."s)), "none");
    // A shape of 4 x 1 and one of 2^62 x 4 (which is 0 in 64 bits) for one byte.
    const std::string type = "cnumpy\ndtype\nX\x02\0\0\0u1\x85R"s, data = "C\x01z"s,
                      frombuffer = "cnumpy.core.numeric\n_frombuffer\n"s;
    EXPECT_NE(fault_of(bytes_of(frombuffer + "(" + data + type + "K\x04K\x01\x86X\x01\0\0\0CtR."s)), "none");
    EXPECT_NE(
        fault_of(bytes_of(frombuffer + "(" + data + type + "\x8a\x08\0\0\0\0\0\0\0\x40K\x04\x86X\x01\0\0\0CtR."s)),
        "none");
    EXPECT_EQ(fault_of(bytes_of(frombuffer + "(" + data + type + "K\x01\x85X\x01\0\0\0CtR."s)), "none");
}

TEST(Pickle, lists_that_hold_themselves_end)
{
    const std::vector<std::uint8_t> loop = bytes_of("]q\0h\0a."s);
    const Pickle pickle(loop, "loop");
    EXPECT_THROW(pickle.value().numbers("loop"), Error);
    // Three lists, each with 2000 times the next: 8 10^9 empty lists.
    const auto many = [](const std::string& of) {
        std::string text = "]("s;
        for (int i = 0; i < 2000; ++i) text += of;
        return text + "e"s;
    };
    const std::vector<std::uint8_t> bomb =
        bytes_of("]q\0"s + many("h\0"s) + "q\1"s + many("h\1"s) + "q\2"s + many("h\2"s) + "."s);
    EXPECT_THROW(Pickle(bomb, "bomb").value().numbers("bomb"), Error);
    constexpr std::size_t kMost = 50;
    for (const char again : {'2', '(', 'N'}) { // duplicates, marks, values
        const std::vector<std::uint8_t> row = bytes_of("\x80\x04N" + std::string(100, again) + ".");
        BIFRONS_EXPECT_ERROR(Pickle(row, "row", kMost), data, "row: holds more than 50 pickled values");
    }
}

} // namespace
} // namespace bifrons::data
