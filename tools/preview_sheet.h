// tools/preview_sheet.h - what the network makes of a few fixed faces, as one picture.
//
// A row a sample, below a caption and the columns' names. Columns: source, its reconstruction and mask; destination,
// the swap (the destination through the source's decoder) and its mask; the destination's reconstruction and mask.
// Pictures below 128 px are shown at 128. Tests tests/tools/preview_test.cpp
#pragma once

#include "data/image.h"
#include "model/predictor.h"

namespace bifrons::tools {

class PreviewSheet {
  public:
    /// src, dst: rows pictures each, [rows,R,R,3] BGR 0..1. The network must outlive this.
    PreviewSheet(kernels::Device& device, const model::Autoencoder& net, std::vector<float> src, std::vector<float> dst,
                 std::int64_t rows, Precision precision);
    /// See Step::share().
    void share(Step& host)
    {
        as_src_.share(host);
        as_dst_.share(host);
    }
    /// Takes the device's memory now instead of with the first sheet.
    void reserve()
    {
        as_src_.reserve();
        as_dst_.reserve();
    }
    /// What that is, as planned.
    std::size_t planned_bytes() { return as_src_.planned_bytes() + as_dst_.planned_bytes(); }
    /// With the parameters as they are now. Waits.
    data::Image draw(const std::string& caption);

  private:
    std::int64_t side_, rows_;
    std::vector<float> src_, dst_;
    model::Predictor as_src_, as_dst_;
};

} // namespace bifrons::tools
