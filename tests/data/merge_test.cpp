#include "data/merge/boundary.h"
#include "data/merge/compress.h"
#include "data/merge/merge.h"
#include "data/merge/motion_blur.h"
#include "data/merge/noise.h"
#include "data/merge/occlusion.h"
#include "data/merge/sharpen.h"

#include "data/hull.h"
#include "data/warp.h"
#include "kernels/base/error.h"
#include "tests/data/faces.h"
#include "tests/data/folder.h"
#include "tests/support/devices.h"

#include <algorithm>
#include <cmath>
#include <random>

using namespace bifrons;
using namespace bifrons::data;

namespace {

constexpr std::int64_t kSide = 64;

/// Waves of some 50 px, so that interpolating them twice stays within half a level.
Image smooth_frame(std::int64_t H = 150, std::int64_t W = 190)
{
    Image frame(H, W, 3);
    for (std::int64_t y = 0; y < H; ++y)
        for (std::int64_t x = 0; x < W; ++x)
            for (int c = 0; c < 3; ++c)
                frame.at(y, x)[c] = std::uint8_t(
                    std::lround(125 + 10 * c + 50 * std::sin(0.11 * double(x) + c) * std::cos(0.09 * double(y) - c)));
    return frame;
}

/// A face about (x, y), turned by 0.2, whose picture shows `width` px of the frame.
Affine alignment(double x, double y, double width)
{
    const double scale = double(kSide) / width, a = scale * std::cos(0.2), b = scale * std::sin(0.2),
                 centre = double(kSide - 1) / 2;
    return {{a, b, centre - a * x - b * y, -b, a, centre + b * x - a * y}};
}

/// Landmarks on an ellipse about the face picture's middle; only their hull matters.
Landmarks oval()
{
    Landmarks points;
    for (std::size_t i = 0; i < points.size(); ++i) {
        const double t = 2 * M_PI * double(i) / double(points.size());
        points[i] = {31.5 + 14 * std::cos(t), 31.5 + 14 * std::sin(t)};
    }
    return points;
}

/// The frame's own pixels as prediction, everything in the mask, plus an offset.
PredictedFace own_face(const Image& frame, const Affine& face_from_frame, float offset = 0)
{
    PredictedFace face{face_from_frame, face_from_frame.inverse()(oval()), {}, ImageF(kSide, kSide, 1)};
    face.face = warp(to_float(frame), face_from_frame, kSide, kSide);
    for (float& v : face.face.pixels) v += offset;
    std::fill(face.mask.pixels.begin(), face.mask.pixels.end(), 1.0f);
    return face;
}

Image merged(Image frame, const PredictedFace& face, const MergeOptions& options)
{
    Merger(options, "cpu:1").merge(frame, face);
    return frame;
}

int largest_difference(const Image& a, const Image& b)
{
    int largest = 0;
    for (std::size_t i = 0; i < a.pixels.size(); ++i)
        largest = std::max(largest, std::abs(int(a.pixels[i]) - int(b.pixels[i])));
    return largest;
}

/// Levels by which a smooth frame may change when its own face is pasted: its pixels are rounded (1/2), the
/// interpolated ones are not, and the result is rounded (1/2); Poisson blending also takes over the rounding of the
/// pixels around the mask (1/2). The sums, 1 and 3/2, are just met: hence the next whole number.
int rounding_of(BlendKind blend)
{
    return blend == BlendKind::poisson ? 2 : 1;
}

const MergeOptions kPlain{.mask = MaskKind::predicted, .erode_px = 0, .color = ColorKind::none};

MergeOptions with_blend(BlendKind blend)
{
    MergeOptions options = kPlain;
    options.blend = blend;
    return options;
}

TEST(Merge, the_frames_own_face_changes_nothing)
{
    const Image frame = smooth_frame();
    for (const BlendKind blend : {BlendKind::none, BlendKind::feather, BlendKind::poisson})
        for (const double width : {40.0, 64.0, 100.0}) {
            const Image got = merged(frame, own_face(frame, alignment(95, 75, width)), with_blend(blend));
            EXPECT_LE(largest_difference(got, frame), rounding_of(blend)) << name_of(blend) << ", " << width << " px";
        }
}

TEST(Merge, faces_beyond_the_frame_are_cut)
{
    const Image frame = smooth_frame();
    for (const BlendKind blend : {BlendKind::none, BlendKind::feather, BlendKind::poisson}) {
        for (const Point at : {Point{0, 0}, {189, 75}, {95, 149.5}, {-30, 160}, {10, 140}})
            EXPECT_LE(
                largest_difference(merged(frame, own_face(frame, alignment(at.x, at.y, 80)), with_blend(blend)), frame),
                rounding_of(blend))
                << name_of(blend) << " at " << at.x << ", " << at.y;
        for (const Point at : {Point{-500, 20}, {95, 1000}})
            EXPECT_EQ(merged(frame, own_face(frame, alignment(at.x, at.y, 80), 0.3f), with_blend(blend)).pixels,
                      frame.pixels);
    }
}

TEST(Merge, pixels_outside_the_hull_keep_their_bits)
{
    const Image frame = smooth_frame();
    const Affine face_from_frame = alignment(95, 75, 90);
    MergeOptions options{.mask = MaskKind::hull, .erode_px = 0, .color = ColorKind::none};
    double reach = 0;
    for (const Point p : face_hull(oval())) reach = std::max(reach, std::hypot(p.x - 31.5, p.y - 31.5));
    reach += 3; // the anti-aliased edge, and the 2 px of interpolation
    for (const BlendKind blend : {BlendKind::none, BlendKind::feather, BlendKind::poisson}) {
        options.blend = blend;
        PredictedFace face = own_face(frame, face_from_frame, 0.2f);
        face.mask = {}; // not needed
        const Image got = merged(frame, face, options);
        std::int64_t changed = 0;
        for (std::int64_t y = 0; y < frame.H; ++y)
            for (std::int64_t x = 0; x < frame.W; ++x) {
                const Point p = face_from_frame(Point{double(x), double(y)});
                const bool same = std::equal(got.at(y, x), got.at(y, x) + 3, frame.at(y, x));
                changed += !same;
                if (std::hypot(p.x - 31.5, p.y - 31.5) > reach) {
                    ASSERT_TRUE(same) << x << ", " << y;
                }
            }
        EXPECT_EQ(changed > 200, blend != BlendKind::poisson) << name_of(blend);
    }
}

TEST(Merge, strengths_of_zero_do_nothing)
{
    const Image frame = smooth_frame();
    const PredictedFace face = own_face(frame, alignment(95, 75, 90), 0.15f);
    MergeOptions options = kPlain;
    const Image plain = merged(frame, face, options);
    options.color = ColorKind::rct;
    options.alpha = options.beta = 0;
    EXPECT_EQ(merged(frame, face, options).pixels, plain.pixels);
    options.alpha = 0.5;
    EXPECT_GT(largest_difference(merged(frame, face, options), plain), 5);
    options.alpha = 0;
    options.beta = 0.5;
    EXPECT_GT(largest_difference(merged(frame, face, options), plain), 5);
}

TEST(Merge, a_constant_offset_stays_with_feather_and_goes_with_poisson)
{
    const Image frame = smooth_frame();
    const PredictedFace face = own_face(frame, alignment(95, 75, 90), 0.15f);
    EXPECT_GE(largest_difference(merged(frame, face, with_blend(BlendKind::feather)), frame), 37);
    EXPECT_LE(largest_difference(merged(frame, face, with_blend(BlendKind::poisson)), frame),
              rounding_of(BlendKind::poisson));
}

TEST(Merge, colour_transfer_and_light_bring_back_a_tinted_face)
{
    const Image frame = smooth_frame();
    PredictedFace face = own_face(frame, alignment(95, 75, 90));
    for (std::size_t i = 0; i < face.face.pixels.size(); ++i) face.face.pixels[i] *= i % 3 == 0 ? 0.6f : 0.8f;
    const int tinted = largest_difference(merged(frame, face, kPlain), frame);
    MergeOptions options = kPlain;
    for (const char* color : {"rct", "lct", "mkl", "idt", "sot"}) {
        options.color = color_kind_of(color);
        options.alpha = 1;
        const int whole = largest_difference(merged(frame, face, options), frame);
        EXPECT_LT(whole, tinted / 2) << color;
        options.alpha = 0.5;
        const int half = largest_difference(merged(frame, face, options), frame);
        EXPECT_GT(half, whole) << color;
        EXPECT_LT(half, tinted) << color;
    }
    // The tint is a symmetric positive map, and mkl's is the only such that gives these moments: it takes the tint
    // back.
    options.color = ColorKind::mkl;
    options.alpha = 1;
    EXPECT_LE(largest_difference(merged(frame, face, options), frame), 2);

    // Darker on one side: light alone lifts it.
    face = own_face(frame, alignment(95, 75, 90));
    for (std::size_t i = 0; i < face.face.pixels.size(); ++i)
        face.face.pixels[i] *= 0.7f + 0.3f * float(i / 3 % kSide) / float(kSide);
    const int shaded = largest_difference(merged(frame, face, kPlain), frame);
    options = kPlain;
    options.beta = 1;
    EXPECT_LT(largest_difference(merged(frame, face, options), frame), shaded / 2);
}

TEST(Merge, repeats_to_the_bit_whatever_the_threads)
{
    const Image frame = smooth_frame();
    const PredictedFace face = own_face(frame, alignment(60, 80, 120), 0.1f);
    const MergeOptions options{.erode_px = 0, .beta = 0.5, .blend = BlendKind::poisson};
    Image one = frame, two = frame;
    Merger(options, "cpu:1").merge(one, face);
    Merger merger(options, "cpu:2");
    merger.merge(two, face);
    EXPECT_EQ(one.pixels, two.pixels);
    two = frame;
    merger.merge(two, face);
    EXPECT_EQ(one.pixels, two.pixels);
}

TEST(ColorCluster, is_what_most_pixels_share)
{
    ImageF picture(40, 40, 3), mask(40, 40, 1);
    std::mt19937 random(2);
    std::normal_distribution<float> noise(0, 0.02f);
    for (std::size_t i = 0; i < 1600; ++i) {
        const float light = noise(random), skin[3] = {0.45f, 0.55f, 0.75f};
        for (std::size_t c = 0; c < 3; ++c) picture.pixels[3 * i + c] = skin[c] + light + 0.2f * noise(random);
        if (i % 10 == 3) std::fill_n(&picture.pixels[3 * i], 3, 0.1f); // one in ten is dark
        mask.pixels[i] = i < 1500;
        if (i >= 1500) std::fill_n(&picture.pixels[3 * i], 3, 0.9f); // and what is outside is white
    }
    const ColorCluster skin(picture, mask);
    const auto weight = [&](float b, float g, float r) {
        const float bgr[3] = {b, g, r};
        return skin.weight(bgr);
    };
    EXPECT_EQ(weight(0.45f, 0.55f, 0.75f), 1);
    EXPECT_EQ(weight(0.48f, 0.58f, 0.78f), 1) << "lighter skin";
    EXPECT_EQ(weight(0.1f, 0.1f, 0.1f), 0);
    EXPECT_EQ(weight(0.9f, 0.9f, 0.9f), 0);
    EXPECT_EQ(weight(0.75f, 0.55f, 0.45f), 0) << "as light, but blue";
    // The noise left is 0.02 along grey; beside it 0.004 and the floor of 4/255: 4 deviations of the latter.
    const float off = 4 * std::sqrt(0.004f * 0.004f + 16.0f / 255 / 255) / std::sqrt(2.0f);
    EXPECT_NEAR(weight(0.45f - off, 0.55f, 0.75f + off), 0.5f, 0.1f);
    mask = ImageF(40, 40, 1);
    EXPECT_EQ(ColorCluster(picture, mask).weight(&picture.pixels[0]), 1) << "nothing is known of this skin";
}

TEST(Boundary, hair_in_the_frame_is_passed_over)
{
    // A square of 4 x 4 in the middle; the frame is the face and 0.1, but for a dark column beside it.
    ImageF face(6, 6, 3), frame(6, 6, 3), values(6, 6, 3), mask(6, 6, 1);
    Image inside(6, 6, 1);
    ImageF skin(20, 20, 3), whole(20, 20, 1);
    std::fill(skin.pixels.begin(), skin.pixels.end(), 0.6f);
    std::fill(whole.pixels.begin(), whole.pixels.end(), 1.0f);
    const ColorCluster of_frame(skin, whole);
    std::fill(skin.pixels.begin(), skin.pixels.end(), 0.5f);
    const ColorCluster of_face(skin, whole);
    std::fill(face.pixels.begin(), face.pixels.end(), 0.5f);
    std::fill(frame.pixels.begin(), frame.pixels.end(), 0.6f);
    std::fill(values.pixels.begin(), values.pixels.end(), -1.0f);
    for (std::int64_t y = 0; y < 6; ++y) std::fill_n(frame.at(y, 5), 3, 0.05f);
    for (std::int64_t y = 1; y < 5; ++y)
        for (std::int64_t x = 1; x < 5; ++x) *inside.at(y, x) = 255;
    set_boundary(inside, face, frame, of_face, of_frame, values);
    for (std::int64_t i = 1; i < 5; ++i)
        for (const auto& [y, x] :
             {std::pair{i, std::int64_t(0)}, {i, std::int64_t(5)}, {std::int64_t(0), i}, {std::int64_t(5), i}})
            for (int c = 0; c < 3; ++c) EXPECT_NEAR(values.at(y, x)[c], 0.6f, 1e-6) << y << "," << x;
    EXPECT_EQ(*values.at(0, 0), -1) << "a corner is no neighbour";
    EXPECT_EQ(*values.at(2, 2), -1);
    // Without any skin at the edge the face keeps its colours.
    std::fill(frame.pixels.begin(), frame.pixels.end(), 0.05f);
    set_boundary(inside, face, frame, of_face, of_frame, values);
    EXPECT_NEAR(*values.at(0, 2), 0.5f, 1e-6);
}

TEST(Merge, a_wall_beside_the_face_does_not_bleed_into_it)
{
    // Skin left of x = 120 and a blue wall right of it, which the mask reaches over.
    Image frame(150, 190, 3);
    for (std::int64_t y = 0; y < frame.H; ++y)
        for (std::int64_t x = 0; x < frame.W; ++x) {
            const std::uint8_t skin[3] = {120, 140, 190}, wall[3] = {220, 60, 20};
            std::copy_n(x < 120 ? skin : wall, 3, frame.at(y, x));
        }
    PredictedFace face = own_face(frame, alignment(95, 75, 90));
    for (std::size_t i = 0; i < face.face.pixels.size(); ++i)
        face.face.pixels[i] = float(i % 3 == 0 ? 100 : i % 3 == 1 ? 120 : 170) / 255;
    MergeOptions options = with_blend(BlendKind::poisson);
    options.mask = MaskKind::hull;
    const Image got = merged(frame, face, options);
    for (const std::int64_t x : {85, 95, 105, 112}) // skin, 7 px and more from the wall
        for (int c = 0; c < 3; ++c) EXPECT_NEAR(got.at(75, x)[c], frame.at(75, x)[c], 2) << x;
}

TEST(Merge, the_difference_in_colour_is_that_of_lab)
{
    Image frame(150, 190, 3);
    for (std::size_t i = 0; i < frame.pixels.size(); ++i) frame.pixels[i] = 128;
    PredictedFace face = own_face(frame, alignment(95, 75, 90));
    MergeOptions options = kPlain;
    options.mask = MaskKind::hull;
    Merger merger(options, "cpu:1");
    EXPECT_NEAR(merger.color_difference(frame, face, ColorKind::none), 0, 0.2);
    for (float& v : face.face.pixels) v = 118.0f / 255;
    // L* of sRGB grey 128 is 53.585, of 118 it is 49.637 (CIE 15:2004, by hand).
    EXPECT_NEAR(merger.color_difference(frame, face, ColorKind::none), 3.948, 0.05);
    EXPECT_LT(merger.color_difference(frame, face, ColorKind::rct), 0.3);
}

TEST(Noise, what_is_added_is_measured_again)
{
    ImageF picture(120, 120, 3), mask(120, 120, 1);
    std::fill(mask.pixels.begin(), mask.pixels.end(), 1.0f);
    for (std::int64_t y = 0; y < 120; ++y) // a slope, and a straight edge, which are no noise
        for (std::int64_t x = 0; x < 120; ++x)
            std::fill_n(picture.at(y, x), 3, 0.3f + 0.001f * float(x + y) + (x > 60 ? 0.2f : 0.0f));
    EXPECT_LT(noise_level(picture, mask), 1e-6);
    ImageF again = picture, other = picture;
    add_noise(picture, 0.02, 7);
    EXPECT_NEAR(noise_level(picture, mask), 0.02, 0.001); // 14,000 values: 1 % of deviation
    EXPECT_EQ(picture.at(60, 20)[0] - again.at(60, 20)[0] > 0, picture.at(60, 20)[2] - again.at(60, 20)[2] > 0);
    add_noise(again, 0.02, 7);
    EXPECT_EQ(again.pixels, picture.pixels);
    add_noise(other, 0.02, 8);
    EXPECT_NE(other.pixels, picture.pixels) << "another frame, other noise";
    EXPECT_EQ(noise_level(picture, ImageF(120, 120, 1)), 0);
}

TEST(MotionBlur, spreads_a_point_along_its_way)
{
    ImageF picture(21, 21, 3);
    std::fill_n(picture.at(10, 10), 3, 1.0f);
    ImageF still = picture;
    motion_blur(still, {0.3, 0.3});
    EXPECT_EQ(still.pixels, picture.pixels);
    motion_blur(picture, {4, 0}); // five pictures, from 2 px left to 2 px right
    for (std::int64_t y = 0; y < 21; ++y)
        for (std::int64_t x = 0; x < 21; ++x)
            EXPECT_NEAR(*picture.at(y, x), y == 10 && std::abs(x - 10) <= 2 ? 0.2 : 0, 1e-6) << y << "," << x;
    ImageF even(9, 9, 3);
    std::fill(even.pixels.begin(), even.pixels.end(), 0.4f);
    motion_blur(even, {3.3, -5.7});
    for (const float v : even.pixels) ASSERT_NEAR(v, 0.4f, 1e-6);
}

TEST(Merge, scale_shift_and_opacity_do_what_they_say)
{
    const Image frame(150, 190, 3); // black
    PredictedFace face = own_face(frame, alignment(95, 75, 64));
    std::fill(face.face.pixels.begin(), face.face.pixels.end(), 1.0f);
    MergeOptions options = kPlain;
    options.mask = MaskKind::hull;
    options.feather_px = 0;
    struct Seen {
        double area = 0, x = 0, y = 0;
    };
    const auto seen = [&] {
        const Image got = merged(frame, face, options);
        Seen s;
        for (std::int64_t y = 0; y < got.H; ++y)
            for (std::int64_t x = 0; x < got.W; ++x) {
                const double v = *got.at(y, x) / 255.0;
                s.area += v, s.x += v * double(x), s.y += v * double(y);
            }
        return Seen{s.area, s.x / s.area, s.y / s.area};
    };
    const Seen plain = seen();
    options.opacity = 0.5;
    EXPECT_NEAR(seen().area, plain.area / 2, 0.01 * plain.area);
    options.opacity = 1;
    options.scale = 1.2;
    const Seen larger = seen();
    EXPECT_NEAR(larger.area, 1.44 * plain.area, 0.02 * plain.area);
    EXPECT_NEAR(larger.x - 95, 1.2 * (plain.x - 95), 0.1); // about the face picture's middle
    EXPECT_NEAR(larger.y - 75, 1.2 * (plain.y - 75), 0.1);
    options.scale = 1;
    options.shift_x = 25; // of 64 px: 16 along the face's axis, which is turned by 0.2
    const Seen moved = seen();
    EXPECT_NEAR(moved.area, plain.area, 0.01 * plain.area);
    EXPECT_NEAR(std::hypot(moved.x - plain.x, moved.y - plain.y), 16, 0.1);
    EXPECT_NEAR(moved.x - plain.x, 16 * std::cos(0.2), 0.1);
}

TEST(Merge, tells_how_much_of_a_pixel_was_replaced)
{
    const Image black(150, 190, 3);
    PredictedFace face = own_face(black, alignment(95, 75, 64));
    std::fill(face.face.pixels.begin(), face.face.pixels.end(), 1.0f); // white on black: the frame is the weight
    const Image frame = merged(black, face, kPlain);
    const Layer layer = Merger(kPlain, "cpu:1").draw({.frame = black}, face);
    const Image pasted = weights_of<std::uint8_t>({{layer}}, 150, 190);
    EXPECT_EQ(pasted.pixels, frame.pixels);
    EXPECT_EQ(*pasted.at(75, 95), 255);
}

TEST(Merge, a_deep_frame_is_cloned_into_with_all_its_bits)
{
    const Image frame = smooth_frame();
    Picture<std::uint16_t> deep(frame.H, frame.W, 3); // a level of 255 is 257 of these: the 8 bits do not show the 100
    std::transform(frame.pixels.begin(), frame.pixels.end(), deep.pixels.begin(),
                   [](std::uint8_t v) { return std::uint16_t(257 * v + 100); });
    const PredictedFace face = own_face(frame, alignment(95, 75, 90), 0.1f);
    const auto mean_rest = [&](const Picture<std::uint16_t>* source) {
        Picture<std::uint16_t> got = deep;
        lay_over(Merger(with_blend(BlendKind::poisson), "cpu:1").draw({.frame = frame, .deep = source}, face), got);
        double sum = 0;
        for (std::int64_t y = 65; y < 85; ++y)
            for (std::int64_t x = 85; x < 105; ++x) sum += *got.at(y, x) - 257.0 * *frame.at(y, x);
        return sum / 400;
    };
    EXPECT_NEAR(mean_rest(&deep), 100, 30);
    EXPECT_NEAR(mean_rest(nullptr), 0, 30);
}

TEST(Compress, rounds_the_cosines_of_the_frames_blocks)
{
    ImageF even(20, 20, 3), picture(20, 20, 3);
    std::fill(even.pixels.begin(), even.pixels.end(), 128.0f / 255); // 8 * 128 is a multiple of luma's first step, 16
    picture = even;
    compress(picture, 0.1, 3, 5);
    for (std::size_t i = 0; i < picture.pixels.size(); ++i) ASSERT_NEAR(picture.pixels[i], even.pixels[i], 1e-5);
    // The finest pattern, of 4 levels, is below half of any step of luma, 99 for its highest frequency.
    for (std::int64_t y = 0; y < 20; ++y)
        for (std::int64_t x = 0; x < 20; ++x)
            for (int c = 0; c < 3; ++c) picture.at(y, x)[c] = even.at(y, x)[c] + ((x + y) % 2 ? 2.0f : -2.0f) / 255;
    const ImageF fine = picture;
    compress(picture, 0.1, 0, 0);
    for (std::size_t i = 0; i < picture.pixels.size(); ++i) ASSERT_NEAR(picture.pixels[i], even.pixels[i], 1e-5);
    picture = fine;
    compress(picture, 0.001, 0, 0); // steps of one level
    for (std::size_t i = 0; i < picture.pixels.size(); ++i) ASSERT_NEAR(picture.pixels[i], fine.pixels[i], 3.0 / 255);
    // Blocks begin at the frame's corner: an edge between two of them stays sharp, one inside a block does not.
    for (const std::int64_t left : {0, 4}) {
        for (std::int64_t y = 0; y < 20; ++y)
            for (std::int64_t x = 0; x < 20; ++x)
                std::fill_n(picture.at(y, x), 3, x < 8 ? 0.0f : 130.0f / 255); // 8 * 130 = 13 * 80
        compress(picture, 0.5, 0, left);
        double error = 0;
        for (std::int64_t x = 0; x < 20; ++x)
            error = std::max(error, std::abs(*picture.at(9, x) - (x < 8 ? 0 : 130 / 255.0)));
        EXPECT_EQ(error < 1e-5, left == 0) << error;
        EXPECT_EQ(error > 0.02, left != 0) << error;
    }
}

TEST(MergeMask, the_drawn_faces_hair_is_cut_and_its_brows_are_not)
{
    constexpr std::int64_t kLarge = 128;
    const Landmarks face = test::mean_landmarks(55, 35, 40); // brows at y = 41..46, eyes at 50..53
    ImageF picture(kLarge, kLarge, 3), mask(kLarge, kLarge, 1);
    std::fill(picture.pixels.begin(), picture.pixels.end(), 0.6f);
    const auto paint = [&](std::int64_t top, std::int64_t bottom, std::int64_t left, std::int64_t right) {
        for (std::int64_t y = top; y < bottom; ++y)
            for (std::int64_t x = left; x < right; ++x) std::fill_n(picture.at(y, x), 3, 0.1f);
    };
    for (std::int64_t y = 25; y < 100; ++y)
        for (std::int64_t x = 20; x < 108; ++x) *mask.at(y, x) = 1;
    paint(0, 34, 0, 60);    // a fringe
    paint(28, 45, 60, 62);  // a strand that reaches a brow's height between the brows
    paint(41, 45, 40, 56);  // a brow
    paint(70, 100, 20, 40); // a beard
    paint(30, 33, 80, 84);  // a spot on the forehead
    const ColorCluster skin(picture, mask);
    cut_hair(mask, picture, skin, face);
    const auto at = [&](std::int64_t y, std::int64_t x) { return *mask.at(y, x); };
    EXPECT_EQ(at(30, 40), 0) << "fringe";
    EXPECT_EQ(at(40, 61), 0) << "strand";
    EXPECT_EQ(at(43, 50), 1) << "brow";
    EXPECT_EQ(at(80, 25), 1) << "beard";
    EXPECT_EQ(at(31, 82), 1) << "spot";
    EXPECT_EQ(at(36, 90), 1) << "skin";
}

TEST(MergeMask, what_is_in_front_of_the_face_is_found)
{
    constexpr std::int64_t kLarge = 128;
    ImageF face(kLarge, kLarge, 3), mask(kLarge, kLarge, 1);
    std::mt19937 random(3);
    std::normal_distribution<float> noise(0, 0.01f);
    const auto fill = [](ImageF& picture, std::int64_t top, std::int64_t bottom, std::int64_t left, std::int64_t right,
                         float b, float g, float r) {
        for (std::int64_t y = top; y < bottom; ++y)
            for (std::int64_t x = left; x < right; ++x)
                picture.at(y, x)[0] = b, picture.at(y, x)[1] = g, picture.at(y, x)[2] = r;
    };
    fill(face, 0, kLarge, 0, kLarge, 0.45f, 0.55f, 0.75f);
    fill(face, 44, 52, 36, 52, 0.15f, 0.15f, 0.2f); // eyes
    fill(face, 44, 52, 76, 92, 0.15f, 0.15f, 0.2f);
    fill(face, 88, 96, 50, 78, 0.3f, 0.3f, 0.6f); // mouth
    for (std::int64_t y = 10; y < 118; ++y)
        for (std::int64_t x = 10; x < 118; ++x) *mask.at(y, x) = 1;
    ImageF frame = face; // a little darker, noisy, its mouth a pixel lower
    fill(frame, 88, 97, 50, 78, 0.3f, 0.3f, 0.6f);
    for (float& v : frame.pixels) v = 0.95f * v + noise(random);
    const auto sum = [](const ImageF& picture) {
        double all = 0;
        for (const float v : picture.pixels) all += double(v);
        return all;
    };
    EXPECT_EQ(sum(occluded(face, frame, mask, ColorCluster(frame, mask))), 0) << "nothing is in front";
    fill(frame, 0, kLarge, 60, 70, 0.1f, 0.3f, 0.1f); // a green stalk
    const ImageF got = occluded(face, frame, mask, ColorCluster(frame, mask));
    for (std::int64_t y = 20; y < 110; ++y) EXPECT_GT(*got.at(y, 65), 0.9f) << y;
    EXPECT_EQ(*got.at(70, 45), 0);
    EXPECT_EQ(*got.at(48, 44), 0) << "an eye that both have";

    // Merged, the stalk stays as it was.
    PredictedFace over{.face_from_frame = {}, .face = face, .mask = mask};
    over.in_frame = test::mean_landmarks(80, 24, 24);
    const Image bytes = to_bytes(frame);
    MergeOptions options = kPlain;
    EXPECT_GT(std::abs(int(*merged(bytes, over, options).at(70, 65)) - int(*bytes.at(70, 65))), 40);
    options.exclude = 1;
    EXPECT_LE(std::abs(int(*merged(bytes, over, options).at(70, 65)) - int(*bytes.at(70, 65))), 1);
}

class MergeOnDevice : public bifrons::test::OnDevice {};
BIFRONS_ON_ALL_DEVICES(MergeOnDevice);

TEST_P(MergeOnDevice, pastes_what_the_processor_pastes)
{
    const Image frame = smooth_frame(60, 70);
    const MergeOptions options{.beta = 0.5, .blend = BlendKind::poisson};
    Merger merger(options, GetParam());
    for (const double width : {22.0, 32.0}) { // the second needs more memory
        PredictedFace face = own_face(frame, alignment(34, 30, width));
        for (std::size_t i = 0; i < face.face.pixels.size(); ++i)
            face.face.pixels[i] *= i / 3 % 16 < 8 ? 0.6f : 1.0f; // stripes
        const Image want = merged(frame, face, options);
        Image got = frame;
        merger.merge(got, face);
        // Colours agree to a hundredth of a level, either Poisson solution is within a quarter of the exact one.
        EXPECT_LE(largest_difference(got, want), 1) << width;
        EXPECT_GT(largest_difference(got, frame), 10) << "something was pasted";
    }
}

TEST(Merge, values_that_are_no_colours_are_clipped)
{
    const Image frame = smooth_frame();
    PredictedFace face = own_face(frame, alignment(95, 75, 90));
    std::fill(face.face.pixels.begin(), face.face.pixels.end(), std::nanf(""));
    const Image got = merged(frame, face, kPlain);
    EXPECT_EQ(got.at(75, 95)[0], 0);
    EXPECT_EQ(got.at(5, 5)[0], frame.at(5, 5)[0]);
}

TEST(Merge, says_what_is_wrong_with_options_and_pictures)
{
    EXPECT_THROW(Merger({.erode_px = 101}), Error);
    EXPECT_THROW(Merger({.feather_px = -1}), Error);
    EXPECT_THROW(Merger({.alpha = 1.1}), Error);
    EXPECT_THROW(Merger({.beta = std::nan("")}), Error);
    EXPECT_EQ(blend_kind_of("poisson"), BlendKind::poisson);
    EXPECT_EQ(mask_kind_of("product"), MaskKind::product);
    EXPECT_EQ(color_kind_of("none"), ColorKind::none);
    EXPECT_EQ(color_kind_of("mkl"), ColorKind::mkl);
    EXPECT_THROW(color_kind_of("mix"), Error);

    Image frame = smooth_frame();
    PredictedFace face = own_face(frame, alignment(95, 75, 90));
    face.mask = {};
    try {
        Merger(kPlain).merge(frame, face);
        FAIL() << "a missing mask was not noticed";
    } catch (const Error& e) {
        EXPECT_NE(std::string(e.what()).find("--mask hull"), std::string::npos) << e.what();
    }
    face.mask = ImageF(kSide, kSide - 1, 1);
    EXPECT_THROW(Merger(kPlain).merge(frame, face), Error);
    face.face = ImageF(kSide, kSide, 1);
    EXPECT_THROW(Merger(kPlain).merge(frame, face), Error);
}

/// Distance to the nearest pixel of the other kind, the slow way; around the picture all is outside.
double distance_slowly(const ImageF& mask, std::int64_t y, std::int64_t x)
{
    const auto inside = [&](std::int64_t v, std::int64_t u) {
        return v >= 0 && u >= 0 && v < mask.H && u < mask.W && *mask.at(v, u) >= 0.5f;
    };
    double least = 1e9;
    for (std::int64_t v = -1; v <= mask.H; ++v)
        for (std::int64_t u = -1; u <= mask.W; ++u)
            if (inside(v, u) != inside(y, x)) least = std::min(least, std::hypot(double(v - y), double(u - x)));
    return least;
}

/// Root mean square of the Laplacian where the mask is 1.
double rms_laplacian(const ImageF& image, const ImageF& mask)
{
    double sum = 0, count = 0;
    for (std::int64_t y = 1; y + 1 < image.H; ++y)
        for (std::int64_t x = 1; x + 1 < image.W; ++x)
            for (int c = 0; c < 3 && *mask.at(y, x) > 0; ++c) {
                const double laplacian = 4.0 * image.at(y, x)[c] - image.at(y - 1, x)[c] - image.at(y + 1, x)[c] -
                                         image.at(y, x - 1)[c] - image.at(y, x + 1)[c];
                sum += laplacian * laplacian, count += 1;
            }
    return std::sqrt(sum / count);
}

class Sharpen : public ::testing::Test {
  protected:
    Sharpen()
    {
        std::mt19937 random(3);
        for (float& v : frame_.pixels) v = float(random() % 1000) / 1000;
        for (std::int64_t y = 5; y < 35; ++y)
            for (std::int64_t x = 5; x < 45; ++x) *mask_.at(y, x) = 1;
        for (std::int64_t y = 0; y < 40; ++y) // waves of 12 px: detail that a Gaussian of 2 px takes away in part
            for (std::int64_t x = 0; x < 50; ++x)
                for (int c = 0; c < 3; ++c) face_.at(y, x)[c] = 0.5f + 0.2f * float(std::sin(double(x + 2 * c) * 0.52));
    }
    ImageF frame_{40, 50, 3}, face_{40, 50, 3}, mask_{40, 50, 1};
};

TEST_F(Sharpen, reaches_the_share_that_is_asked_for)
{
    const double share = 1.5 * rms_laplacian(face_, mask_) / rms_laplacian(frame_, mask_);
    EXPECT_GT(sharpen(face_, frame_, mask_, share, 2), 0);
    EXPECT_NEAR(rms_laplacian(face_, mask_) / rms_laplacian(frame_, mask_), share, 1e-3 * share);
}

TEST_F(Sharpen, leaves_colours_as_they_are)
{
    const ImageF before = face_;
    ASSERT_GT(sharpen(face_, frame_, mask_, 1, 2), 0);
    for (std::size_t i = 0; i < face_.pixels.size(); i += 3)
        for (std::size_t c = 1; c < 3; ++c)
            ASSERT_NEAR(face_.pixels[i + c] - face_.pixels[i], before.pixels[i + c] - before.pixels[i], 1e-6);
}

TEST_F(Sharpen, leaves_alone_what_is_sharp_enough_and_what_has_no_detail)
{
    const ImageF before = face_;
    EXPECT_EQ(sharpen(face_, frame_, mask_, 0.9 * rms_laplacian(face_, mask_) / rms_laplacian(frame_, mask_), 2), 0);
    EXPECT_EQ(face_.pixels, before.pixels);
    std::fill(face_.pixels.begin(), face_.pixels.end(), 0.25f);
    sharpen(face_, frame_, mask_, 1, 2);
    for (const float v : face_.pixels) ASSERT_NEAR(v, 0.25f, 1e-5);
}

TEST_F(Sharpen, stops_where_edges_would_get_halos)
{
    EXPECT_EQ(sharpen(face_, frame_, mask_, 1, 2), kMostSharpening);
}

TEST(Merge, sharpens_on_request)
{
    const Image frame = smooth_frame();
    Image noisy = frame;
    for (std::size_t i = 0; i < noisy.pixels.size(); ++i)
        noisy.pixels[i] = std::uint8_t(noisy.pixels[i] ^ (i * 2654435761u >> 16 & 7));
    MergeOptions options = kPlain;
    const PredictedFace face = own_face(frame, alignment(95, 75, 64));
    const Image plain = merged(noisy, face, options);
    options.sharpen = 1;
    EXPECT_GT(largest_difference(merged(noisy, face, options), plain), 0);
}

TEST(MergeMask, shrinking_follows_the_distance_to_the_edge)
{
    ImageF mask(64, 47, 1); // scale 1/4
    std::mt19937 random(1);
    for (std::int64_t y = 0; y < 64; ++y)
        for (std::int64_t x = 0; x < 47; ++x)
            *mask.at(y, x) = std::hypot(double(y - 30), double(x - 22)) < 20 && random() % 100 > 2 ? 0.9f : 0.2f;
    for (const double erode : {6.0, -10.0}) {
        const ImageF got = shrink_and_feather(mask, erode, 0);
        for (std::int64_t y = 1; y < 63; ++y)
            for (std::int64_t x = 1; x < 46; ++x) {
                const bool inside = *mask.at(y, x) >= 0.5f;
                const double from_edge = (distance_slowly(mask, y, x) - 0.5) * (inside ? 1 : -1);
                ASSERT_NEAR(*got.at(y, x), std::clamp(from_edge - erode / 4 + 0.5, 0.0, 1.0), 1e-5) << y << "," << x;
            }
    }
}

TEST(MergeMask, feather_falls_inside_the_edge_only)
{
    ImageF mask(256, 256, 1); // the left half
    for (std::int64_t y = 0; y < 256; ++y)
        for (std::int64_t x = 0; x < 128; ++x) *mask.at(y, x) = 1;
    const ImageF got = shrink_and_feather(mask, 10, 24); // the edge is at x = 117.5, the fall from 93.5 on
    for (std::int64_t x = 119; x < 256; ++x) ASSERT_EQ(*got.at(128, x), 0) << x;
    for (std::int64_t x = 36; x < 93; ++x) ASSERT_NEAR(*got.at(128, x), 1, 1e-5) << x;
    for (std::int64_t x = 94; x < 117; ++x) ASSERT_LT(*got.at(128, x), *got.at(128, x - 1)) << x;
    EXPECT_NEAR((*got.at(128, 105) + *got.at(128, 106)) / 2, 0.5, 0.01);
}

TEST(MergeMask, sides_have_widths_of_their_own)
{
    ImageF mask(256, 256, 1); // a disc
    for (std::int64_t y = 0; y < 256; ++y)
        for (std::int64_t x = 0; x < 256; ++x) *mask.at(y, x) = std::hypot(double(y - 128), double(x - 128)) < 80;
    // Where the mask falls below one half, from the middle.
    const auto reach = [](const ImageF& image, std::int64_t dy, std::int64_t dx) {
        std::int64_t r = 0;
        while (*image.at(128 + dy * r, 128 + dx * r) >= 0.5f) ++r;
        return double(r);
    };
    const ImageF eroded = shrink_and_feather(mask, {4, 20, 10, -6}, 0);
    EXPECT_NEAR(reach(eroded, -1, 0), 76, 1);
    EXPECT_NEAR(reach(eroded, 1, 0), 60, 1);
    EXPECT_NEAR(reach(eroded, 0, -1), 70, 1);
    EXPECT_NEAR(reach(eroded, 0, 1), 86, 1);
    EXPECT_NEAR(std::sqrt(2) * reach(eroded, 1, 1), 80 - (20 - 6) / 2, 2) << "between right and bottom, their mean";
    const ImageF feathered = shrink_and_feather(mask, 0, {0, 40, 20, 20});
    EXPECT_NEAR(reach(feathered, -1, 0), 80, 1.5) << "half of its own width further in";
    EXPECT_NEAR(reach(feathered, 1, 0), 60, 1.5);
    EXPECT_NEAR(reach(feathered, 0, 1), 70, 1.5);
    EXPECT_GT(*feathered.at(128 - 76, 128), 0.98f);
    EXPECT_NEAR(*feathered.at(128 + 50, 128), 0.9, 0.07) << "a fall of 40 px";
}

TEST(MergeMask, a_face_beyond_the_picture_fades_before_its_edge)
{
    ImageF mask(128, 128, 1);
    std::fill(mask.pixels.begin(), mask.pixels.end(), 1.0f);
    const ImageF got = shrink_and_feather(mask, -8, 16); // 8 px wide here
    for (std::int64_t i = 0; i < 128; ++i)
        EXPECT_EQ(*got.at(0, i) + *got.at(127, i) + *got.at(i, 0) + *got.at(i, 127), 0);
    EXPECT_LT(*got.at(64, 1), 0.1f) << "no step to the frame's own pixel beside it";
    for (std::int64_t x = 1; x < 10; ++x) EXPECT_LE(std::abs(*got.at(64, x) - *got.at(64, x - 1)), 0.35f) << x;
    EXPECT_NEAR(*got.at(64, 10), 1, 1e-5);
}

TEST(MergeMask, brows_of_both_faces_stay_whole)
{
    constexpr std::int64_t kLarge = 256;
    const Landmarks target = test::mean_landmarks(110, 70, 60);
    Landmarks drawn = target; // with brows that are 9 px higher
    for (std::size_t i = 17; i < 27; ++i) drawn[i].y -= 9;
    const std::vector<Landmarks> both = {target, drawn};
    const ImageF mask = face_mask(MaskKind::hull, both, kLarge, {}), got = shrink_and_feather(mask, 8, 16, both),
                 without = shrink_and_feather(mask, 8, 16);
    const auto at = [](const ImageF& image, Point p) { return *image.at(std::lround(p.y), std::lround(p.x)); };
    for (const Landmarks& face : both)
        for (std::size_t i = 18; i < 26; ++i) { // but their outer ends, which lie on the hull's edge
            EXPECT_GT(at(got, face[i]), 0.75f) << i;
            EXPECT_GE(at(got, face[i]), at(without, face[i]));
        }
    EXPECT_LT(at(without, drawn[19]), 0.5f) << "which is what they are for";
    for (const std::size_t jaw : {4u, 8u, 12u}) EXPECT_EQ(at(got, target[jaw]), 0) << jaw;
}

TEST(MergeMask, an_untouched_mask_is_kept_but_for_the_pictures_edge)
{
    ImageF mask(8, 8, 1);
    std::fill(mask.pixels.begin(), mask.pixels.end(), 0.3f);
    const ImageF got = shrink_and_feather(mask, 0, 0);
    EXPECT_EQ(*got.at(3, 4), 0.3f);
    for (std::int64_t i = 0; i < 8; ++i) EXPECT_EQ(*got.at(0, i) + *got.at(7, i) + *got.at(i, 0) + *got.at(i, 7), 0);
}

TEST(MergeMask, kinds)
{
    ImageF predicted(kSide, kSide, 1);
    for (std::int64_t y = 0; y < kSide; ++y)
        for (std::int64_t x = 0; x < kSide; ++x) *predicted.at(y, x) = x < 32 ? 0.75f : 0.0f;
    const ImageF hull = face_mask(MaskKind::hull, {{oval()}}, kSide, {});
    EXPECT_EQ(*hull.at(31, 31), 1);
    EXPECT_EQ(*hull.at(31, 40), 1);
    EXPECT_EQ(*hull.at(60, 60), 0);
    EXPECT_EQ(face_mask(MaskKind::predicted, {{oval()}}, kSide, predicted).pixels, predicted.pixels);
    const ImageF product = face_mask(MaskKind::product, {{oval()}}, kSide, predicted);
    EXPECT_EQ(*product.at(31, 31), 0.75f);
    EXPECT_EQ(*product.at(31, 40), 0);
    EXPECT_EQ(*product.at(5, 5), 0);

    ImageF own(kSide, kSide, 1);
    std::fill(own.at(0, 0), own.at(16, 0), 0.5f);
    EXPECT_EQ(face_mask(MaskKind::hull, {{oval()}}, kSide, predicted, own).pixels, own.pixels);
    EXPECT_EQ(face_mask(MaskKind::predicted, {{oval()}}, kSide, predicted, own).pixels, predicted.pixels);
    const ImageF both = face_mask(MaskKind::product, {{oval()}}, kSide, predicted, own);
    EXPECT_EQ(*both.at(5, 5), 0.375f);
    EXPECT_EQ(*both.at(5, 40), 0);
    EXPECT_EQ(*both.at(31, 31), 0) << "outside of its own mask";
}

TEST(Merge, a_face_is_pasted_inside_its_own_mask)
{
    const Image frame = smooth_frame();
    const Affine face_from_frame = alignment(95, 75, 90);
    for (const MaskKind kind : {MaskKind::hull, MaskKind::product}) {
        PredictedFace face = own_face(frame, face_from_frame, 0.2f);
        face.own_mask = ImageF(kSide, kSide, 1);
        std::fill(face.own_mask.at(0, 0), face.own_mask.at(20, 0), 1.0f); // above the hull
        const Image got = merged(frame, face, {.mask = kind, .erode_px = 0, .color = ColorKind::none});
        std::int64_t inside = 0;
        for (std::int64_t y = 0; y < frame.H; ++y)
            for (std::int64_t x = 0; x < frame.W; ++x) {
                if (std::equal(got.at(y, x), got.at(y, x) + 3, frame.at(y, x))) continue;
                EXPECT_LE(face_from_frame(Point{double(x), double(y)}).y, 22) << x << ", " << y;
                ++inside;
            }
        EXPECT_GT(inside, 500) << name_of(kind);
    }
    PredictedFace face = own_face(frame, face_from_frame);
    face.own_mask = ImageF(kSide, 32, 1);
    BIFRONS_EXPECT_ERROR(merged(frame, face, kPlain), shape, "own mask is 64x32x1; expected 64x64x1");
}

} // namespace
