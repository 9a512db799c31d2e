// kernels/color/color_affine.cu - an affine map of colours. A pixel a thread. Limit: memory bandwidth.
#include "kernels/color/color_affine.h"

#include "kernels/device/simt.h"
#include "kernels/device/storage.h"
#include "kernels/pointwise/store.cuh"

namespace bifrons::kernels::BIFRONS_SIMT_NS {

namespace {

/// The map in f32.
struct Map {
    float A[3][3], b[3];

    explicit Map(const ColorAffine& map)
    {
        for (int k = 0; k < 3; ++k) {
            b[k] = float(map.b[k]);
            for (int j = 0; j < 3; ++j) A[k][j] = float(map.A[k][j]);
        }
    }
};

template <class T>
__global__ void __launch_bounds__(kBlockSize)
    color_affine_kernel(std::int64_t pixels, Map map, const float* x, const float* mask, T* y)
{
    wait_for_previous_kernel();
    const std::int64_t i = global_thread();
    if (i >= pixels) return;
    const float m = mask ? mask[i] : 1.0f, x0 = x[3 * i], x1 = x[3 * i + 1], x2 = x[3 * i + 2];
    for (int k = 0; k < 3; ++k)
        y[3 * i + k] = from_f32<T>(m * (map.A[k][0] * x0 + map.A[k][1] * x1 + map.A[k][2] * x2) + map.b[k]);
}

template <class T>
__global__ void __launch_bounds__(kBlockSize)
    color_affine_grad_kernel(std::int64_t pixels, Map map, const T* dy, const float* mask, GradientStore<float> d)
{
    wait_for_previous_kernel();
    const std::int64_t i = global_thread();
    if (i >= pixels) return;
    const float m = mask ? mask[i] : 1.0f;
    const float d0 = to_f32(dy[3 * i]), d1 = to_f32(dy[3 * i + 1]), d2 = to_f32(dy[3 * i + 2]);
    for (int j = 0; j < 3; ++j) d.store(3 * i + j, m * (map.A[0][j] * d0 + map.A[1][j] * d1 + map.A[2][j] * d2));
}

} // namespace

void run(Exec ex, const ColorAffineFwd& op)
{
    on_storage(op.kName, op.y.dtype, [&]<class T>() {
        launch(op.kName, color_affine_kernel<T>, grid_1d(op.pixels), ex, op.pixels, Map(op.map), op.x.as<float>(),
               op.mask.as<float>(), op.y.as<T>());
    });
}

void run(Exec ex, const ColorAffineGrad& op)
{
    on_storage(op.kName, op.dy.dtype, [&]<class T>() {
        launch(op.kName, color_affine_grad_kernel<T>, grid_1d(op.pixels), ex, op.pixels, Map(op.map), op.dy.as<T>(),
               op.mask.as<float>(), GradientStore<float>(op.d));
    });
}

} // namespace bifrons::kernels::BIFRONS_SIMT_NS
