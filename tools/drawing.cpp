#include "tools/drawing.h"

#include "data/warp.h"

#include <algorithm>
#include <array>
#include <cmath>

#include <stb/stb_easy_font.h>

namespace bifrons::tools {

namespace {

/// stb_easy_font's table of letters has the printable ones only.
std::string printable(std::string text)
{
    std::replace_if(
        text.begin(), text.end(), [](char c) { return c < ' ' || c > '~'; }, '?');
    return text;
}

void fill(data::Image& sheet, std::int64_t top, std::int64_t left, std::int64_t bottom, std::int64_t right)
{
    for (std::int64_t y = std::max<std::int64_t>(0, top); y < std::min(bottom, sheet.H); ++y)
        for (std::int64_t x = std::max<std::int64_t>(0, left); x < std::min(right, sheet.W); ++x)
            std::fill_n(sheet.at(y, x), sheet.C, std::uint8_t(255));
}

} // namespace

void draw(data::Image& sheet, std::int64_t y, std::int64_t x, const data::Image& picture)
{
    for (std::int64_t row = 0; row < picture.H; ++row)
        std::copy_n(picture.at(row, 0), picture.W * 3, sheet.at(y + row, x));
}

void draw_text(data::Image& sheet, std::int64_t y, std::int64_t x, const std::string& text, int scale)
{
    struct Corner {
        float x, y, z;
        std::array<unsigned char, 4> colour;
    };
    using Letters = std::array<Corner, 4>; // rectangles, of which letters are made
    constexpr std::size_t kOfLetter = 16;  // at most
    std::string words = printable(text);
    std::vector<Letters> strokes(kOfLetter * words.size());
    const int count =
        stb_easy_font_print(0, 0, words.data(), nullptr, strokes.data(), int(strokes.size() * sizeof(Letters)));
    const auto px = [&](float v) { return std::int64_t(std::lround(v)) * scale; };
    for (int n = 0; n < count; ++n) {
        const auto& [top_left, top_right, bottom_right, bottom_left] = strokes[std::size_t(n)];
        fill(sheet, y + px(top_left.y), x + px(top_left.x), y + px(bottom_right.y), x + px(bottom_right.x));
    }
}

std::int64_t text_width(const std::string& text, int scale)
{
    std::string words = printable(text);
    return std::int64_t(stb_easy_font_width(words.data())) * scale;
}

data::Image resized(const data::Image& square, std::int64_t side)
{
    const double scale = double(side) / double(square.W), middle = (scale - 1) / 2;
    return data::warp(square, {{scale, 0, middle, 0, scale, middle}}, side, side);
}

} // namespace bifrons::tools
