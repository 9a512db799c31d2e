#include "tools/preview_sheet.h"

namespace bifrons::tools {

namespace {

constexpr std::int64_t kGap = 4; // px between the three groups of columns

/// Picture n of [*,side,side,C], C 1 or 3, with its corner at (x, y) of the sheet.
void put(data::Image& sheet, std::int64_t y, std::int64_t x, std::int64_t side, const std::vector<float>& pictures,
         std::int64_t n, std::int64_t C)
{
    const float* from = pictures.data() + n * side * side * C;
    for (std::int64_t row = 0; row < side; ++row)
        for (std::int64_t column = 0; column < side; ++column)
            for (std::int64_t c = 0; c < 3; ++c) {
                const float v = from[(row * side + column) * C + (C == 3 ? c : 0)];
                sheet.at(y + row, x + column)[c] = std::uint8_t(std::min(1.0f, std::max(0.0f, v)) * 255.0f + 0.5f);
            }
}

} // namespace

PreviewSheet::PreviewSheet(kernels::Device& device, const model::Autoencoder& net, std::vector<float> src,
                           std::vector<float> dst, std::int64_t rows, Precision precision)
    : side_(net.architecture().resolution), rows_(rows), src_(std::move(src)), dst_(std::move(dst)),
      as_src_(device, net, rows, model::Predictor::Identity::src, precision),
      as_dst_(device, net, rows, model::Predictor::Identity::dst, precision)
{
}

data::Image PreviewSheet::draw()
{
    const auto src = as_src_(src_), dst = as_dst_(dst_), swap = as_src_(dst_);
    data::Image sheet(rows_ * side_, 8 * side_ + 2 * kGap, 3);
    for (std::int64_t n = 0; n < rows_; ++n) {
        std::int64_t x = 0;
        const auto next = [&](const std::vector<float>& pictures, std::int64_t C) {
            put(sheet, n * side_, x, side_, pictures, n, C);
            x += side_;
        };
        next(src_, 3);
        next(src.face, 3);
        next(src.mask, 1);
        x += kGap;
        next(dst_, 3);
        next(dst.face, 3);
        next(dst.mask, 1);
        x += kGap;
        next(swap.face, 3);
        next(swap.mask, 1);
    }
    return sheet;
}

} // namespace bifrons::tools
