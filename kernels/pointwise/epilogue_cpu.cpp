#include "kernels/pointwise/epilogue_cpu.h"

#include "kernels/base/clones.h"
#include "kernels/base/host_storage.h"
#include "kernels/base/on_type.h"
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

/// One row of output from one run of values of v: bias, add, activation. V: of v; Y: of y, z and add.
template <class V, class Y, class Fn>
BIFRONS_CLONES void epilogue_run(std::int64_t n, const V* v, const float* bias, const Y* add, Y* z, Y* y, const Fn& act)
{
    for (std::int64_t k = 0; k < n; ++k) {
        const float sum = float(v[k]) + (bias ? bias[k] : 0.0f) + (add ? float(add[k]) : 0.0f);
        if (z) z[k] = stored<Y>(sum);
        y[k] = stored<Y>(act(sum));
    }
}

template <class V, class Y>
void epilogue_all(const EpilogueShape& s, const V* v, Y* y, const Epilogue& e)
{
    const float* bias = e.bias.as<float>();
    const Y* add = e.add.as<Y>();
    Y* z = e.z.as<Y>();
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

/// V: of v; Y: of out, add and saved.
template <class Y, class V, class Fn>
BIFRONS_CLONES void store_all(std::int64_t n, const V* v, const Y* add, const Y* saved, Y* out, const Fn& derivative)
{
    for (std::int64_t i = 0; i < n; ++i)
        out[i] = stored<Y>((saved ? derivative(float(saved[i])) : 1.0f) * (float(v[i]) + (add ? float(add[i]) : 0.0f)));
}

template <class Y, class V>
void store_run(const Store& s, std::int64_t begin, std::int64_t n, const V* v)
{
    const Y* add = s.add ? s.add.as<Y>() + begin : nullptr;
    const Y* saved = s.saved ? s.saved.as<Y>() + begin : nullptr;
    Y* out = s.out.as<Y>() + begin;
    with_derivative(s.act, [&](auto derivative) { store_all(n, v, add, saved, out, derivative); });
}

/// sum[k] += d[row, k]
template <class T>
BIFRONS_CLONES void add_rows(std::int64_t rows, std::int64_t K, const T* d, float* sum)
{
    for (std::int64_t row = 0; row < rows; ++row)
        for (std::int64_t k = 0; k < K; ++k) sum[k] += float(d[row * K + k]);
}

template <class T>
void bias_grad_all(std::int64_t rows, std::int64_t K, const T* d, float* db, bool accumulate, float* partial)
{
    // Partial sums of fixed blocks of rows, then the blocks in order: the same bits for any number of threads.
    const std::int64_t blocks = std::min<std::int64_t>(64, rows), grain = (rows + blocks - 1) / blocks;
    parallel_for(rows, grain, [&](std::int64_t begin, std::int64_t end) {
        float* sum = partial + begin / grain * K;
        std::fill_n(sum, K, 0.0f);
        add_rows(end - begin, K, d + begin * K, sum);
    });
    const std::int64_t used = (rows + grain - 1) / grain;
    for (std::int64_t k = 0; k < K; ++k) {
        float sum = accumulate ? db[k] : 0.0f;
        for (std::int64_t b = 0; b < used; ++b) sum += partial[b * K + k];
        db[k] = sum;
    }
}

} // namespace

void run(Exec, const EpilogueFwd& op)
{
    const EpilogueShape& s = op.s;
    const ConstView v = op.v;
    const View y = op.y;
    const Epilogue& e = op.e;
    if (v.dtype == DType::f64)
        return ref::epilogue_fwd(s, v.as<double>(), y.as<double>(), e.bias.as<double>(), e.add.as<double>(), e.act,
                                 e.z.as<double>(), e.shuffle);
    if (v.dtype == DType::bf16) return epilogue_all(s, v.as<bf16>(), y.as<bf16>(), e);
    if (y.dtype == DType::bf16) return epilogue_all(s, v.as<float>(), y.as<bf16>(), e);
    epilogue_all(s, v.as<float>(), y.as<float>(), e);
}

void store_gradient_run(const Store& s, std::int64_t begin, std::int64_t n, const float* v)
{
    if (s.out.dtype == DType::bf16) return store_run<bf16>(s, begin, n, v);
    store_run<float>(s, begin, n, v);
}

void store_gradient_run(const Store& s, std::int64_t begin, std::int64_t n, const bf16* v)
{
    store_run<bf16>(s, begin, n, v);
}

void store_gradient_run(const Store& s, std::int64_t begin, std::int64_t n, const double* v)
{
    ref::store_gradient(n, v, s.out.as<double>() + begin, s.add ? s.add.as<double>() + begin : nullptr, s.act,
                        s.saved ? s.saved.as<double>() + begin : nullptr);
}

void run(Exec, const StoreGradient& op)
{
    on_type<float, bf16, double>(op.v.dtype, [&]<class T>() {
        parallel_for(op.n, kGrain, [&](std::int64_t begin, std::int64_t end) {
            store_gradient_run(op.s, begin, end - begin, op.v.as<T>() + begin);
        });
    });
}

void run(Exec, const Unshuffle& op)
{
    const EpilogueShape& s = op.s;
    const std::int64_t run_bytes = s.K / op.f * std::int64_t(dtype_bytes(op.d.dtype));
    const char* dy = static_cast<const char*>(op.dy.data);
    char* d = static_cast<char*>(op.d.data);
    parallel_for(s.N * s.P * s.Q, std::max<std::int64_t>(1, kGrain / s.K), [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t pixel = begin; pixel < end; ++pixel) {
            const std::int64_t q = pixel % s.Q, row = pixel / s.Q;
            for (int i = 0; i < op.f; ++i)
                std::memcpy(d + (pixel * op.f + i) * run_bytes, dy + ((row * op.f + i) * s.Q + q) * run_bytes,
                            std::size_t(run_bytes));
        }
    });
}

void run(Exec ex, const BiasGrad& op)
{
    if (op.d.dtype == DType::f64)
        return ref::bias_grad(op.rows, op.K, op.d.as<double>(), op.db.as<double>(), op.accumulate);
    float *db = op.db.as<float>(), *partial = static_cast<float*>(ex.workspace.data);
    if (op.d.dtype == DType::bf16) return bias_grad_all(op.rows, op.K, op.d.as<bf16>(), db, op.accumulate, partial);
    bias_grad_all(op.rows, op.K, op.d.as<float>(), db, op.accumulate, partial);
}

} // namespace bifrons::kernels::cpu
