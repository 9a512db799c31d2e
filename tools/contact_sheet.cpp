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

} // namespace

std::string short_number(double value)
{
    char text[40];
    std::snprintf(text, sizeof text, "%.3g", value);
    return std::abs(value) < 1000 ? text : std::to_string(std::lround(value));
}

data::Image contact_sheet(const data::Faceset& set, const std::vector<SheetFace>& faces,
                          std::vector<std::string>& unreadable)
{
    constexpr double kDegree = 3.14159265358979323846 / 180;
    const auto count = std::int64_t(faces.size());
    const std::int64_t columns = std::min(count, count > 240 ? 24 : kColumns), rows = (count + columns - 1) / columns;
    data::Image sheet(rows * (kHeight + kGap), columns * (kSide + kGap), 3);
    for (std::int64_t n = 0; n < count; ++n) {
        const auto& [index, words] = faces[std::size_t(n)];
        const data::FaceRecord& face = set.faces[index];
        const std::int64_t y = n / columns * (kHeight + kGap), x = n % columns * (kSide + kGap);
        try {
            draw(sheet, y, x, resized(data::load_face(set, index), kSide));
        } catch (const Error& error) {
            unreadable.push_back(error.what());
        }
        const std::string lines[kLines] = {
            tail(std::filesystem::path(face.file).stem().string()),
            str("score ", short_number(face.score), "  yaw ", std::lround(face.pose.yaw / kDegree)), words};
        for (std::int64_t line = 0; line < kLines; ++line)
            draw_text(sheet, y + kSide + 2 + line * kTextHeight, x, lines[line]);
    }
    return sheet;
}

} // namespace bifrons::tools
