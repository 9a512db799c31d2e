// kernels/pointwise/cast.cu - a copy in another element type. Limit: memory bandwidth.
#include "kernels/pointwise/cast.h"

#include "kernels/device/packet.cuh"
#include "kernels/device/simt.h"

namespace bifrons::kernels::BIFRONS_SIMT_NS {

namespace {

template <class From, class To, int N>
__global__ void __launch_bounds__(kBlockSize)
    cast_kernel(std::int64_t n, const From* __restrict__ x, To* __restrict__ y)
{
    in_packets<N>(n, [&]<int M>(std::int64_t i) {
        float v[M];
        load(x + i, v);
        store(y + i, v);
    });
}

template <class From, class To>
void launch_cast(Exec ex, std::int64_t n, const From* x, To* y)
{
    on_packets<bf16>({x, y},
                     [&]<int N>() { launch("cast", cast_kernel<From, To, N>, grid_of_packets<N>(n), ex, n, x, y); });
}

} // namespace

void cast(Exec ex, std::int64_t n, ConstView x, View y)
{
    BIFRONS_CHECK(shape, x.dtype != DType::f64 && y.dtype != DType::f64, "cast: f64 is for the cpu device");
    if (x.dtype == DType::bf16) return launch_cast(ex, n, x.as<bf16>(), y.as<float>());
    launch_cast(ex, n, x.as<float>(), y.as<bf16>());
}

} // namespace bifrons::kernels::BIFRONS_SIMT_NS
