#include "tools/event_file.h"

#include "data/file.h"
#include "engine/own_file.h"
#include "kernels/base/error.h"

#include <array>
#include <chrono>
#include <cstring>

#include <unistd.h>

namespace bifrons::tools {

namespace {

template <class T>
void append_little_endian(std::string& bytes, T value)
{
    for (std::size_t i = 0; i < sizeof value; ++i) bytes += char(value >> (8 * i) & 0xFF);
}

/// A message of protocol buffers, field by field.
class Message {
  public:
    Message& whole(int field, std::uint64_t value)
    {
        key(field, 0);
        varint(value);
        return *this;
    }
    Message& real(int field, double value)
    {
        std::uint64_t bits;
        std::memcpy(&bits, &value, sizeof bits);
        key(field, 1);
        append_little_endian(bytes_, bits);
        return *this;
    }
    Message& real(int field, float value)
    {
        std::uint32_t bits;
        std::memcpy(&bits, &value, sizeof bits);
        key(field, 5);
        append_little_endian(bytes_, bits);
        return *this;
    }
    Message& text(int field, std::string_view value)
    {
        key(field, 2);
        varint(value.size());
        bytes_ += value;
        return *this;
    }
    const std::string& bytes() const { return bytes_; }

  private:
    void key(int field, int kind) { varint(std::uint64_t(field) << 3 | std::uint64_t(kind)); }
    void varint(std::uint64_t value)
    {
        for (; value > 0x7F; value >>= 7) bytes_ += char(0x80 | (value & 0x7F));
        bytes_ += char(value);
    }

    std::string bytes_;
};

double seconds_since_1970()
{
    return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
}

// Fields of event.proto and summary.proto.
constexpr int kWallTime = 1, kStep = 2, kFileVersion = 3, kSummary = 5, kSessionLog = 7; // of Event
constexpr int kStatus = 1;                                                               // of SessionLog
constexpr std::uint64_t kStart = 1;
constexpr int kValue = 1;                                          // of Summary
constexpr int kTag = 1, kSimpleValue = 2, kImage = 4;              // of Summary.Value
constexpr int kHeight = 1, kWidth = 2, kColours = 3, kEncoded = 4; // of Summary.Image
constexpr std::uint64_t kRgb = 3;

Message event(std::int64_t step)
{
    Message message;
    message.real(kWallTime, seconds_since_1970()).whole(kStep, std::uint64_t(step));
    return message;
}

std::uint32_t check_sum(std::string_view bytes)
{
    const std::uint32_t crc = crc32c(bytes);
    return (crc >> 15 | crc << 17) + 0xa282ead8u;
}

/// "events.out.tfevents.1700000000.host.123": the beginning is what TensorBoard looks for.
std::string file_name()
{
    char host[256] = "here";
    ::gethostname(host, sizeof host - 1);
    return str("events.out.tfevents.", std::int64_t(seconds_since_1970()), ".", host, ".", ::getpid());
}

} // namespace

std::uint32_t crc32c(std::string_view bytes)
{
    static const std::array<std::uint32_t, 256> table = [] {
        constexpr std::uint32_t kPolynomial = 0x82F63B78;
        std::array<std::uint32_t, 256> values{};
        for (std::uint32_t i = 0; i < 256; ++i) {
            std::uint32_t value = i;
            for (int bit = 0; bit < 8; ++bit) value = value >> 1 ^ (value & 1 ? kPolynomial : 0);
            values[i] = value;
        }
        return values;
    }();
    std::uint32_t crc = ~0u;
    for (const char c : bytes) crc = crc >> 8 ^ table[(crc ^ std::uint8_t(c)) & 0xFF];
    return ~crc;
}

EventFile::EventFile(const std::filesystem::path& folder, std::int64_t step) : path_(folder / file_name())
{
    if (!folder.parent_path().empty()) {
        std::error_code failure; // the folder's own error says why
        std::filesystem::create_directories(folder.parent_path(), failure);
    }
    make_own_folder(folder.string());
    write(Message().real(kWallTime, seconds_since_1970()).text(kFileVersion, "brain.Event:2").bytes());
    write(event(step + 1).text(kSessionLog, Message().whole(kStatus, kStart).bytes()).bytes());
}

void EventFile::add(std::int64_t step, const std::vector<std::pair<std::string, double>>& values) const
{
    Message summary;
    for (const auto& [name, value] : values)
        summary.text(kValue, Message().text(kTag, name).real(kSimpleValue, float(value)).bytes());
    write(event(step).text(kSummary, summary.bytes()).bytes());
}

void EventFile::add_picture(std::int64_t step, const std::string& name, std::int64_t H, std::int64_t W,
                            std::string_view png) const
{
    Message picture;
    picture.whole(kHeight, std::uint64_t(H)).whole(kWidth, std::uint64_t(W)).whole(kColours, kRgb).text(kEncoded, png);
    const std::string value = Message().text(kTag, name).text(kImage, picture.bytes()).bytes();
    write(event(step).text(kSummary, Message().text(kValue, value).bytes()).bytes());
}

void EventFile::write(std::string_view event) const
{
    std::string length;
    append_little_endian(length, std::uint64_t(event.size()));
    std::string record = length;
    append_little_endian(record, check_sum(length));
    record += event;
    append_little_endian(record, check_sum(event));
    data::append_to_file(path_, record);
}

} // namespace bifrons::tools
