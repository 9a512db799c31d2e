// bench/conv2d_bench.cpp - every convolution of the network, forward and both gradients, method by method: beside the
// best plan of cuDNN on cuda, beside oneDNN on the cpu.
#include "bench/product.h"
#include "kernels/base/onednn.h"
#include "kernels/conv2d/conv2d_methods.h"

namespace bifrons::bench {

namespace {

using kernels::Conv2dMethod;
using kernels::Conv2dShape;

struct Method {
    const char* name;
    Conv2dMethod method;
    bool cpu;
    const char* precisions; ///< that it has
    bool quick;
};

// The ladder, from the readable one upwards.
constexpr Method kMethods[] = {
    {"loops", Conv2dMethod::loops, true, "f32", true},
    {"onednn", Conv2dMethod::onednn, true, "f32", true},
    {"direct", Conv2dMethod::direct, false, "bf16 f32", false},
    {"tiled", Conv2dMethod::tiled, false, "f32", true},
    {"few_channels", Conv2dMethod::few_channels, false, "bf16", true},
    {"head", Conv2dMethod::head, false, "bf16", true},
    {"igemm_mma", Conv2dMethod::igemm_mma, false, "bf16 tf32", true},
};

const Operations kConv2d = {
    .fwd =
        [](Exec ex, const Conv2dShape& s, ConstView x, ConstView w, View y, const kernels::Epilogue& e) {
            kernels::run(ex, kernels::Conv2dFwd{s, x, w, y, e});
        },
    .dgrad =
        [](Exec ex, const Conv2dShape& s, ConstView dy, ConstView w, const kernels::Store& d) {
            kernels::run(ex, kernels::Conv2dDgrad{s, dy, w, d});
        },
    .wgrad =
        [](Exec ex, const Conv2dShape& s, ConstView dy, ConstView x, View dw, View db) {
            kernels::run(ex, kernels::Conv2dWgrad{s, dy, x, dw, db, false});
        },
};

/// On the cpu, oneDNN through our own door is the loops' peer.
void add_onednn(Bench& bench, const ProductCase& c, Work& work)
{
    if (!kernels::onednn_available()) {
        work.absent.push_back("oneDNN: not built in");
        return;
    }
    ProductCase theirs = c;
    theirs.s.method = Conv2dMethod::onednn;
    Work other = product_work(bench, theirs, kConv2d, {});
    other.ours.name = "oneDNN";
    bench.reserve(other.cost.workspace_bytes);
    work.peers.push_back(std::move(other.ours));
}

Work conv2d_work(Bench& bench, const ProductCase& c)
{
    Work work = product_work(bench, c, kConv2d, {"cudnn"});
    if (c.s.method == Conv2dMethod::loops) add_onednn(bench, c, work);
    return work;
}

/// A whole word of the list: f32 is also a part of tf32.
bool has_precision(const Method& method, const std::string& precision)
{
    return str(" ", method.precisions, " ").find(" " + precision + " ") != std::string::npos;
}

bool gpu_supports(const ProductCase& c)
{
    const auto pass = c.pass == Product::Pass::fwd     ? kernels::Conv2dPass::fwd
                      : c.pass == Product::Pass::dgrad ? kernels::Conv2dPass::dgrad
                                                       : kernels::Conv2dPass::wgrad;
    return kernels::conv2d_gpu_method(pass, c.s, c.dtype()).supports(pass, c.s, c.dtype());
}

} // namespace

void add_conv2d(const Grid& grid, Cases& cases)
{
    for_each_layer(
        grid, [&](const Network& network, std::int64_t batch, const std::string& precision, const Layer& layer) {
            for (const ProductPass& pass : kProductPasses)
                for (const Method& method : kMethods) {
                    if (layer.dense() || !has_pass(grid, layer, pass) || method.cpu != grid.on_cpu()) continue;
                    if (!has_precision(method, precision)) continue;
                    if (grid.options.quick && !method.quick) continue;
                    ProductCase c{layer, pass.pass, pass.fused, layer.shape(batch), precision, grid.options.quick};
                    c.s.method = method.method;
                    if (!method.cpu && !gpu_supports(c)) continue;
                    cases.push_back({str("conv2d", pass.suffix), layer.name, network, batch, method.name, precision,
                                     [c](Bench& bench) { return conv2d_work(bench, c); }});
                }
        });
}

} // namespace bifrons::bench
