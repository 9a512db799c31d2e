// bench/poisson_bench.cpp - gradient-domain blending: OpenCV's equation beside cv::seamlessClone, which knows the
// processor only, and what merging runs, for which there is no exact peer.
#include "bench/op.h"
#include "kernels/device/plan_device.h"
#include "kernels/poisson/poisson_ref.h"

#include <cmath>

#if BIFRONS_HAS_OPENCV_PHOTO
#include <opencv2/photo.hpp>
#endif

namespace bifrons::bench {

namespace {

using kernels::PoissonShape;
using Bytes = std::vector<std::uint8_t>;
using Views = OpCase::Views;

/// A picture of grey waves with texture; every phase gives another one.
Bytes picture(std::int64_t n, double phase)
{
    Bytes values(std::size_t(n * n * 3));
    for (std::size_t i = 0; i < values.size(); ++i) {
        const double y = double(i) / 3 / double(n * n), x = double(std::int64_t(i) / 3 % n) / double(n);
        values[i] = std::uint8_t(128 + 70 * std::sin(3 * x + phase) * std::cos(2 * y - phase) +
                                 20 * std::sin(40 * x * y + phase) + double(i * 7919 % 23));
    }
    return values;
}

/// The ellipse that touches all four sides.
Bytes ellipse(std::int64_t n)
{
    Bytes mask(std::size_t(n * n));
    const double centre = 0.5 * double(n - 1), radius = 0.5 * double(n);
    for (std::int64_t i = 0; i < n * n; ++i)
        mask[std::size_t(i)] = std::hypot(double(i / n) - centre, double(i % n) - centre) <= radius ? 255 : 0;
    return mask;
}

#if BIFRONS_HAS_OPENCV_PHOTO
cv::Mat framed(Bytes values, int n, int channels)
{
    cv::Mat outer;
    cv::copyMakeBorder(cv::Mat(n, n, CV_8UC(channels), values.data()), outer, 1, 1, 1, 1, cv::BORDER_CONSTANT);
    return outer;
}

/// OpenCV drops a mask's outermost pixels and looks around it, so it is given a pixel more on each side.
Side seamless_clone(std::int64_t n, int threads)
{
    cv::setNumThreads(threads);
    const cv::Mat source = framed(picture(n, 1), int(n), 3), target = framed(picture(n, 2), int(n), 3),
                  mask = framed(ellipse(n), int(n), 1);
    const auto run = [=, blend = cv::Mat()](Exec, int) mutable {
        cv::seamlessClone(source, target, mask, cv::Point(1 + int(n) / 2, 1 + int(n) / 2), blend, cv::NORMAL_CLONE);
    };
    return {
        .name = str("OpenCV ", CV_VERSION, ", ", cv::getNumThreads(), " threads"), .run = run, .how = Side::How::host};
}
#endif

constexpr float kTolerance = 0.1f, kError = 5 * kTolerance; // each within 2.5 of the truth (poisson.h)

/// f, first `first`, from the divergence in out[0].
void solve_from(Exec ex, const PoissonShape& s, ConstView first, ConstView mask, const Views& out)
{
    ex.device->copy(ex.stream, out[1].data, first.data, std::size_t(s.size()) * sizeof(float));
    kernels::run(ex, kernels::PoissonSolve{s, out[0], mask, kTolerance, out[1]});
}

/// The equation of OpenCV's seamlessClone: the source counts as 0 where the mask is 0, the eroded mask mixes the
/// gradients, and the rectangle's edge is the target's. OpenCV's time contains that preparation and the truncation to
/// bytes, ours does not: passes over a byte or a float each, of the hundreds that a solution takes.
Work solve_mixed(Bench& bench, std::int64_t n)
{
    const PoissonShape s{n, n, 3};
    Bytes source = picture(n, 1);
    const Bytes target = picture(n, 2), mask = ellipse(n);
    for (std::size_t i = 0; i < source.size(); ++i)
        if (!mask[i / 3]) source[i] = 0;
    Work work = op_work(bench, {.in = {{.bytes = source},
                                       {.bytes = target},
                                       {.values = kernels::ref::eroded_mask<float>(s, mask.data())},
                                       {.values = {target.begin(), target.end()}}},
                                .out = {{s.size(), DType::f32}, {s.size(), DType::f32}},
                                .run =
                                    [s](Exec ex, const Views& in, const Views& out) {
                                        kernels::run(ex, kernels::PoissonDivergence{s, in[0], in[1], in[2], out[0]});
                                        solve_from(ex, s, in[3], {}, out);
                                    },
                                .error = kError});
    work.peers.clear();
#if BIFRONS_HAS_OPENCV_PHOTO
    const kernels::Target target_device = bench.device().target();
    work.peers.push_back(
        seamless_clone(n, target_device.kind == kernels::DeviceKind::cpu ? target_device.threads : -1));
#else
    work.absent.push_back("OpenCV: not built in (libopencv-photo-dev)");
#endif
    return work;
}

/// Source gradients inside the mask, the target's values on its edge.
Work solve_mask(Bench& bench, std::int64_t n)
{
    const PoissonShape s{n, n, 3};
    const Bytes source = picture(n, 1), target = picture(n, 2), mask = ellipse(n);
    std::vector<float> from(source.begin(), source.end()), first(target.begin(), target.end());
    for (std::size_t i = 0; i < first.size(); ++i)
        if (mask[i / 3]) first[i] = from[i];
    Work work = op_work(bench, {.in = {{.values = from}, {.values = first}, {.bytes = mask}},
                                .out = {{s.size(), DType::f32}, {s.size(), DType::f32}},
                                .run =
                                    [s](Exec ex, const Views& in, const Views& out) {
                                        kernels::run(ex, kernels::PoissonDivergence{s, in[0], {}, {}, out[0]});
                                        solve_from(ex, s, in[1], in[2], out);
                                    },
                                .error = kError});
    work.peers.clear();
    return work;
}

} // namespace

void add_poisson(const Grid& grid, Cases& cases)
{
    // A power of two and its neighbours: OpenCV's transform is of length 2 n - 2, and its factors decide its time.
    for (const std::int64_t n : {128, 129, 256, 512, 513, 1022, 1024, 1025, 2048}) {
        if (grid.options.quick && n != 256 && n != 513) continue;
        const std::string what = str(n, "x", n);
        cases.push_back({"poisson_mixed", what, {}, 0, "", "f32", [=](Bench& bench) { return solve_mixed(bench, n); }});
        cases.push_back({"poisson_mask", what, {}, 0, "", "f32", [=](Bench& bench) { return solve_mask(bench, n); }});
    }
}

} // namespace bifrons::bench
