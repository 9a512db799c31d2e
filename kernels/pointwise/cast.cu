// kernels/pointwise/cast.cu - a copy in another element type. Limit: memory bandwidth.
#include "kernels/pointwise/cast.h"

#include "kernels/device/packet.cuh"
#include "kernels/device/simt.h"

namespace bifrons::kernels::BIFRONS_SIMT_NS {

namespace {

template <class From, class To, int N>
__global__ void __launch_bounds__(kBlockSize) cast_kernel(std::int64_t n, const From* x, To* y)
{
    wait_for_previous_kernel();
    in_packets<N>(n, [&]<int M>(std::int64_t i) {
        float v[M];
        load_packet(x + i, v);
        store_packet(y + i, v);
    });
}

template <class From, class To>
void launch_cast(Exec ex, std::int64_t n, ConstView x, View y)
{
    on_packets<bf16>({x, y}, [&]<int N>() {
        launch("cast", cast_kernel<From, To, N>, grid_of_packets<N>(n), ex, n, x.as<From>(), y.as<To>());
    });
}

} // namespace

void run(Exec ex, const Cast& op)
{
    if (op.x.dtype == DType::bf16) return launch_cast<bf16, float>(ex, op.n, op.x, op.y);
    launch_cast<float, bf16>(ex, op.n, op.x, op.y);
}

} // namespace bifrons::kernels::BIFRONS_SIMT_NS
