#include "kernels/pointwise/channels.h"

#include "kernels/base/on_type.h"
#include "kernels/base/parallel.h"
#include "kernels/pointwise/epilogue_cpu.h"

namespace bifrons::kernels::cpu {

namespace {

constexpr std::int64_t kGrain = 16384;

template <class T>
void concat(const ChannelsShape& s, const T* a, const T* b, T* y)
{
    const std::int64_t K = s.A + s.B;
    parallel_for(s.rows, std::max<std::int64_t>(1, kGrain / K), [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t row = begin; row < end; ++row) {
            std::copy_n(a + row * s.A, s.A, y + row * K);
            std::copy_n(b + row * s.B, s.B, y + row * K + s.A);
        }
    });
}

/// Channels first .. first+n of y.
template <class T>
void split(const ChannelsShape& s, std::int64_t first, std::int64_t n, const T* y, const Store& d)
{
    if (!d.out) return;
    const std::int64_t K = s.A + s.B;
    parallel_for(s.rows, std::max<std::int64_t>(1, kGrain / K), [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t row = begin; row < end; ++row) store_gradient_run(d, row * n, n, y + row * K + first);
    });
}

template <class T>
void split_both(const ChannelsShape& s, const T* y, const Store& da, const Store& db)
{
    split(s, 0, s.A, y, da);
    split(s, s.A, s.B, y, db);
}

} // namespace

void run(Exec, const ConcatChannels& op)
{
    on_type<float, bf16, double>(op.y.dtype,
                                 [&]<class T>() { concat(op.s, op.a.as<T>(), op.b.as<T>(), op.y.as<T>()); });
}

void run(Exec, const SplitChannels& op)
{
    on_type<float, bf16, double>(op.y.dtype, [&]<class T>() { split_both(op.s, op.y.as<T>(), op.da, op.db); });
}

} // namespace bifrons::kernels::cpu
