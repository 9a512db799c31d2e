#include "tools/event_file.h"

#include "data/file.h"
#include "tests/data/folder.h"
#include "tests/tools/train_command.h"

#include <cmath>
#include <ctime>

using namespace bifrons;
using namespace bifrons::test;

namespace {

std::string bytes_of(const fs::path& path)
{
    const auto bytes = data::read_file(path);
    return {bytes.begin(), bytes.end()};
}

std::uint32_t number(const std::string& bytes, std::size_t at)
{
    std::uint32_t value = 0;
    for (std::size_t i = 4; i-- > 0;) value = value << 8 | std::uint8_t(bytes[at + i]);
    return value;
}

std::uint32_t unmasked(std::uint32_t sum)
{
    const std::uint32_t turned = sum - 0xa282ead8u;
    return turned << 15 | turned >> 17;
}

/// The records' contents; checks lengths and check sums.
std::vector<std::string> records(const std::string& file)
{
    std::vector<std::string> all;
    for (std::size_t at = 0; at < file.size();) {
        const std::size_t length = number(file, at);
        EXPECT_EQ(number(file, at + 4), 0u);
        EXPECT_EQ(unmasked(number(file, at + 8)), tools::crc32c(file.substr(at, 8)));
        all.push_back(file.substr(at + 12, length));
        EXPECT_EQ(unmasked(number(file, at + 12 + length)), tools::crc32c(all.back()));
        at += 16 + length;
    }
    return all;
}

/// An event's bytes after its time, which is a double of field 1.
std::string after_time(const std::string& event)
{
    EXPECT_EQ(event[0], '\x09');
    double seconds = 0;
    std::copy_n(&event[1], 8, reinterpret_cast<char*>(&seconds));
    EXPECT_LT(std::abs(seconds - double(std::time(nullptr))), 100);
    return event.substr(9);
}

} // namespace

TEST(Crc32c, of_the_digits_is_the_published_one)
{
    EXPECT_EQ(tools::crc32c("123456789"), 0xE3069283u); // RFC 3720's check value
    EXPECT_EQ(tools::crc32c(std::string(32, '\0')), 0x8A9136AAu);
}

TEST(EventFile, holds_events_as_the_schema_has_them)
{
    const Folder folder;
    const tools::EventFile events(folder / "runs" / "alice", 300);
    EXPECT_EQ(events.path().filename().string().rfind("events.out.tfevents.", 0), 0u);
    events.add(301, {{"a", 1.5}, {"bc", -2}});
    events.add_picture(302, "p", 3, 200, "PNG");
    const std::vector<std::string> all = records(bytes_of(events.path()));
    ASSERT_EQ(all.size(), 4u);
    EXPECT_EQ(after_time(all[0]), "\x1a\x0d"
                                  "brain.Event:2");
    EXPECT_EQ(after_time(all[1]), std::string("\x10\xad\x02"
                                              "\x3a\x02\x08\x01")); // step 301; session log: start
    using std::string_literals::operator""s;
    EXPECT_EQ(after_time(all[2]), "\x10\xad\x02"
                                  "\x2a\x15"
                                  "\x0a\x08"
                                  "\x0a\x01"
                                  "a"
                                  "\x15\x00\x00\xc0\x3f"
                                  "\x0a\x09"
                                  "\x0a\x02"
                                  "bc"
                                  "\x15\x00\x00\x00\xc0"s);
    EXPECT_EQ(after_time(all[3]), "\x10\xae\x02"
                                  "\x2a\x13"
                                  "\x0a\x11"
                                  "\x0a\x01"
                                  "p"
                                  "\x22\x0c"
                                  "\x08\x03"
                                  "\x10\xc8\x01"
                                  "\x18\x03"
                                  "\x22\x03"
                                  "PNG"s);
}

TEST_F(TrainCommand, writes_events_for_tensorboard)
{
    const fs::path logs = folder_ / "logs";
    ASSERT_EQ(train("model", "12", {"--tensorboard", logs.string(), "--set", "preview_every=6"}), 0) << log();
    ASSERT_EQ(entries(logs), 1);
    std::string text = bytes_of(fs::directory_iterator(logs)->path());
    records(text);
    for (const char* name :
         {"loss/total", "loss/src_dssim", "learning rate", "gradient norm", "steps per second", "preview"})
        EXPECT_NE(text.find(name), std::string::npos) << name;
    write_text(folder_ / "file", "");
    EXPECT_EQ(train("model", "13", {"--tensorboard", folder_ / "file"}), 3) << log();
}

/// What TensorBoard itself reads.
TEST_F(TrainCommand, tensorboard_reads_what_was_written)
{
    if (std::system("python3 -c 'import tensorboard' 2>/dev/null") != 0)
        GTEST_SKIP() << "Python has no tensorboard (pip install tensorboard)";
    const fs::path logs = folder_ / "logs";
    ASSERT_EQ(train("model", "10", {"--tensorboard", logs.string()}), 0) << log();
    ASSERT_EQ(train("model", "20", {"--tensorboard", logs.string()}), 0) << log();
    write_text(folder_ / "read.py",
               "import sys\n"
               "from tensorboard.backend.event_processing.event_accumulator import EventAccumulator\n"
               "a = EventAccumulator(sys.argv[1])\n"
               "a.Reload()\n"
               "assert [e.step for e in a.Scalars('loss/total')] == [10, 20], a.Scalars('loss/total')\n"
               "assert a.Scalars('learning rate')[0].value > 0\n"
               "assert a.Images('preview')[-1].step == 20\n"
               "assert a.Images('preview')[-1].encoded_image_string[:4] == b'\\x89PNG'\n");
    EXPECT_EQ(std::system(str("python3 ", folder_ / "read.py", " ", logs.string()).c_str()), 0);
}
