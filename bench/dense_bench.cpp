// bench/dense_bench.cpp - the dense layers, forward and both gradients, beside cuBLASLt and cuDNN.
#include "bench/product.h"
#include "kernels/dense/dense.h"

namespace bifrons::bench {

namespace {

using kernels::Conv2dShape;
using kernels::DenseShape;

DenseShape dense_shape(const Conv2dShape& s)
{
    return {.N = s.N, .C = s.C, .K = s.K, .tf32 = s.tf32};
}

const Operations kDense = {
    .fwd =
        [](Exec ex, const Conv2dShape& s, ConstView x, ConstView w, View y, const kernels::Epilogue& e) {
            kernels::run(ex, kernels::DenseFwd{dense_shape(s), x, w, y, e});
        },
    .dgrad =
        [](Exec ex, const Conv2dShape& s, ConstView dy, ConstView w, const kernels::Store& d) {
            kernels::run(ex, kernels::DenseDgrad{dense_shape(s), dy, w, d});
        },
    .wgrad =
        [](Exec ex, const Conv2dShape& s, ConstView dy, ConstView x, View dw, View db) {
            kernels::run(ex, kernels::DenseWgrad{dense_shape(s), dy, x, dw, db, false});
        },
};

} // namespace

void add_dense(const Grid& grid, Cases& cases)
{
    for_each_layer(grid, [&](const Network& network, std::int64_t batch, const std::string& precision,
                             const Layer& layer) {
        for (const ProductPass& pass : kProductPasses) {
            if (!layer.dense() || !has_pass(grid, layer, pass)) continue;
            const ProductCase c{layer, pass.pass, pass.fused, layer.shape(batch), precision, grid.options.quick};
            cases.push_back({str("dense", pass.suffix), layer.name, network, batch, "", precision, [c](Bench& bench) {
                                 return product_work(bench, c, kDense, {"cublaslt", "cudnn"});
                             }});
        }
    });
}

} // namespace bifrons::bench
