#include "kernels/poisson/poisson.h"

#include "kernels/poisson/poisson_ref.h"
#include "tests/support/devices.h"
#include "tests/support/numerics.h"

#include <Eigen/SparseCholesky>

#if BIFRONS_HAS_OPENCV_PHOTO
#include <opencv2/photo.hpp>
#endif

using namespace bifrons;
using namespace bifrons::kernels;
using namespace bifrons::test;

namespace {

using Mask = std::vector<std::uint8_t>;
constexpr float kTolerance = 0.1f; // grey levels; poisson.h promises 2.5 times that

class PoissonTest : public OnDevice {
  protected:
    /// Where larger pictures would take too long. One block has 66 x 66 px of a channel at most, so that those of
    /// 150 x 125 are solved by several on two levels.
    bool simulated()
    {
        const std::string is = device().device().describe();
        return is.rfind("sim", 0) == 0 || is.find("emulated") != is.npos;
    }
};
BIFRONS_ON_ALL_DEVICES(PoissonTest);

/// Pixels with wanted(y, x) true.
template <class Fn>
Mask mask_of(const PoissonShape& s, const Fn& wanted)
{
    Mask mask(std::size_t(s.pixels()));
    for (std::int64_t i = 0; i < s.pixels(); ++i) mask[std::size_t(i)] = wanted(i / s.W, i % s.W) ? 255 : 0;
    return mask;
}

/// An ellipse with a wavy edge, as a face's mask.
Mask face_mask(const PoissonShape& s)
{
    return mask_of(s, [&](std::int64_t y, std::int64_t x) {
        const double v = (double(y) - 0.5 * double(s.H)) / (0.46 * double(s.H));
        const double u = (double(x) - 0.5 * double(s.W)) / (0.42 * double(s.W));
        return std::hypot(u, v) < 0.93 + 0.07 * std::sin(9 * std::atan2(v, u));
    });
}

/// The exact solution by a sparse Cholesky factorisation in double.
std::vector<double> exact_solution(const PoissonShape& s, const std::vector<float>& divergence, const Mask& mask,
                                   const std::vector<float>& f)
{
    std::vector<double> solution = cast<double>(f);
    std::vector<int> number(std::size_t(s.pixels()), -1);
    std::vector<std::int64_t> pixels;
    for (std::int64_t i = 0; i < s.pixels(); ++i)
        if (ref::poisson_inside(s, mask.empty() ? nullptr : mask.data(), i / s.W, i % s.W)) {
            number[std::size_t(i)] = int(pixels.size());
            pixels.push_back(i);
        }
    if (pixels.empty()) return solution;
    std::vector<Eigen::Triplet<double>> entries;
    Eigen::MatrixXd right = Eigen::MatrixXd::Zero(Eigen::Index(pixels.size()), s.C);
    for (std::size_t k = 0; k < pixels.size(); ++k) {
        entries.emplace_back(int(k), int(k), 4.0);
        for (std::int64_t c = 0; c < s.C; ++c)
            right(Eigen::Index(k), c) = -divergence[std::size_t(pixels[k] * s.C + c)];
        for (const std::int64_t neighbour : {pixels[k] - s.W, pixels[k] + s.W, pixels[k] - 1, pixels[k] + 1}) {
            if (number[std::size_t(neighbour)] >= 0)
                entries.emplace_back(int(k), number[std::size_t(neighbour)], -1.0);
            else
                for (std::int64_t c = 0; c < s.C; ++c) right(Eigen::Index(k), c) += f[std::size_t(neighbour * s.C + c)];
        }
    }
    Eigen::SparseMatrix<double> matrix(Eigen::Index(pixels.size()), Eigen::Index(pixels.size()));
    matrix.setFromTriplets(entries.begin(), entries.end());
    const Eigen::MatrixXd x = Eigen::SimplicialLDLT<Eigen::SparseMatrix<double>>(matrix).solve(right);
    for (std::size_t k = 0; k < pixels.size(); ++k)
        for (std::int64_t c = 0; c < s.C; ++c) solution[std::size_t(pixels[k] * s.C + c)] = x(Eigen::Index(k), c);
    return solution;
}

/// A smooth picture with texture and noise, in grey levels; every phase gives another one.
std::vector<float> picture(const PoissonShape& s, double phase)
{
    std::vector<float> values(std::size_t(s.size()));
    const auto noise = random_values<float>(s.size(), std::uint32_t(100 + phase * 10), -12, 12);
    for (std::int64_t i = 0; i < s.size(); ++i) {
        const double y = double(i / s.C / s.W) / double(s.H), x = double(i / s.C % s.W) / double(s.W);
        const double wave = 70 * std::sin(3 * x + phase) * std::cos(2 * y - phase) + 20 * std::sin(40 * x * y + phase);
        values[std::size_t(i)] = std::floor(std::clamp(float(128 + wave) + noise[std::size_t(i)], 0.f, 255.f));
    }
    return values;
}

/// Clones picture(1) into picture(2) with the source's gradients inside the mask, as merging does.
struct Cloned {
    std::vector<float> divergence, before, after;
};
Cloned clone(TestDevice& device, const PoissonShape& s, const Mask& mask)
{
    Cloned c{{}, picture(s, 2), {}};
    const View divergence = device.poisoned<float>(s.size()), f = device.upload(c.before);
    run(device.exec(), PoissonDivergence{s, device.upload(picture(s, 1)), {}, {}, divergence});
    device.run_with_workspace(
        PoissonSolve{s, divergence, mask.empty() ? ConstView{} : device.upload(mask), kTolerance, f});
    c.divergence = device.download<float>(divergence, s.size());
    c.after = device.download<float>(f, s.size());
    return c;
}

void expect_exact(TestDevice& device, const PoissonShape& s, const Mask& mask, const char* what)
{
    const Cloned c = clone(device, s, mask);
    EXPECT_TRUE(within(c.after, exact_solution(s, c.divergence, mask, c.before), 2.5 * kTolerance))
        << what << ", " << s.H << "x" << s.W << "x" << s.C;
    for (std::int64_t i = 0; i < s.size(); ++i) {
        if (ref::poisson_inside(s, mask.empty() ? nullptr : mask.data(), i / s.C / s.W, i / s.C % s.W)) continue;
        ASSERT_EQ(c.after[std::size_t(i)], c.before[std::size_t(i)]) << what << ": changed outside, at " << i;
    }
}

TEST_P(PoissonTest, one_pixel_is_the_mean_of_its_neighbours_less_a_quarter_of_the_divergence)
{
    // clang-format off
    const View f = device().upload<float>({ 1,  2,  3,
                                            10, 99, 20,
                                            4,  40, 5});
    // clang-format on
    const View divergence = device().upload<float>({0, 0, 0, 0, 8, 0, 0, 0, 0});
    run(exec(), PoissonSolve{{3, 3, 1}, divergence, {}, 1e-3f, f});
    const auto got = device().download<float>(f, 9);
    EXPECT_NEAR(got[4], (2 + 10 + 20 + 40 - 8) / 4.0, 1e-3);
    EXPECT_EQ(got[3], 10);
}

TEST_P(PoissonTest, divergence_is_the_laplacian_of_the_source_and_0_on_the_edge)
{
    const PoissonShape s{4, 5, 2};
    std::vector<float> x(40, 0.0f);
    x[(2 * 5 + 3) * 2 + 1] = 7; // one pixel, second channel: its Laplacian is 7 at the neighbours and -28 here
    const View divergence = device().poisoned<float>(40);
    run(exec(), PoissonDivergence{s, device().upload(x), {}, {}, divergence});
    std::vector<float> want(40, 0.0f);
    want[(2 * 5 + 3) * 2 + 1] = -28;
    want[(1 * 5 + 3) * 2 + 1] = want[(2 * 5 + 2) * 2 + 1] = 7;
    EXPECT_EQ(device().download<float>(divergence, 40), want);
}

TEST_P(PoissonTest, divergence_agrees_with_the_definition_for_every_mixture)
{
    for (const PoissonShape s : {PoissonShape{1, 1, 1}, {2, 7, 3}, {13, 17, 3}, {31, 8, 1}}) {
        const auto source = random_values(s.size(), 1), target = random_values(s.size(), 2);
        const auto m = random_values(s.pixels(), 3, 0, 1);
        std::vector<double> want(std::size_t(s.size()));
        ref::poisson_divergence(s, cast<double>(source).data(), cast<double>(target).data(), cast<double>(m).data(),
                                want.data());
        const View got = device().poisoned<float>(s.size());
        run(exec(), PoissonDivergence{s, device().upload(source), device().upload(target), device().upload(m), got});
        EXPECT_TRUE(within(device().download<float>(got, s.size()), want, gamma32(16) * 8)) << s.H << "x" << s.W;
    }
}

TEST_P(PoissonTest, divergence_of_bytes_agrees_with_the_definition)
{
    for (const PoissonShape s : {PoissonShape{2, 7, 3}, {31, 8, 1}}) {
        const auto bytes = [&](int seed) {
            const auto values = random_values(s.size(), seed, 0, 256);
            return std::vector<std::uint8_t>(values.begin(), values.end());
        };
        const std::vector<std::uint8_t> source = bytes(1), target = bytes(2);
        const auto m = random_values(s.pixels(), 3, 0, 1);
        std::vector<double> want(std::size_t(s.size()));
        ref::poisson_divergence(s, cast<double>(source).data(), cast<double>(target).data(), cast<double>(m).data(),
                                want.data());
        const View got = device().poisoned<float>(s.size());
        run(exec(), PoissonDivergence{s, device().upload(source), device().upload(target), device().upload(m), got});
        EXPECT_TRUE(within(device().download<float>(got, s.size()), want, gamma32(16) * 8 * 255)) << s.H << "x" << s.W;
    }
}

TEST_P(PoissonTest, solves_rectangles_of_any_size)
{
    std::vector<PoissonShape> shapes = {{3, 3, 3}, {5, 4, 1}, {7, 90, 3}, {101, 6, 2}, {1000, 5, 1}};
    if (simulated())
        shapes.insert(shapes.end(), {{33, 34, 1}, {68, 66, 1}});
    else
        shapes.insert(shapes.end(), {{64, 64, 3}, {65, 65, 3}, {97, 130, 3}, {126, 127, 3}});
    for (const PoissonShape& s : shapes) expect_exact(device(), s, {}, "rectangle");
}

TEST_P(PoissonTest, solves_masks_of_any_form)
{
    const std::vector<PoissonShape> shapes = simulated()
                                                 ? std::vector<PoissonShape>{{37, 28, 1}}
                                                 : std::vector<PoissonShape>{{65, 65, 3}, {128, 97, 3}, {150, 201, 3}};
    for (const PoissonShape& s : shapes) {
        const std::int64_t H = s.H, W = s.W;
        expect_exact(device(), s, face_mask(s), "face");
        expect_exact(device(), s, mask_of(s, [&](auto y, auto x) { return y > H / 8 && (x < W / 3 || y > H / 2); }),
                     "concave, along the picture's edge");
        expect_exact(device(), s, mask_of(s, [&](auto y, auto x) { return y == H / 2 && x == W / 3; }), "one pixel");
        expect_exact(device(), s, mask_of(s, [](auto, auto) { return false; }), "empty");
        expect_exact(device(), s, mask_of(s, [&](auto y, auto x) { return (x / 9 + y / 9) % 2 == 0; }), "components");
        expect_exact(device(), s, mask_of(s, [&](auto y, auto x) { return x % 16 != 7 || y % 50 == 20; }),
                     "rooms with doors of one pixel");
        const auto noise = random_values(s.pixels(), 5, 0, 1);
        for (const double share : {0.3, 0.7, 0.99})
            expect_exact(device(), s,
                         mask_of(s, [&](auto y, auto x) { return double(noise[std::size_t(y * W + x)]) < share; }),
                         "random pixels");
    }
}

TEST_P(PoissonTest, a_picture_without_inside_stays)
{
    for (const PoissonShape s : {PoissonShape{1, 1, 3}, {2, 2, 3}, {2, 50, 1}, {50, 1, 3}})
        expect_exact(device(), s, {}, "edge only");
}

TEST_P(PoissonTest, accuracy_holds_at_the_size_of_a_large_face)
{
    const PoissonShape s = simulated() ? PoissonShape{150, 125, 1} : PoissonShape{513, 450, 3};
    expect_exact(device(), s, face_mask(s), "face");
}

TEST_P(PoissonTest, repeats_to_the_bit)
{
    const PoissonShape s{40, 37, 2};
    const Mask mask = face_mask(s);
    EXPECT_EQ(clone(device(), s, mask).after, clone(device(), s, mask).after);
}

TEST_P(PoissonTest, a_constant_offset_of_the_source_disappears)
{
    const PoissonShape s = simulated() ? PoissonShape{50, 47, 2} : PoissonShape{120, 97, 3};
    const auto target = picture(s, 2);
    auto source = target;
    for (float& v : source) v += 40;
    const View divergence = device().poisoned<float>(s.size()), f = device().upload(source);
    auto first = source; // the first guess inside is the source, outside stands the target
    const Mask mask = face_mask(s);
    for (std::size_t i = 0; i < first.size(); ++i)
        if (!mask[i / std::size_t(s.C)]) first[i] = target[i];
    const View g = device().upload(first);
    run(exec(), PoissonDivergence{s, f, {}, {}, divergence});
    run(exec(), PoissonSolve{s, divergence, device().upload(mask), kTolerance, g});
    EXPECT_TRUE(within(device().download<float>(g, s.size()), cast<double>(target), 2.5 * kTolerance));
}

TEST(Poisson, same_bits_with_one_and_two_threads_and_again)
{
    const PoissonShape s{400, 333, 3};
    TestDevice one("cpu:1");
    const auto first = clone(one, s, face_mask(s)).after;
    TestDevice two("cpu:2");
    EXPECT_EQ(first, clone(two, s, face_mask(s)).after);
    EXPECT_EQ(first, clone(two, s, face_mask(s)).after);
}

TEST_P(PoissonTest, workspace_is_used_to_the_stated_byte_and_no_further)
{
    const PoissonShape s{37, 53, 1};
    const View f = device().upload(picture(s, 2)),
               divergence = device().upload(std::vector<float>(std::size_t(s.size()), 1.0f));
    const PoissonSolve solve{s, divergence, {}, kTolerance, f};
    const std::size_t bytes = solve.cost(target()).workspace_bytes;
    const View guard = device().poisoned<std::uint8_t>(std::int64_t(bytes) + 64);
    Exec ex = exec();
    ex.workspace = {guard.data, bytes};
    run(ex, solve);
    const auto after = device().download<std::uint8_t>(guard, std::int64_t(bytes) + 64);
    for (std::size_t i = bytes; i < after.size(); ++i) ASSERT_EQ(after[i], 0xFF);
    ex.workspace.bytes = bytes - 1;
    EXPECT_THROW(run(ex, solve), Error);
}

TEST(Poisson, refuses_a_tolerance_that_cannot_be_met)
{
    TestDevice cpu("cpu");
    const View f = cpu.upload(std::vector<float>(27, 1.0f));
    EXPECT_THROW(run(cpu.exec(), PoissonSolve{{3, 3, 3}, f, {}, 0.0f, f}), Error);
    EXPECT_THROW(run(cpu.exec(), PoissonSolve{{3, 0, 3}, f, {}, 1.0f, f}), Error);
}

#if BIFRONS_HAS_OPENCV_PHOTO
std::vector<std::uint8_t> bytes_of(const std::vector<float>& values)
{
    return {values.begin(), values.end()};
}

/// OpenCV's seamlessClone (NORMAL_CLONE) over the mask's bounding rectangle, the whole picture: the source counts as 0
/// where the mask is 0, the picture's edge is the target's, and values are truncated to bytes.
std::vector<std::uint8_t> clone_rect(TestDevice& device, const PoissonShape& s, std::vector<std::uint8_t> source,
                                     const std::vector<std::uint8_t>& target, const Mask& mask)
{
    for (std::size_t i = 0; i < source.size(); ++i)
        if (!mask[i / 3]) source[i] = 0;
    const View divergence = device.poisoned<float>(s.size()), f = device.upload(cast<float>(target));
    run(device.exec(), PoissonDivergence{s, device.upload(source), device.upload(target),
                                         device.upload(ref::eroded_mask<float>(s, mask.data())), divergence});
    device.run_with_workspace(PoissonSolve{s, divergence, {}, kTolerance, f});
    std::vector<std::uint8_t> bytes;
    for (const float v : device.download<float>(f, s.size()))
        bytes.push_back(std::uint8_t(std::clamp(v, 0.0f, 255.0f)));
    return bytes;
}

TEST_P(PoissonTest, mixed_gradients_are_within_one_level_of_opencv)
{
    const std::vector<PoissonShape> shapes =
        simulated() ? std::vector<PoissonShape>{{32, 41, 3}}
                    : std::vector<PoissonShape>{{64, 64, 3}, {129, 129, 3}, {90, 151, 3}, {200, 131, 3}};
    for (const PoissonShape& s : shapes) {
        // The mask touches all four sides, so that its bounding rectangle is the whole picture; OpenCV drops a mask's
        // outermost pixels and takes them around it, so it is given one more on each side.
        const Mask mask =
            mask_of(s, [&](auto y, auto x) { return std::abs(2 * y - s.H) + std::abs(2 * x - s.W) < s.H + s.W / 2; });
        const auto source = bytes_of(picture(s, 1)), target = bytes_of(picture(s, 2));
        const auto framed = [&](const std::vector<std::uint8_t>& values, int channels) {
            cv::Mat inner(int(s.H), int(s.W), CV_8UC(channels), const_cast<std::uint8_t*>(values.data())), outer;
            cv::copyMakeBorder(inner, outer, 1, 1, 1, 1, cv::BORDER_CONSTANT);
            return outer;
        };
        cv::Mat blend;
        const cv::Rect rect(1, 1, int(s.W), int(s.H));
        ASSERT_EQ(cv::boundingRect(framed(mask, 1)), rect);
        cv::seamlessClone(framed(source, 3), framed(target, 3), framed(mask, 1),
                          cv::Point(1 + int(s.W) / 2, 1 + int(s.H) / 2), blend, cv::NORMAL_CLONE);
        const cv::Mat theirs = blend(rect).clone();
        const std::vector<std::uint8_t> want(theirs.data, theirs.data + s.size());

        const auto got = clone_rect(device(), s, source, target, mask);
        EXPECT_TRUE(within(got, cast<double>(want), 1.0)) << s.H << "x" << s.W;
        std::int64_t equal = 0;
        for (std::size_t i = 0; i < got.size(); ++i) equal += got[i] == want[i];
        EXPECT_GT(double(equal), 0.9 * double(got.size()));
    }
}
#endif

} // namespace
