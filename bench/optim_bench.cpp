// bench/optim_bench.cpp - the optimizer's two launches over all parameters of the network, rule by rule.
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

struct Update {
    const char *family, *what;
    kernels::UpdateOptions options = {};
    bool packed = false; ///< with the bf16 copy that the next step multiplies with
    bool always = true;
};

const Update kUpdates[] = {
    {"adam", "all parameters"},
    {"adam", "all parameters, bf16 copy", {}, true},
    {"adabelief_dfl", "all parameters", {.rule = kernels::UpdateRule::adabelief_dfl, .beta1 = 0.9f}},
    {"adabelief", "all parameters", {.rule = kernels::UpdateRule::adabelief, .beta1 = 0.9f}, false, false},
    {"rmsprop", "all parameters", {.rule = kernels::UpdateRule::rmsprop, .beta2 = 0.9f}, false, false},
    {"adamw", "all parameters", {.decay = 0.01f}, false, false},
    {"adabelief_dfl",
     "clipped, dropped out, averaged",
     {.rule = kernels::UpdateRule::adabelief_dfl, .beta1 = 0.9f, .clip = 0.5f, .keep = 0.3f, .average_decay = 0.999f},
     false,
     false},
};

OpCase update(const Network& network, const Update& u)
{
    const std::int64_t n = parameters_of(network);
    const bool mean = kernels::keeps_mean(u.options.rule), average = u.options.average_decay > 0;
    std::vector<float> squares = Bench::normal_values(n, DType::f32, 4);
    for (float& v : squares) v *= v;
    OpCase c{.in = {{.bytes = state_bytes()}, normal(n, 1)},
             .out = {{n, DType::f32, normal(n, 2).values}, {n, DType::f32, squares}},
             .run = {}};
    const std::size_t at_mean = c.out.size(), at_average = at_mean + mean, at_packed = at_average + average;
    if (mean) c.out.push_back({n, DType::f32, normal(n, 3).values});
    if (average) c.out.push_back({n, DType::f32, normal(n, 5).values});
    if (u.packed) c.out.push_back({n, DType::bf16});
    const auto arenas = [=](const Views& in, const Views& out) {
        kernels::UpdateArenas a{.w = out[0], .g = in[1], .m = {}, .v = out[1]};
        if (mean) a.m = out[at_mean];
        if (average) a.average = out[at_average];
        return a;
    };
    c.run = [=, options = u.options, packed = u.packed](Exec ex, const Views& in, const Views& out) {
        kernels::UpdateArenas a = arenas(in, out);
        if (packed) a.packed = out[at_packed];
        kernels::run(ex, kernels::Update{n, options, a, static_cast<const kernels::StepState*>(in[0].data)});
    };
    if (!u.packed) return c;
    c.in_f32 = [=, options = u.options](Exec ex, const Views& in, const Views& out) {
        kernels::run(ex,
                     kernels::Update{n, options, arenas(in, out), static_cast<const kernels::StepState*>(in[0].data)});
        ex.device->copy(ex.stream, out[at_packed].data, out[0].data, std::size_t(n) * sizeof(float));
    };
    return c;
}

OpCase norm(const Network& network)
{
    const std::int64_t n = parameters_of(network);
    return {.in = {normal(n, 1)},
            .out = {{1, DType::f32}},
            .run =
                [=](Exec ex, const Views& in, const Views& out) {
                    kernels::run(ex, kernels::GlobalNorm{n, in[0], out[0]});
                },
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
        for (const Update& u : kUpdates)
            if (u.always || !passes_over(grid, network)) add(u.family, u.what, [=] { return update(network, u); });
        add("global_norm", "all parameters", [=] { return norm(network); });
    }
}

} // namespace bifrons::bench
