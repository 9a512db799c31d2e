// kernels/pointwise/prelu.cu - a packet of channels a thread. Limit: memory bandwidth.
#include "kernels/pointwise/prelu.h"

#include "kernels/device/packet.cuh"
#include "kernels/device/simt.h"
#include "kernels/pointwise/prelu_ref.h"

#include <numeric>

namespace bifrons::kernels::BIFRONS_SIMT_NS {

namespace {

template <int N>
__global__ void __launch_bounds__(kBlockSize)
    prelu_kernel(PreluShape s, const float* x, const float* add, const float* slope, float* y)
{
    wait_for_previous_kernel();
    const std::int64_t i = global_thread() * N;
    if (i >= s.rows * s.C) return;
    const auto [row, c] = packet_row<N>(s.C);
    float v[N], below[N];
    load_packet(x + i, v);
    load_packet(slope + c, below);
    if (c < s.A) add_packet(add + row * s.A + c, v);
    for (int k = 0; k < N; ++k) v[k] = ref::prelu(v[k], below[k]);
    store_packet(y + i, v);
}

} // namespace

void run(Exec ex, const Prelu& op)
{
    const PreluShape& s = op.s;
    on_packets<float>(std::gcd(s.C, s.A), {op.x, op.add, op.slope, op.y}, [&]<int N>() {
        launch(op.kName, prelu_kernel<N>, grid_of_packets<N>(s.rows * s.C), ex, s, op.x.as<float>(), op.add.as<float>(),
               op.slope.as<float>(), op.y.as<float>());
    });
}

} // namespace bifrons::kernels::BIFRONS_SIMT_NS
