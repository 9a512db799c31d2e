#include "data/frame_name.h"

#include <algorithm>

namespace bifrons::data {

std::string video_frame_name(const std::filesystem::path& video, std::int64_t index)
{
    const std::string digits = std::to_string(index);
    constexpr std::size_t kLongest = 200; // bytes: of the 255 that a name may have, the rest is for number and ending
    return video.stem().string().substr(0, kLongest) + "_" +
           std::string(std::max<std::size_t>(6, digits.size()) - digits.size(), '0') + digits;
}

} // namespace bifrons::data
