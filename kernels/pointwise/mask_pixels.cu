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

void mask_pixels(Exec ex, const MaskShape& s, ConstView x, ConstView m, const Store& d)
{
    const std::int64_t n = s.rows * s.C;
    BIFRONS_CHECK(shape, n >> 32 == 0, "mask_pixels: ", n, " elements; expected fewer than 2^32");
    on_packets<float>({x, d.out, d.add, d.saved}, [&]<int N>() {
        launch("mask_pixels", mask_pixels_kernel<N>, grid_of_packets<N>(n), ex, s, x.as<float>(), m.as<float>(),
               GradientStore<float>(d));
    });
}

} // namespace bifrons::kernels::BIFRONS_SIMT_NS
