#include "tools/preview_sheet.h"

#include "tools/drawing.h"

#include <algorithm>

namespace bifrons::tools {

namespace {

constexpr std::int64_t kLeastTile = 128; // px of a picture
constexpr std::int64_t kGap = 4;         // px between groups of columns
constexpr std::int64_t kHeader = 60;     // px of caption and names

/// Picture n of [*,side,side,C], C 1 or 3.
data::Image picture(const std::vector<float>& pictures, std::int64_t n, std::int64_t side, std::int64_t C)
{
    const float* from = pictures.data() + n * side * side * C;
    data::ImageF out(side, side, 3);
    for (std::int64_t i = 0; i < side * side * 3; ++i) out.pixels[std::size_t(i)] = from[C == 3 ? i : i / 3];
    return data::to_bytes(out);
}

} // namespace

PreviewSheet::PreviewSheet(kernels::Device& device, const model::Autoencoder& net, std::vector<float> src,
                           std::vector<float> dst, std::int64_t rows, Precision precision)
    : side_(net.architecture().resolution), rows_(rows), src_(std::move(src)), dst_(std::move(dst)),
      as_src_(device, net, rows, model::Predictor::Identity::src, precision),
      as_dst_(device, net, rows, model::Predictor::Identity::dst, precision)
{
}

data::Image PreviewSheet::draw(const std::string& caption)
{
    const auto src = as_src_(src_), dst = as_dst_(dst_), swap = as_src_(dst_);
    struct Column {
        const char* name;
        const std::vector<float>& pictures;
        std::int64_t channels;
        std::int64_t gap; ///< before it
    };
    const Column columns[] = {{"source", src_, 3, 0},
                              {"rebuilt", src.face, 3, 0},
                              {"mask", src.mask, 1, 0},
                              {"destination", dst_, 3, kGap},
                              {"swap", swap.face, 3, 0},
                              {"mask", swap.mask, 1, 0},
                              {"dst rebuilt", dst.face, 3, kGap},
                              {"mask", dst.mask, 1, 0}};
    const std::int64_t tile = std::max(side_, kLeastTile);
    data::Image sheet(kHeader + rows_ * tile, std::int64_t(std::size(columns)) * tile + 2 * kGap, 3);
    draw_text(sheet, 6, 6, caption, 2);
    std::int64_t x = 0;
    for (const Column& column : columns) {
        x += column.gap;
        draw_text(sheet, kHeader - 2 * kTextHeight, x + 6, column.name, 2);
        for (std::int64_t n = 0; n < rows_; ++n) {
            const data::Image shown = picture(column.pictures, n, side_, column.channels);
            tools::draw(sheet, kHeader + n * tile, x, tile == side_ ? shown : resized(shown, tile));
        }
        x += tile;
    }
    return sheet;
}

} // namespace bifrons::tools
