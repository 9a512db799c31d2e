// tests/data/steady_test.cpp - faces over time: gaps, smoothing, scenes.
#include "data/extract/steady.h"
#include "tests/data/faces.h"

#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <random>

namespace bifrons::data {
namespace {

/// The mean face, 100 px wide, its corner at (x, y).
FrameFace face(double x, double y = 0)
{
    return {.detection = {.rect = {x, y, x + 100, y + 100}, .score = 1}, .points = test::mean_landmarks(100, x, y)};
}

/// One face a frame; nothing where x gives NaN.
Clip clip_of(int frames, const std::function<double(int)>& x)
{
    Clip clip(std::size_t(frames), ClipFrame{});
    for (int t = 0; t < frames; ++t)
        if (!std::isnan(x(t))) clip[std::size_t(t)].faces.push_back(face(x(t)));
    return clip;
}

double corner(const Clip& clip, std::size_t frame, std::size_t k = 0)
{
    return clip[frame].faces.at(k).points[17].x - test::mean_landmarks(100, 0, 0)[17].x;
}

TEST(Steady, a_gap_is_filled_evenly_between_its_ends)
{
    const auto moving = [](int t) { return t < 4 || t > 6 ? 5.0 * t : std::nan(""); };
    Clip clip = clip_of(10, moving);
    EXPECT_EQ(fill_gaps(clip, 3), 3);
    for (std::size_t t = 0; t < 10; ++t) {
        ASSERT_EQ(clip[t].faces.size(), 1u) << t;
        EXPECT_NEAR(corner(clip, t), 5.0 * double(t), 1e-9);
        EXPECT_NEAR(clip[t].faces[0].detection.rect.left, 5.0 * double(t), 1e-9);
        EXPECT_EQ(clip[t].faces[0].filled, t >= 4 && t <= 6) << t;
    }
    EXPECT_EQ(filled_ranges(clip), "4-6");
    Clip longer = clip_of(10, moving);
    EXPECT_EQ(fill_gaps(longer, 2), 0) << "longer than allowed";
    EXPECT_EQ(filled_ranges(longer), "");
}

TEST(Steady, a_gap_stays_where_the_face_is_elsewhere_or_the_scene_another)
{
    Clip jump = clip_of(10, [](int t) { return t == 5 ? std::nan("") : t < 5 ? 0.0 : 90.0; });
    EXPECT_EQ(fill_gaps(jump, 5), 0);
    Clip cut = clip_of(10, [](int t) { return t == 5 ? std::nan("") : 0.0; });
    Clip same = cut;
    cut[5].begins_scene = true;
    EXPECT_EQ(fill_gaps(cut, 5), 0);
    EXPECT_EQ(fill_gaps(same, 5), 1);
    Clip ends = clip_of(10, [](int t) { return t < 2 || t > 7 ? std::nan("") : 0.0; });
    EXPECT_EQ(fill_gaps(ends, 5), 0) << "before the first and after the last there is nothing to go by";
}

TEST(Steady, each_of_two_people_keeps_a_track_of_their_own)
{
    Clip clip = clip_of(9, [](int t) { return double(t); });
    for (std::size_t t = 0; t < 9; ++t)
        if (t != 3 && t != 4)
            clip[t].faces.insert(clip[t].faces.begin() + (t % 2), face(300 - double(t))); // order changes
    EXPECT_EQ(fill_gaps(clip, 4), 2);
    EXPECT_NEAR(corner(clip, 3, 1), 297, 1e-9);
    EXPECT_NEAR(corner(clip, 4, 1), 296, 1e-9);
    smooth_landmarks(clip, 3);
    for (std::size_t t = 0; t < 9; ++t)
        for (std::size_t k = 0; k < 2; ++k) {
            const double x = corner(clip, t, k);
            EXPECT_NEAR(x < 150 ? x : 300 - x, double(t), 1e-9) << t;
        }
}

TEST(Steady, smoothing_keeps_even_acceleration_and_weighs_as_published)
{
    Clip even = clip_of(12, [](int t) { return 0.3 * t * t + t; });
    smooth_landmarks(even, 3);
    for (std::size_t t = 0; t < 12; ++t) EXPECT_NEAR(corner(even, t), 0.3 * double(t * t) + double(t), 1e-9) << t;

    // Savitzky & Golay's table, seven points: (-2 3 6 7 6 3 -2) / 21; a single wrong frame shows the weights.
    Clip spike = clip_of(13, [](int t) { return t == 6 ? 21.0 : 0.0; });
    smooth_landmarks(spike, 3);
    const double want[7] = {-2, 3, 6, 7, 6, 3, -2};
    for (std::size_t k = 0; k < 7; ++k) EXPECT_NEAR(corner(spike, 3 + k), want[k], 1e-9) << k;
    EXPECT_NEAR(corner(spike, 2), 0, 1e-9);
    // Two frames from the end only five points are left: (-3 12 17 12 -3) / 35.
    Clip late = clip_of(8, [](int t) { return t == 5 ? 35.0 : 0.0; });
    smooth_landmarks(late, 3);
    EXPECT_NEAR(corner(late, 5), 17, 1e-9);
    EXPECT_NEAR(corner(late, 7), 0, 1e-9) << "a track's end stays";
}

TEST(Steady, smoothing_takes_most_of_the_jitter_and_stops_at_a_cut)
{
    std::mt19937 random(5);
    std::normal_distribution<double> noise(0, 1);
    std::vector<double> x;
    for (int t = 0; t < 200; ++t) x.push_back(20 * std::sin(0.05 * t) + noise(random));
    Clip clip = clip_of(200, [&](int t) { return x[std::size_t(t)]; });
    const auto jitter = [&] {
        double sum = 0;
        for (std::size_t t = 1; t < 199; ++t)
            sum += std::abs(corner(clip, t + 1) - 2 * corner(clip, t) + corner(clip, t - 1));
        return sum;
    };
    const double before = jitter();
    smooth_landmarks(clip, 3);
    EXPECT_LT(jitter(), 0.4 * before);

    Clip cut = clip_of(12, [](int t) { return t < 6 ? 0.0 : 30.0; });
    cut[6].begins_scene = true;
    smooth_landmarks(cut, 3);
    for (std::size_t t = 0; t < 12; ++t) EXPECT_NEAR(corner(cut, t), t < 6 ? 0 : 30, 1e-9) << t;
}

TEST(Steady, motion_is_half_the_way_from_the_frame_before_to_the_one_after)
{
    Clip clip = clip_of(6, [](int t) { return t * t; });
    EXPECT_NEAR(motion_of(clip, 2, 0).x, (9 - 1) / 2.0, 1e-9);
    EXPECT_NEAR(motion_of(clip, 2, 0).y, 0, 1e-9);
    EXPECT_EQ(motion_of(clip, 0, 0).x, 0);
    EXPECT_EQ(motion_of(clip, 5, 0).x, 0);
    clip[3].begins_scene = true;
    EXPECT_EQ(motion_of(clip, 2, 0).x, 0);
    EXPECT_EQ(motion_of(clip, 3, 0).x, 0);
}

} // namespace
} // namespace bifrons::data
