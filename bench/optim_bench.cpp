// bench/optim_bench.cpp - the optimizer's two launches over all parameters of the network.
#include "bench/layers.h"
#include "bench/op.h"
#include "kernels/optim/global_norm.h"
#include "kernels/optim/update.h"

#include <algorithm>
#include <cstring>

namespace bifrons::bench {

namespace {

using Views = OpCase::Views;

/// Both decoders' weights and biases, as the parameters' arena has them.
std::int64_t parameters_of(const Network& n)
{
    std::int64_t count = 0;
    for (const Layer& layer : layers_of(n.resolution, n.e, n.ae, n.d, n.m))
        count += (layer.s.w_size() + layer.s.K) * (layer.identities == 2 ? 1 : 2);
    return count;
}

Input normal(std::int64_t n, std::uint32_t seed)
{
    return {.values = Bench::normal_values(n, DType::f32, seed)};
}

std::vector<std::uint8_t> state_bytes()
{
    const kernels::StepState state{.seed = 1, .step = 3, .applied = 3, .rate = 5e-5f, .grad_norm = {1}};
    std::vector<std::uint8_t> bytes(sizeof state);
    std::memcpy(bytes.data(), &state, sizeof state);
    return bytes;
}

/// packed: with the bf16 copy that the next step multiplies with.
OpCase adam(const Network& network, bool packed)
{
    const std::int64_t n = parameters_of(network);
    std::vector<float> squares = Bench::normal_values(n, DType::f32, 4);
    for (float& v : squares) v *= v;
    OpCase c{
        .in = {{.bytes = state_bytes()}, normal(n, 1)},
        .out = {{n, DType::f32, normal(n, 2).values}, {n, DType::f32, normal(n, 3).values}, {n, DType::f32, squares}},
        .run = [=](Exec ex, const Views& in, const Views& out) {
            kernels::update(ex, n, {}, {out[0], in[1], out[1], out[2], packed ? out[3] : View{}},
                            static_cast<const kernels::StepState*>(in[0].data));
        }};
    if (!packed) return c;
    c.out.push_back({n, DType::bf16});
    c.on_cpu = [=](Exec ex, const Views& in, const Views& out) {
        kernels::update(ex, n, {}, {out[0], in[1], out[1], out[2]}, static_cast<const kernels::StepState*>(in[0].data));
        ex.device->copy(ex.stream, out[3].data, out[0].data, std::size_t(n) * sizeof(float));
    };
    return c;
}

OpCase norm(const Network& network)
{
    const std::int64_t n = parameters_of(network);
    return {.in = {normal(n, 1)},
            .out = {{1, DType::f32}},
            .run = [=](Exec ex, const Views& in, const Views& out) { kernels::global_norm(ex, n, in[0], out[0]); },
            .error = 1e-5};
}

} // namespace

void add_optim(const Grid& grid, Cases& cases)
{
    for (const Network& network : grid.networks) {
        const auto add = [&](const char* family, const char* what, const std::function<OpCase()>& make) {
            cases.push_back({family, what, network, grid.batches.front(), "", "f32",
                             [=](Bench& bench) { return op_work(bench, make()); }});
        };
        add("adam", "all parameters", [=] { return adam(network, false); });
        if (!grid.on_cpu()) add("adam", "all parameters, bf16 copy", [=] { return adam(network, true); });
        add("global_norm", "all parameters", [=] { return norm(network); });
    }
}

} // namespace bifrons::bench
