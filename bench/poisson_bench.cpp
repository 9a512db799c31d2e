// bench/poisson_bench.cpp - gradient-domain blending on the cpu device beside cv::seamlessClone with as many threads.
//
// Counters: ours_ms and opencv_ms are the least of the iterations, which alternate in order; ratio = opencv / ours.
#include "kernels/poisson/poisson.h"

#include <benchmark/benchmark.h>

#include <chrono>
#include <cmath>
#include <vector>

#if BIFRONS_HAS_OPENCV_PHOTO
#include <opencv2/photo.hpp>
#endif

namespace {

using namespace bifrons::kernels;
using Bytes = std::vector<std::uint8_t>;

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

template <class Fn>
double milliseconds(const Fn& fn)
{
    const auto begin = std::chrono::steady_clock::now();
    fn();
    return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - begin).count();
}

/// Runs `ours` and `theirs` in alternating order.
template <class Ours, class Theirs>
void compare(benchmark::State& state, const Ours& ours, const Theirs& theirs)
{
    double our_least = 1e300, their_least = 1e300;
    bool we_begin = true;
    for (auto _ : state) {
        if (!we_begin) their_least = std::min(their_least, milliseconds(theirs));
        const double ms = milliseconds(ours);
        if (we_begin) their_least = std::min(their_least, milliseconds(theirs));
        our_least = std::min(our_least, ms);
        state.SetIterationTime(ms / 1e3);
        we_begin = !we_begin;
    }
    state.counters["ours_ms"] = our_least;
    state.counters["opencv_ms"] = their_least;
    state.counters["ratio"] = their_least / our_least;
}

/// The device with its scratch; freed with it.
struct Bench {
    Bench(int threads, std::size_t scratch) : device(open_device(bifrons::str("cpu:", threads))), bytes(scratch)
    {
        data = device->allocate(scratch);
    }
    ~Bench() { device->free(data); }
    Exec exec() { return {device.get(), {}, {data, bytes}}; }

    std::unique_ptr<Device> device;
    std::size_t bytes;
    void* data;
};

View view(Bytes& values)
{
    return {values.data(), DType::u8};
}

#if BIFRONS_HAS_OPENCV_PHOTO
cv::Mat framed(Bytes& values, int n, int channels)
{
    cv::Mat outer;
    cv::copyMakeBorder(cv::Mat(n, n, CV_8UC(channels), values.data()), outer, 1, 1, 1, 1, cv::BORDER_CONSTANT);
    return outer;
}

void poisson_rect_vs_opencv(benchmark::State& state)
{
    const std::int64_t n = state.range(0);
    const int threads = int(state.range(1));
    const PoissonShape s{n, n, 3};
    Bytes source = picture(n, 1), target = picture(n, 2), mask = ellipse(n), out(source.size());
    Bench bench(threads, poisson_clone_rect_cost(s, {}).workspace_bytes);
    cv::setNumThreads(threads);
    // OpenCV drops a mask's outermost pixels and looks around it, so it is given a pixel more on each side.
    const cv::Mat their_source = framed(source, int(n), 3), their_target = framed(target, int(n), 3),
                  their_mask = framed(mask, int(n), 1);
    cv::Mat blend;
    const auto ours = [&] {
        poisson_clone_rect(bench.exec(), s, view(source), view(target), view(mask), view(out));
        bench.device->synchronize({});
    };
    const auto theirs = [&] {
        cv::seamlessClone(their_source, their_target, their_mask, cv::Point(1 + int(n) / 2, 1 + int(n) / 2), blend,
                          cv::NORMAL_CLONE);
    };
    compare(state, ours, theirs);
}

/// The sizes of the comparison; OpenCV's are slow, so large ones run a few times only.
void sizes(benchmark::internal::Benchmark* b, std::initializer_list<int> all, int iterations)
{
    for (const int n : all)
        for (const int threads : {1, 2}) b->Args({n, threads});
    b->ArgNames({"size", "threads"})->UseManualTime()->Unit(benchmark::kMillisecond)->Iterations(iterations);
}
BENCHMARK(poisson_rect_vs_opencv)->Apply([](auto* b) { sizes(b, {128, 129, 256}, 40); });
BENCHMARK(poisson_rect_vs_opencv)->Apply([](auto* b) { sizes(b, {512, 513, 1024, 1025}, 6); });
BENCHMARK(poisson_rect_vs_opencv)->Apply([](auto* b) { sizes(b, {1022, 2048}, 2); });
#endif

/// Dirichlet values on the mask's own edge, source gradients inside: what merging runs.
void poisson_mask(benchmark::State& state)
{
    const std::int64_t n = state.range(0);
    const PoissonShape s{n, n, 3};
    const Bytes source = picture(n, 1), target = picture(n, 2);
    Bytes mask = ellipse(n);
    std::vector<float> from(source.begin(), source.end()), first(target.begin(), target.end());
    for (std::size_t i = 0; i < first.size(); ++i)
        if (mask[i / 3]) first[i] = from[i];
    std::vector<float> divergence(first.size()), f;
    Bench bench(int(state.range(1)), poisson_solve_cost(s, {}).workspace_bytes);
    for (auto _ : state) {
        f = first;
        state.SetIterationTime(1e-3 * milliseconds([&] {
                                   const View d{divergence.data()};
                                   poisson_divergence(bench.exec(), s, ConstView{from.data()}, {}, {}, d);
                                   poisson_solve(bench.exec(), s, d, view(mask), 0.1f, View{f.data()});
                                   bench.device->synchronize({});
                               }));
    }
}
BENCHMARK(poisson_mask)
    ->ArgNames({"size", "threads"})
    ->ArgsProduct({{128, 129, 256, 512, 513, 1022, 1024, 1025, 2048}, {1, 2}})
    ->UseManualTime()
    ->Unit(benchmark::kMillisecond);

} // namespace
