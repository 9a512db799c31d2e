#include "kernels/color/color.h"

#include "kernels/base/parallel.h"
#include "kernels/color/color_ref.h"

namespace bifrons::kernels::cpu {

namespace {

constexpr std::int64_t kGrain = 4096;

/// body(i) for i in [0, n), on all threads.
template <class Body>
void for_pixels(std::int64_t n, const Body& body)
{
    parallel_for(n, kGrain, [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t i = begin; i < end; ++i) body(i);
    });
}

/// Sum of body(i), in double.
template <class Body>
double sum_of(std::int64_t n, const Body& body)
{
    return parallel_sum(n, [&](std::int64_t begin, std::int64_t end) {
        double sum = 0;
        for (std::int64_t i = begin; i < end; ++i) sum += body(i);
        return sum;
    });
}

void bgr_to_lab(std::int64_t n, const float* bgr, float* lab)
{
    for_pixels(n, [&](std::int64_t i) { pixel_to_lab(bgr + 3 * i, lab + 3 * i); });
}

void statistics_of(std::int64_t n, const float* x, const float* mask, float* statistics)
{
    const double weight = sum_of(n, [&](std::int64_t i) { return double(mask[i]); });
    for (int c = 0; c < 3; ++c) {
        const double sum = sum_of(n, [&](std::int64_t i) { return double(mask[i]) * double(x[3 * i + c]); });
        const double mean = weight > 0 ? sum / weight : 0;
        const double squares = sum_of(n, [&](std::int64_t i) {
            const double d = double(x[3 * i + c]) - mean;
            return double(mask[i]) * d * d;
        });
        statistics[c] = float(mean);
        statistics[3 + c] = weight > 0 ? float(std::sqrt(squares / weight)) : 0.0f;
    }
}

} // namespace

void run(Exec, const BgrToLab& op)
{
    bgr_to_lab(op.n, op.bgr.as<float>(), op.lab.as<float>());
}

void run(Exec, const LabToBgr& op)
{
    const float* lab = op.lab.as<float>();
    float* bgr = op.bgr.as<float>();
    for_pixels(op.n, [&](std::int64_t i) { pixel_from_lab(lab + 3 * i, bgr + 3 * i); });
}

void run(Exec, const ColorStatistics& op)
{
    statistics_of(op.n, op.x.as<float>(), op.mask.as<float>(), op.statistics.as<float>());
}

void run(Exec ex, const ColorTransfer& op)
{
    const std::int64_t n = op.n;
    const float* x = op.x.as<float>();
    const float* mask = op.mask.as<float>();
    float *out = op.out.as<float>(), *lab = static_cast<float*>(ex.workspace.data);
    float from[6], to[6], scale[3], shift[3];
    bgr_to_lab(n, op.target.as<float>(), lab);
    statistics_of(n, lab, mask, to);
    bgr_to_lab(n, x, lab);
    statistics_of(n, lab, mask, from);
    ref::transfer_line(from, to, scale, shift);
    const bool empty = sum_of(n, [&](std::int64_t i) { return double(mask[i]); }) == 0;
    for_pixels(n, [&](std::int64_t i) {
        ref::transfer_pixel(x + 3 * i, lab + 3 * i, scale, shift, empty ? 0.0f : op.alpha, out + 3 * i);
    });
}

void run(Exec ex, const LightTransfer& op)
{
    const LightShape& s = op.s;
    const float *x = op.x.as<float>(), *target = op.target.as<float>(), *mask = op.mask.as<float>();
    float *out = op.out.as<float>(), *scratch = static_cast<float*>(ex.workspace.data);
    const std::int64_t n = s.pixels();
    float *luma_x = scratch, *luma_target = scratch + n, *weight = scratch + 2 * n;
    for_pixels(n, [&](std::int64_t i) {
        weight[i] = mask[i];
        luma_x[i] = mask[i] * ref::luma(x + 3 * i);
        luma_target[i] = mask[i] * ref::luma(target + 3 * i);
    });
    for (float* plane : {luma_x, luma_target, weight})
        gaussian_blur(BlurShape{s.H, s.W, 1, s.sigma}, plane, plane, scratch + 3 * n);
    for_pixels(n, [&](std::int64_t i) {
        const float gain = ref::light_gain(weight[i], luma_x[i], luma_target[i], op.beta);
        for (std::int64_t c = 0; c < 3; ++c) out[3 * i + c] = x[3 * i + c] * gain;
    });
}

} // namespace bifrons::kernels::cpu
