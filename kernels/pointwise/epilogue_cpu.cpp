#include "kernels/pointwise/epilogue_cpu.h"

#include "kernels/base/parallel.h"
#include "kernels/pointwise/epilogue_ref.h"

#include <cstring>

namespace bifrons::kernels::cpu {

namespace {

constexpr std::int64_t kGrain = 16384;

/// Calls body with a callable z -> act(z) whose kind is known to the compiler, so that loops over it vectorise.
template <class Body>
void with_activation(Activation a, const Body& body)
{
    switch (a.kind) {
    case Act::none:
        return body([](float z) { return z; });
    case Act::leaky:
        return body([a](float z) { return act_fwd<float>({Act::leaky, a.slope}, z); });
    case Act::relu:
        return body([](float z) { return act_fwd<float>({Act::relu}, z); });
    case Act::sigmoid:
        return body([](float z) { return act_fwd<float>({Act::sigmoid}, z); });
    case Act::tanh:
        return body([](float z) { return act_fwd<float>({Act::tanh}, z); });
    case Act::xcosx:
        return body([](float z) { return act_fwd<float>({Act::xcosx}, z); });
    }
}

/// The same for saved -> act'(saved).
template <class Body>
void with_derivative(Activation a, const Body& body)
{
    switch (a.kind) {
    case Act::none:
        return body([](float) { return 1.0f; });
    case Act::leaky:
        return body([a](float y) { return act_grad<float>({Act::leaky, a.slope}, y); });
    case Act::relu:
        return body([](float y) { return act_grad<float>({Act::relu}, y); });
    case Act::sigmoid:
        return body([](float y) { return act_grad<float>({Act::sigmoid}, y); });
    case Act::tanh:
        return body([](float y) { return act_grad<float>({Act::tanh}, y); });
    case Act::xcosx:
        return body([](float z) { return act_grad<float>({Act::xcosx}, z); });
    }
}

/// One row of output from one run of K values of v: bias, add, activation.
template <class Fn>
void epilogue_run(std::int64_t n, const float* v, const float* bias, const float* add, float* z, float* y,
                  const Fn& act)
{
    for (std::int64_t k = 0; k < n; ++k) {
        const float sum = v[k] + (bias ? bias[k] : 0.0f) + (add ? add[k] : 0.0f);
        if (z) z[k] = sum;
        y[k] = act(sum);
    }
}

void epilogue_fwd_f32(const EpilogueShape& s, const float* v, float* y, const Epilogue& e)
{
    const float *bias = e.bias.as<float>(), *add = e.add.as<float>();
    float* z = e.z.as<float>();
    const int f = e.shuffle;
    const std::int64_t run = s.K / f; // values (j, c) of one i are neighbours in the output too
    with_activation(e.act, [&](auto act) {
        parallel_for(s.N * s.P * s.Q, std::max<std::int64_t>(1, kGrain / s.K),
                     [&](std::int64_t begin, std::int64_t end) {
                         for (std::int64_t pixel = begin; pixel < end; ++pixel) {
                             const std::int64_t q = pixel % s.Q, row = pixel / s.Q;
                             for (int i = 0; i < f; ++i) {
                                 const std::int64_t from = pixel * s.K + i * run;
                                 const std::int64_t to = ((row * f + i) * s.Q + q) * run;
                                 epilogue_run(run, v + from, bias ? bias + i * run : nullptr,
                                              add ? add + from : nullptr, z ? z + from : nullptr, y + to, act);
                             }
                         }
                     });
    });
}

} // namespace

void epilogue_fwd(const EpilogueShape& s, ConstView v, View y, const Epilogue& e)
{
    if (v.dtype == DType::f64)
        return ref::epilogue_fwd(s, v.as<double>(), y.as<double>(), e.bias.as<double>(), e.add.as<double>(), e.act,
                                 e.z.as<double>(), e.shuffle);
    epilogue_fwd_f32(s, v.as<float>(), y.as<float>(), e);
}

void store_gradient_run(const Store& s, std::int64_t begin, std::int64_t n, const float* v)
{
    const float* add = s.add ? s.add.as<float>() + begin : nullptr;
    const float* saved = s.saved ? s.saved.as<float>() + begin : nullptr;
    float* out = s.out.as<float>() + begin;
    with_derivative(s.act, [&](auto derivative) {
        for (std::int64_t i = 0; i < n; ++i)
            out[i] = (saved ? derivative(saved[i]) : 1.0f) * (v[i] + (add ? add[i] : 0.0f));
    });
}

void store_gradient_run(const Store& s, std::int64_t begin, std::int64_t n, const double* v)
{
    ref::store_gradient(n, v, s.out.as<double>() + begin, s.add ? s.add.as<double>() + begin : nullptr, s.act,
                        s.saved ? s.saved.as<double>() + begin : nullptr);
}

void store_gradient(std::int64_t n, ConstView v, const Store& s)
{
    if (v.dtype == DType::f64) return store_gradient_run(s, 0, n, v.as<double>());
    parallel_for(n, kGrain, [&](std::int64_t begin, std::int64_t end) {
        store_gradient_run(s, begin, end - begin, v.as<float>() + begin);
    });
}

void unshuffle(const EpilogueShape& s, int f, ConstView dy_, View d_)
{
    const std::int64_t run_bytes = s.K / f * std::int64_t(dtype_bytes(d_.dtype));
    const char* dy = static_cast<const char*>(dy_.data);
    char* d = static_cast<char*>(d_.data);
    parallel_for(s.N * s.P * s.Q, std::max<std::int64_t>(1, kGrain / s.K), [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t pixel = begin; pixel < end; ++pixel) {
            const std::int64_t q = pixel % s.Q, row = pixel / s.Q;
            for (int i = 0; i < f; ++i)
                std::memcpy(d + (pixel * f + i) * run_bytes, dy + ((row * f + i) * s.Q + q) * run_bytes,
                            std::size_t(run_bytes));
        }
    });
}

void bias_grad(std::int64_t rows, std::int64_t K, ConstView d_, View db_, bool accumulate, Workspace scratch)
{
    if (d_.dtype == DType::f64) return ref::bias_grad(rows, K, d_.as<double>(), db_.as<double>(), accumulate);
    const float* d = d_.as<float>();
    float* db = db_.as<float>();
    // Partial sums of fixed blocks of rows, then the blocks in order: the same bits for any number of threads.
    const std::int64_t blocks = std::min<std::int64_t>(64, rows), grain = (rows + blocks - 1) / blocks;
    float* partial = static_cast<float*>(scratch.data);
    parallel_for(rows, grain, [&](std::int64_t begin, std::int64_t end) {
        float* sum = partial + begin / grain * K;
        std::fill_n(sum, K, 0.0f);
        for (std::int64_t row = begin; row < end; ++row)
            for (std::int64_t k = 0; k < K; ++k) sum[k] += d[row * K + k];
    });
    const std::int64_t used = (rows + grain - 1) / grain;
    for (std::int64_t k = 0; k < K; ++k) {
        float sum = accumulate ? db[k] : 0.0f;
        for (std::int64_t b = 0; b < used; ++b) sum += partial[b * K + k];
        db[k] = sum;
    }
}

} // namespace bifrons::kernels::cpu
