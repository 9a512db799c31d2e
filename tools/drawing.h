// tools/drawing.h - pictures and words drawn on a sheet. Tests tests/tools/preview_test.cpp
#pragma once

#include "data/image.h"

#include <string>

namespace bifrons::tools {

/// The picture, its corner at (y, x) of the sheet, in which it must lie. Both BGR.
void draw(data::Image& sheet, std::int64_t y, std::int64_t x, const data::Image& picture);

constexpr std::int64_t kTextHeight = 12; ///< of a line, px

/// A line of white text, its corner at (y, x), in the font of stb_easy_font `scale` times as large. What lies outside
/// the sheet is cut off; characters that are not ASCII's become "?".
void draw_text(data::Image& sheet, std::int64_t y, std::int64_t x, const std::string& text, int scale = 1);

/// px
std::int64_t text_width(const std::string& text, int scale = 1);

/// The square picture at another side.
data::Image resized(const data::Image& square, std::int64_t side);

} // namespace bifrons::tools
