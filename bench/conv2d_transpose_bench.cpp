// bench/conv2d_transpose_bench.cpp - the transposed convolutions of a network with upsample = transposed: the mirrored
// convolution's passes, beside the best plan of cuDNN for the same mirror.
#include "bench/product.h"
#include "kernels/conv2d/conv2d_transpose.h"

namespace bifrons::bench {

namespace {

using kernels::Conv2dShape;

// In the mirrored convolution's terms, which are the product's: what it calls the input gradient is our forward.
const Operations kTranspose = {
    .fwd =
        [](Exec ex, const Conv2dShape& s, ConstView x, ConstView w, View y, const kernels::Epilogue&) {
            kernels::run(ex, kernels::Conv2dTransposeDgrad{s, x, w, {.out = y}});
        },
    .dgrad =
        [](Exec ex, const Conv2dShape& s, ConstView dy, ConstView w, const kernels::Store& d) {
            kernels::run(ex, kernels::Conv2dTransposeFwd{s, dy, w, d.out, {}});
        },
    .wgrad =
        [](Exec ex, const Conv2dShape& s, ConstView dy, ConstView x, View dw, View) {
            kernels::run(ex, kernels::Conv2dTransposeWgrad{s, x, dy, dw, {}, false});
        },
};

struct Pass {
    const char* name;
    Product::Pass mirrored;
};
constexpr Pass kPasses[] = {{"conv2d_transpose_fwd", Product::Pass::dgrad},
                            {"conv2d_transpose_dgrad", Product::Pass::fwd},
                            {"conv2d_transpose_wgrad", Product::Pass::wgrad}};
constexpr std::int64_t kSide = 4, kStride = 2; // of the model's filters (model/blocks.cpp)

} // namespace

void add_conv2d_transpose(const Grid& grid, Cases& cases)
{
    for_each_layer(
        grid, [&](const Network& network, std::int64_t batch, const std::string& precision, const Layer& layer) {
            if (layer.shuffle == 1 || (grid.options.quick && layer.name != "decoder.up1")) return;
            const Conv2dShape up = layer.shape(batch); // C channels to K / 4, twice the side
            for (const Pass& pass : kPasses) {
                ProductCase c;
                c.layer.name = layer.name;
                c.pass = pass.mirrored;
                c.precision = precision;
                c.brief = grid.options.quick;
                c.s = kernels::conv2d_transpose_shape(up.N, up.H, up.W, up.C, up.K / 4, kSide, kStride);
                c.s.tf32 = precision == "tf32";
                cases.push_back({pass.name, layer.name, network, batch, "", precision,
                                 [c](Bench& bench) { return product_work(bench, c, kTranspose, {"cudnn"}); }});
            }
        });
}

} // namespace bifrons::bench
