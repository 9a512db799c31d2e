// kernels/pointwise/mask_pixels.cu - masked pictures. A packet of neighbours a thread. Limit: memory bandwidth.
#include "kernels/pointwise/mask_pixels.h"

#include "kernels/device/simt.h"
#include "kernels/pointwise/mask_pixels_ref.h"
#include "kernels/pointwise/store.cuh"

namespace bifrons::kernels::BIFRONS_SIMT_NS {

namespace {

template <int N>
__global__ void __launch_bounds__(kBlockSize)
    mask_pixels_kernel(MaskShape s, const float* x, const float* m, GradientStore<float> d)
{
    wait_for_previous_kernel();
    in_packets<N>(s.rows * s.C, [&]<int M>(std::int64_t i) {
        float v[M];
        load_packet(x + i, v);
        for (int k = 0; k < M; ++k) v[k] *= ref::mask_weight(s.side, m[unsigned(i + k) / unsigned(s.C)]);
        d.store(i, v);
    });
}

} // namespace

void run(Exec ex, const MaskPixels& op)
{
    const MaskShape& s = op.s;
    const std::int64_t n = s.rows * s.C;
    BIFRONS_CHECK(shape, n >> 32 == 0, "mask_pixels: ", n, " elements; expected fewer than 2^32");
    on_packets<float>({op.x, op.d.out, op.d.add, op.d.saved}, [&]<int N>() {
        launch(op.kName, mask_pixels_kernel<N>, grid_of_packets<N>(n), ex, s, op.x.as<float>(), op.m.as<float>(),
               GradientStore<float>(op.d));
    });
}

} // namespace bifrons::kernels::BIFRONS_SIMT_NS
