#include "tools/contact_sheet.h"

#include "kernels/base/error.h"
#include "tools/drawing.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

namespace bifrons::tools {

namespace {

constexpr std::int64_t kColumns = 12, kSide = 128, kGap = 4, kLines = 3;
constexpr std::int64_t kHeight = kSide + kLines * kTextHeight; // of a face and its words

/// As much of the end of the text as is not wider than a face.
std::string tail(std::string text)
{
    while (text_width(text) > kSide) text.erase(0, 1);
    return text;
}

std::string number(const char* format, double value)
{
    char text[40];
    std::snprintf(text, sizeof text, format, value);
    return text;
}

} // namespace

data::Image contact_sheet(const data::Faceset& set, const std::vector<data::Oddness>& faces,
                          std::vector<std::string>& unreadable)
{
    constexpr double kDegree = 3.14159265358979323846 / 180;
    const auto count = std::int64_t(std::min(faces.size(), kMostFaces));
    const std::int64_t rows = (count + kColumns - 1) / kColumns;
    data::Image sheet(rows * (kHeight + kGap), std::min(count, kColumns) * (kSide + kGap), 3);
    for (std::int64_t n = 0; n < count; ++n) {
        const data::Oddness& odd = faces[std::size_t(n)];
        const data::FaceRecord& face = set.faces[odd.face];
        const std::int64_t y = n / kColumns * (kHeight + kGap), x = n % kColumns * (kSide + kGap);
        try {
            draw(sheet, y, x, resized(data::load_face(set, odd.face), kSide));
        } catch (const Error& error) {
            unreadable.push_back(error.what());
        }
        const std::string lines[kLines] = {
            tail(std::filesystem::path(face.file).stem().string()),
            str("score ", number("%.3g", face.score), "  yaw ", std::lround(face.pose.yaw / kDegree)),
            str("sharp ", number("%.3g", face.sharpness), "  odd ", number("%.1f", odd.value))};
        for (std::int64_t line = 0; line < kLines; ++line)
            draw_text(sheet, y + kSide + 2 + line * kTextHeight, x, lines[line]);
    }
    return sheet;
}

} // namespace bifrons::tools
