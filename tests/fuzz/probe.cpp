// ffprobe's answer and, behind a line "%%", its list of packets.
#include "data/media/video.h"
#include "kernels/base/error.h"

using namespace bifrons;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size)
{
    const std::string text(reinterpret_cast<const char*>(bytes), size), mark = "\n%%\n";
    const std::size_t end = text.find(mark);
    const std::string packets = end == text.npos ? "" : text.substr(end + mark.size());
    try {
        const data::VideoInfo info = data::read_probe(
            text.substr(0, end), [&](int) { return packets; }, "fuzz");
        const double rate = info.format.rate.value(), shape = info.sample_aspect.value();
        if (!(rate > 0 && rate < 1e9 && shape >= 0.25 && shape <= 4 && info.format.H > 0 && info.format.W > 0))
            __builtin_trap();
    } catch (const Error& error) {
        if (error.kind() != ErrorKind::data) throw;
    }
    return 0;
}
