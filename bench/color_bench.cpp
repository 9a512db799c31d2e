// bench/color_bench.cpp - fitting colours and light of a merged face, at the sizes of faces in a frame; and what they
// are made of.
#include "bench/op.h"
#include "kernels/color/color.h"
#include "kernels/color/gaussian_blur.h"
#include "kernels/color/match.h"

#include <random>

#if BIFRONS_HAS_OPENCV_PHOTO
#include <opencv2/imgproc.hpp>
#endif

namespace bifrons::bench {

namespace {

using Views = OpCase::Views;

Input uniform(std::int64_t n, std::uint32_t seed, float low)
{
    std::mt19937 random(seed);
    std::vector<float> values(std::size_t(n), 0.0f);
    for (float& v : values) v = low + (1 - low) * float(random() >> 8) / 16777216.0f;
    return {.values = std::move(values)};
}

std::vector<Input> operands(std::int64_t side)
{
    return {uniform(3 * side * side, 1, 0), uniform(3 * side * side, 2, 0.2f), uniform(side * side, 3, 0)};
}

OpCase transfer(std::int64_t side)
{
    const std::int64_t n = side * side;
    return {.in = operands(side),
            .out = {{3 * n, DType::f32}},
            .run =
                [=](Exec ex, const Views& in, const Views& out) {
                    kernels::run(ex, kernels::ColorTransfer{n, in[0], in[1], in[2], 0.8f, out[0]});
                },
            .error = 1e-4};
}

OpCase light(std::int64_t side)
{
    const kernels::LightShape s{side, side, float(side) / 16};
    return {.in = operands(side),
            .out = {{3 * s.pixels(), DType::f32}},
            .run =
                [=](Exec ex, const Views& in, const Views& out) {
                    kernels::run(ex, kernels::LightTransfer{s, in[0], in[1], in[2], 0.8f, out[0]});
                },
            .error = 1e-4};
}

OpCase match(std::int64_t side, kernels::ColorMatch kind)
{
    const kernels::MatchShape s{.H = side, .W = side, .kind = kind};
    return {.in = operands(side),
            .out = {{3 * s.pixels(), DType::f32}},
            .run =
                [=](Exec ex, const Views& in, const Views& out) {
                    kernels::run(ex, kernels::MatchColors{s, in[0], in[1], in[2], nullptr, out[0]});
                },
            .error = 1e-4};
}

OpCase to_lab(std::int64_t side)
{
    const std::int64_t n = side * side;
    return {.in = operands(side),
            .out = {{3 * n, DType::f32}},
            .run =
                [=](Exec ex, const Views& in, const Views& out) {
                    kernels::run(ex, kernels::BgrToLab{n, in[0], out[0]});
                },
            .error = 4e-4}; // color.h
}

OpCase statistics(std::int64_t side)
{
    const std::int64_t n = side * side;
    return {.in = operands(side), .out = {{6, DType::f32}}, .run = [=](Exec ex, const Views& in, const Views& out) {
                kernels::run(ex, kernels::ColorStatistics{n, in[0], in[2], out[0]});
            }};
}

#if BIFRONS_HAS_OPENCV_PHOTO
/// OpenCV's blur of as many taps, beside which rims differ: it has no zeros there.
Side opencv_blur(const kernels::BlurShape& s, int threads)
{
    cv::setNumThreads(threads);
    const std::vector<float> values = uniform(s.size(), 1, 0).values;
    const cv::Mat from = cv::Mat(int(s.H), int(s.W), CV_32FC3, const_cast<float*>(values.data())).clone();
    const int taps = 2 * s.radius() + 1;
    return {.name = str("OpenCV ", CV_VERSION, ", ", cv::getNumThreads(), " threads"),
            .run =
                [=, to = cv::Mat()](Exec, int) mutable {
                    cv::GaussianBlur(from, to, {taps, taps}, double(s.sigma), double(s.sigma), cv::BORDER_REPLICATE);
                },
            .how = Side::How::host};
}
#endif

Work blur(Bench& bench, std::int64_t side)
{
    const kernels::BlurShape s{.H = side, .W = side, .C = 3, .sigma = float(side) / 16};
    Work work = op_work(bench, {.in = {uniform(s.size(), 1, 0)},
                                .out = {{s.size(), DType::f32}},
                                .run =
                                    [=](Exec ex, const Views& in, const Views& out) {
                                        kernels::run(ex, kernels::GaussianBlur{s, in[0], out[0]});
                                    },
                                .error = 1e-5});
    work.peers.clear();
#if BIFRONS_HAS_OPENCV_PHOTO
    const kernels::Target target = bench.device().target();
    work.peers.push_back(opencv_blur(s, target.kind == kernels::DeviceKind::cpu ? target.threads : -1));
#else
    work.absent.push_back("OpenCV: not built in (libopencv-photo-dev)");
#endif
    return work;
}

} // namespace

void add_color(const Grid& grid, Cases& cases)
{
    using kernels::ColorMatch;
    for (const std::int64_t side : {256, 512, 1024}) {
        if (grid.options.quick && side != 512) continue;
        const auto add = [&](const char* family, const std::string& what, const std::function<Work(Bench&)>& make) {
            cases.push_back({family, str(what, side, "x", side), {}, 0, "", "f32", make});
        };
        add("color_transfer", "", [=](Bench& bench) { return op_work(bench, transfer(side)); });
        add("light_transfer", "", [=](Bench& bench) { return op_work(bench, light(side)); });
        add("bgr_to_lab", "", [=](Bench& bench) { return op_work(bench, to_lab(side)); });
        add("color_statistics", "", [=](Bench& bench) { return op_work(bench, statistics(side)); });
        add("gaussian_blur", "", [=](Bench& bench) { return blur(bench, side); });
        for (const auto& [name, kind] : {std::pair{"lct ", ColorMatch::lct},
                                         {"mkl ", ColorMatch::mkl},
                                         {"idt ", ColorMatch::idt},
                                         {"sot ", ColorMatch::sot}})
            if (side < 1024 && (!grid.options.quick || kind == ColorMatch::lct))
                add("color_match", name, [=, kind = kind](Bench& bench) { return op_work(bench, match(side, kind)); });
    }
}

} // namespace bifrons::bench
