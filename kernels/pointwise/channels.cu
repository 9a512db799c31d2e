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

void run(Exec ex, const ConcatChannels& op)
{
    const ChannelsShape& s = op.s;
    on_storage(op.kName, op.y.dtype, [&]<class T>() {
        on_packets<T>(std::gcd(s.A, s.B), {op.a, op.b, op.y}, [&]<int N>() {
            launch(op.kName, concat_channels_kernel<T, N>, grid_of_packets<N>(s.size()), ex, s, op.a.as<T>(),
                   op.b.as<T>(), op.y.as<T>());
        });
    });
}

void run(Exec ex, const SplitChannels& op)
{
    const ChannelsShape& s = op.s;
    on_storage(op.kName, op.y.dtype, [&]<class T>() {
        on_packets<T>(std::gcd(s.A, s.B), {op.y, op.da.out, op.da.add, op.da.saved, op.db.out, op.db.add, op.db.saved},
                      [&]<int N>() {
                          launch(op.kName, split_channels_kernel<T, N>, grid_of_packets<N>(s.size()), ex, s,
                                 op.y.as<T>(), GradientStore<T>(op.da), GradientStore<T>(op.db));
                      });
    });
}

} // namespace bifrons::kernels::BIFRONS_SIMT_NS
