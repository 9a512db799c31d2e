// kernels/optim/global_norm.cu - the norm of all gradients. Limit: memory bandwidth.
#include "kernels/device/packet.cuh"
#include "kernels/device/simt.h"
#include "kernels/optim/global_norm.h"

namespace bifrons::kernels::BIFRONS_SIMT_NS {

namespace {

template <int N>
struct Squares {
    std::int64_t n;
    const float* g;
    __device__ double operator()(std::int64_t packet) const
    {
        double sum = 0;
        in_packet<N>(packet * N, n, [&]<int M>(std::int64_t i) {
            float v[M];
            load_packet(g + i, v);
            for (const float element : v) sum += double(element) * element;
        });
        return sum;
    }
};

struct StoreRoot {
    float* norm;
    __device__ void operator()(double sum) const { *norm = float(std::sqrt(sum)); }
};

} // namespace

void run(Exec ex, const GlobalNorm& op)
{
    on_packets<float>({op.g}, [&]<int N>() {
        grid_sum(op.kName, ex, (op.n + N - 1) / N, Squares<N>{op.n, op.g.as<float>()}, StoreRoot{op.norm.as<float>()});
    });
}

} // namespace bifrons::kernels::BIFRONS_SIMT_NS
