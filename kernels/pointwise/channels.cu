// kernels/pointwise/channels.cu - joining and splitting channels. A packet of neighbours a thread. Limit: memory
// bandwidth.
#include "kernels/pointwise/channels.h"

#include "kernels/device/simt.h"
#include "kernels/device/storage.h"
#include "kernels/pointwise/store.cuh"

#include <numeric>

namespace bifrons::kernels::BIFRONS_SIMT_NS {

namespace {

template <class T, int N>
__global__ void __launch_bounds__(kBlockSize) concat_channels_kernel(ChannelsShape s, const T* a, const T* b, T* y)
{
    wait_for_previous_kernel();
    const std::int64_t i = global_thread() * N;
    if (i >= s.size()) return;
    const auto [row, c] = packet_row<N>(s.A + s.B);
    float v[N];
    load_packet(c < s.A ? a + row * s.A + c : b + row * s.B + (c - s.A), v);
    store_packet(y + i, v);
}

// y may be a part of a store.
template <class T, int N>
__global__ void __launch_bounds__(kBlockSize)
    split_channels_kernel(ChannelsShape s, const T* y, GradientStore<T> da, GradientStore<T> db)
{
    wait_for_previous_kernel();
    const std::int64_t i = global_thread() * N;
    if (i >= s.size()) return;
    const auto [row, c] = packet_row<N>(s.A + s.B);
    const bool in_a = c < s.A;
    if (!(in_a ? da : db).out) return;
    float v[N];
    load_packet(y + i, v);
    if (in_a)
        da.store(row * s.A + c, v);
    else
        db.store(row * s.B + c - s.A, v);
}

} // namespace

void concat_channels(Exec ex, const ChannelsShape& s, ConstView a, ConstView b, View y)
{
    on_storage("concat_channels", y.dtype, [&]<class T>() {
        on_packets<T>(std::gcd(s.A, s.B), {a, b, y}, [&]<int N>() {
            launch("concat_channels", concat_channels_kernel<T, N>, grid_of_packets<N>(s.size()), ex, s, a.as<T>(),
                   b.as<T>(), y.as<T>());
        });
    });
}

void split_channels(Exec ex, const ChannelsShape& s, ConstView y, const Store& da, const Store& db)
{
    on_storage("split_channels", y.dtype, [&]<class T>() {
        on_packets<T>(std::gcd(s.A, s.B), {y, da.out, da.add, da.saved, db.out, db.add, db.saved}, [&]<int N>() {
            launch("split_channels", split_channels_kernel<T, N>, grid_of_packets<N>(s.size()), ex, s, y.as<T>(),
                   GradientStore<T>(da), GradientStore<T>(db));
        });
    });
}

} // namespace bifrons::kernels::BIFRONS_SIMT_NS
