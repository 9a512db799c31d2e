// kernels/pointwise/depth_to_space.cu - pixel shuffle. A packet of y's channels a thread: in the order dcr they are
// neighbours in x too; in the order crd packets are single elements. Limit: memory bandwidth.
#include "kernels/pointwise/depth_to_space.h"

#include "kernels/device/simt.h"
#include "kernels/device/storage.h"
#include "kernels/pointwise/store.cuh"

namespace bifrons::kernels::BIFRONS_SIMT_NS {

namespace {

/// The element of x that is the first of this thread's packet of y.
template <int N>
__device__ std::int64_t depth_index(const DepthToSpaceShape& s)
{
    const unsigned f = unsigned(s.factor);
    const auto [n, p, q, c] = packet_place<N>(f * s.H, f * s.W, s.C);
    const unsigned h = unsigned(p) / f, w = unsigned(q) / f, block = (unsigned(p) - h * f) * f + unsigned(q) - w * f;
    const std::int64_t channel = s.order == ShuffleOrder::dcr ? block * s.C + c : c * f * f + block;
    return ((n * s.H + h) * s.W + w) * f * f * s.C + channel;
}

template <class T, int N>
__global__ void __launch_bounds__(kBlockSize) depth_to_space_kernel(DepthToSpaceShape s, const T* x, T* y)
{
    wait_for_previous_kernel();
    const std::int64_t i = global_thread() * N;
    if (i >= s.size()) return;
    float v[N];
    load_packet(x + depth_index<N>(s), v);
    store_packet(y + i, v);
}

template <class T, int N>
__global__ void __launch_bounds__(kBlockSize) space_to_depth_kernel(DepthToSpaceShape s, const T* y, GradientStore<T> d)
{
    wait_for_previous_kernel();
    const std::int64_t i = global_thread() * N;
    if (i >= s.size()) return;
    float v[N];
    load_packet(y + i, v);
    d.store(depth_index<N>(s), v);
}

/// Channels that are neighbours on both sides.
std::int64_t run_length(const DepthToSpaceShape& s)
{
    return s.order == ShuffleOrder::dcr ? s.C : 1;
}

} // namespace

void run(Exec ex, const DepthToSpace& op)
{
    const DepthToSpaceShape& s = op.s;
    on_storage(op.kName, op.x.dtype, [&]<class T>() {
        on_packets<T>(run_length(s), {op.x, op.y}, [&]<int N>() {
            launch(op.kName, depth_to_space_kernel<T, N>, grid_of_packets<N>(s.size()), ex, s, op.x.as<T>(),
                   op.y.as<T>());
        });
    });
}

void run(Exec ex, const SpaceToDepth& op)
{
    const DepthToSpaceShape& s = op.s;
    on_storage(op.kName, op.y.dtype, [&]<class T>() {
        on_packets<T>(run_length(s), {op.y, op.d.out, op.d.add, op.d.saved}, [&]<int N>() {
            launch(op.kName, space_to_depth_kernel<T, N>, grid_of_packets<N>(s.size()), ex, s, op.y.as<T>(),
                   GradientStore<T>(op.d));
        });
    });
}

} // namespace bifrons::kernels::BIFRONS_SIMT_NS
