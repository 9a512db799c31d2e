// kernels/conv2d/depthwise.cu - a packet of channels of one output pixel a thread. Limit: memory bandwidth; neighbours'
// windows overlap in the cache.
#include "kernels/conv2d/depthwise.h"

#include "kernels/device/packet.cuh"
#include "kernels/device/simt.h"

namespace bifrons::kernels::BIFRONS_SIMT_NS {

namespace {

template <int N>
__global__ void __launch_bounds__(kBlockSize)
    depthwise_kernel(DepthwiseShape s, std::int64_t P, std::int64_t Q, const float* x, const float* w,
                     const float* bias, float* y)
{
    wait_for_previous_kernel();
    const std::int64_t i = global_thread() * N;
    if (i >= s.N * P * Q * s.C) return;
    const auto [n, p, q, c] = packet_place<N>(P, Q, s.C);
    const int top = int(p * s.stride - s.before(s.H)), left = int(q * s.stride - s.before(s.W));
    float sum[N] = {};
    if (bias) load_packet(bias + c, sum);
    for (int r = 0; r < int(s.window); ++r)
        for (int column = 0; column < int(s.window); ++column) {
            const int h = top + r, v = left + column;
            if (h < 0 || h >= int(s.H) || v < 0 || v >= int(s.W)) continue;
            float a[N], b[N];
            load_packet(x + ((n * s.H + h) * s.W + v) * s.C + c, a);
            load_packet(w + (r * s.window + column) * s.C + c, b);
            for (int k = 0; k < N; ++k) sum[k] += a[k] * b[k];
        }
    store_packet(y + i, sum);
}

} // namespace

void run(Exec ex, const Depthwise& op)
{
    const DepthwiseShape& s = op.s;
    on_packets<float>(s.C, {op.x, op.w, op.bias, op.y}, [&]<int N>() {
        launch(op.kName, depthwise_kernel<N>, grid_of_packets<N>(s.y_size()), ex, s, s.P(), s.Q(), op.x.as<float>(),
               op.w.as<float>(), op.bias.as<float>(), op.y.as<float>());
    });
}

} // namespace bifrons::kernels::BIFRONS_SIMT_NS
