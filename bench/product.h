// bench/product.h - the benchmark of one layer's product: a convolution, a transposed one or a dense layer, forward or
// one of its gradients, plain or with everything that the network fuses into its store, beside the plans of libraries.
//
// Where a library cannot fuse, its plan is followed by our store kernel (epilogue.h), which a user of the library would
// have to write; a pixel shuffle always is. Channel counts that are no multiple of 8 are given to libraries as they are
// and padded with zeros.
#pragma once

#include "bench/bench.h"
#include "bench/layers.h"
#include "bench/peers/library.h"

namespace bifrons::bench {

/// What is timed of a layer.
struct ProductCase {
    Layer layer;
    Product::Pass pass = Product::Pass::fwd;
    bool fused = false;
    kernels::Conv2dShape s = {}; ///< N and method included
    std::string precision;
    bool brief = false; ///< libraries need not try everything

    DType dtype() const { return storage_of(precision); }
    DType out_dtype() const
    {
        const bool f32 = pass == Product::Pass::wgrad || (pass == Product::Pass::fwd && layer.head);
        return f32 ? DType::f32 : dtype();
    }
};

/// Our operations of one family, in conv2d.h's terms.
struct Operations {
    std::function<void(Exec, const kernels::Conv2dShape&, ConstView x, ConstView w, View y, const kernels::Epilogue&)>
        fwd;
    std::function<void(Exec, const kernels::Conv2dShape&, ConstView dy, ConstView w, const kernels::Store&)> dgrad;
    std::function<void(Exec, const kernels::Conv2dShape&, ConstView dy, ConstView x, View dw, View db)> wgrad;
};

/// Throws Error(usage) where `ours` does not do the shape. `libraries`: names for open_library(), on cuda only.
Work product_work(Bench& bench, const ProductCase& c, const Operations& ours,
                  const std::vector<std::string>& libraries);

/// Calls f for every network, batch, precision and layer of the grid.
template <class F>
void for_each_layer(const Grid& grid, const F& f)
{
    for (const Network& network : grid.networks)
        for (const std::int64_t batch : grid.batches)
            for (const std::string& precision : grid.precisions)
                for (Layer& layer : layers_of(network.resolution, network.e, network.ae, network.d, network.m)) {
                    layer.s.tf32 = precision == "tf32";
                    f(network, batch, precision, layer);
                }
}

/// The passes and stores of a layer that are timed: "conv2d_fwd", "conv2d_fwd_fused", ...
struct ProductPass {
    const char* suffix;
    Product::Pass pass;
    bool fused;
};
extern const std::vector<ProductPass> kProductPasses;

/// The layer has this pass, and it is not left out of a quick run, which takes the fused one of two.
bool has_pass(const Grid& grid, const Layer& layer, const ProductPass& pass);

} // namespace bifrons::bench
