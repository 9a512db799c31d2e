#include "kernels/augment/augment.h"

#include "kernels/augment/augment_ref.h"
#include "tests/support/devices.h"
#include "tests/support/numerics.h"

#include <algorithm>
#include <array>

using namespace bifrons;
using namespace bifrons::kernels;
using namespace bifrons::test;

namespace {

constexpr AugmentOptions kNothing{.rotation_deg = 0, .scale = 0, .shift = 0, .flip = 0, .warp = false};

struct Batch {
    std::vector<float> input, target, mask, eyes_mouth;
};

/// Faces in host memory.
struct Album {
    std::int64_t count, side, margin;
    std::vector<std::uint8_t> images, masks, eyes_mouth = {};

    Faces faces(TestDevice& device) const
    {
        return {.count = count,
                .side = side,
                .margin = margin,
                .images = device.upload(images),
                .masks = device.upload(masks),
                .eyes_mouth = eyes_mouth.empty() ? View{} : device.upload(eyes_mouth)};
    }
    Faces faces() const
    {
        return {.count = count,
                .side = side,
                .margin = margin,
                .images = {images.data(), DType::u8},
                .masks = {masks.data(), DType::u8},
                .eyes_mouth = {eyes_mouth.data(), DType::u8}};
    }
};

Album random_album(std::int64_t count, std::int64_t side, std::int64_t margin = 0)
{
    const auto bytes = [](std::int64_t n, std::uint32_t seed) {
        return cast<std::uint8_t>(random_values<float>(n, seed, 0, 255.99));
    };
    return {count,
            side,
            margin,
            bytes(count * side * side * 3, 1),
            bytes(count * side * side, 2),
            bytes(count * side * side, 3)};
}

/// One face whose colour says where it was taken: blue = 4 column, green = 4 row; its mask is blue.
Album ramp_album(std::int64_t side)
{
    Album album{1, side, 0, {}, {}};
    for (std::int64_t row = 0; row < side; ++row)
        for (std::int64_t column = 0; column < side; ++column) {
            album.images.insert(album.images.end(), {std::uint8_t(4 * column), std::uint8_t(4 * row), 0});
            album.masks.push_back(std::uint8_t(4 * column));
        }
    return album;
}

Batch run(TestDevice& device, const BatchShape& s, const AugmentOptions& o, const Album& album, StepState state)
{
    const std::int64_t pixels = s.N * s.side * s.side;
    const View input = device.poisoned<float>(3 * pixels), target = device.poisoned<float>(3 * pixels),
               mask = device.poisoned<float>(pixels);
    const View eyes_mouth = album.eyes_mouth.empty() ? View{} : device.poisoned<float>(pixels);
    const auto* bytes = reinterpret_cast<const std::uint8_t*>(&state);
    const View where = device.upload(std::vector<std::uint8_t>(bytes, bytes + sizeof state));
    device.run_with_workspace(Augment{
        s, o, album.faces(device), static_cast<const StepState*>(where.data), {input, target, mask, eyes_mouth}});
    return {device.download<float>(input, 3 * pixels), device.download<float>(target, 3 * pixels),
            device.download<float>(mask, pixels),
            eyes_mouth ? device.download<float>(eyes_mouth, pixels) : std::vector<float>{}};
}

AugmentDraw draw(const BatchShape& s, const AugmentOptions& o, const Album& album, StepState state, std::int64_t sample)
{
    AugmentDraw d;
    draw_sample(s, o, album.faces(), state.seed, state.step, sample, d);
    return d;
}

class AugmentTest : public OnDevice {};
BIFRONS_ON_ALL_DEVICES(AugmentTest);

TEST_P(AugmentTest, nothing_asked_is_the_plain_resize)
{
    const Album same = random_album(1, 5);
    Batch b = run(device(), {.side = 5}, kNothing, same, {.seed = 1});
    for (std::size_t i = 0; i < b.target.size(); ++i) EXPECT_FLOAT_EQ(b.target[i], float(same.images[i]) / 255);
    for (std::size_t i = 0; i < b.mask.size(); ++i) EXPECT_FLOAT_EQ(b.mask[i], float(same.masks[i]) / 255);
    EXPECT_EQ(b.input, b.target);
    for (std::size_t i = 0; i < b.mask.size(); ++i)
        EXPECT_FLOAT_EQ(b.eyes_mouth[i], float(same.eyes_mouth[i]) / 255 * b.mask[i]) << "nothing outside the face";

    const Album framed = random_album(1, 9, 2); // 5 x 5 pixels within a margin of 2
    b = run(device(), {.side = 5}, kNothing, framed, {.seed = 1});
    for (std::size_t row = 0; row < 5; ++row)
        for (std::size_t column = 0; column < 5; ++column)
            EXPECT_FLOAT_EQ(b.mask[5 * row + column], float(framed.masks[9 * (row + 2) + column + 2]) / 255);

    const Album twice = random_album(1, 6); // 3 x 3 pixels, each the mean of 2 x 2
    b = run(device(), {.side = 3}, kNothing, twice, {.seed = 1});
    for (std::size_t row = 0; row < 3; ++row)
        for (std::size_t column = 0; column < 3; ++column) {
            const std::size_t corner = 12 * row + 2 * column;
            int mask = 0, blue = 0;
            for (const std::size_t at : {corner, corner + 1, corner + 6, corner + 7})
                mask += twice.masks[at], blue += twice.images[3 * at];
            EXPECT_NEAR(b.mask[3 * row + column], mask / 1020.0, 1e-6);
            EXPECT_NEAR(b.target[3 * (3 * row + column)], blue / 1020.0, 1e-6);
        }
}

TEST_P(AugmentTest, flip_mirrors)
{
    const Album album = random_album(1, 8);
    AugmentOptions o = kNothing;
    const Batch plain = run(device(), {.side = 8}, o, album, {.seed = 1});
    o.flip = 1;
    const Batch flipped = run(device(), {.side = 8}, o, album, {.seed = 1});
    for (std::size_t row = 0; row < 8; ++row)
        for (std::size_t column = 0; column < 8; ++column) {
            EXPECT_EQ(flipped.mask[8 * row + column], plain.mask[8 * row + 7 - column]);
            for (std::size_t c = 0; c < 3; ++c)
                EXPECT_EQ(flipped.target[3 * (8 * row + column) + c], plain.target[3 * (8 * row + 7 - column) + c]);
        }
}

TEST_P(AugmentTest, transform_is_the_affine_formula)
{
    const Album album = ramp_album(64);
    const BatchShape s{.N = 6, .side = 64};
    const AugmentOptions o{.flip = 0.5f, .warp = false};
    const Batch b = run(device(), s, o, album, {.seed = 7, .step = 3});
    int inside = 0;
    for (std::int64_t n = 0; n < s.N; ++n) {
        const AugmentDraw d = draw(s, o, album, {.seed = 7, .step = 3}, n);
        for (std::int64_t pixel = 0; pixel < 64 * 64; ++pixel) {
            const auto at = std::size_t(n * 64 * 64 + pixel);
            // Where the ramp says that the pixel was taken, in sides from the centre.
            const double column = double(b.target[3 * at]) * 255 / 4, row = double(b.target[3 * at + 1]) * 255 / 4;
            if (column < 2 || column > 61 || row < 2 || row > 61) continue; // the repeated border
            const double x = (column + 0.5) / 64 - 0.5, y = (row + 0.5) / 64 - 0.5;
            double out_x = d.scale * (d.cos * x - d.sin * y) + d.shift_x;
            const double out_y = d.scale * (d.sin * x + d.cos * y) + d.shift_y;
            if (d.flip) out_x = -out_x;
            ASSERT_NEAR(out_x, (double(pixel % 64) + 0.5) / 64 - 0.5, 2e-5) << n << " " << pixel;
            ASSERT_NEAR(out_y, (double(pixel / 64) + 0.5) / 64 - 0.5, 2e-5) << n << " " << pixel;
            ASSERT_NEAR(b.mask[at], b.target[3 * at], 1e-5) << "mask and target are taken at the same place";
            ++inside;
        }
    }
    EXPECT_GT(inside, 6 * 64 * 64 / 2);
}

TEST_P(AugmentTest, warp_moves_the_input_only_and_by_its_grid)
{
    const Album album = ramp_album(64);
    const BatchShape s{.N = 8, .side = 64};
    AugmentOptions o = kNothing;
    const Batch still = run(device(), s, o, album, {.seed = 2});
    EXPECT_EQ(still.input, still.target);
    o.warp = true;
    const Batch warped = run(device(), s, o, album, {.seed = 2});
    EXPECT_EQ(warped.target, still.target);
    EXPECT_EQ(warped.mask, still.mask);
    for (std::int64_t n = 0; n < s.N; ++n) {
        const AugmentDraw d = draw(s, o, album, {.seed = 2}, n);
        for (std::int64_t pixel = 0; pixel < 64 * 64; ++pixel) {
            const double x = double(pixel % 64), y = double(pixel / 64);
            double want_x = x, want_y = y; // plus the nodes' displacements, each weighted with its hat function
            for (int row = 0; row <= d.cells; ++row)
                for (int column = 0; column <= d.cells; ++column) {
                    const double hat = std::max(0.0, 1 - std::abs((x + 0.5) / 64 * d.cells - column)) *
                                       std::max(0.0, 1 - std::abs((y + 0.5) / 64 * d.cells - row));
                    want_x += 64 * hat * double(d.nodes[row][column].x);
                    want_y += 64 * hat * double(d.nodes[row][column].y);
                }
            if (std::min(want_x, want_y) < 2 || std::max(want_x, want_y) > 61) continue; // the repeated border
            const auto at = std::size_t(3 * (n * 64 * 64 + pixel));
            ASSERT_NEAR(double(warped.input[at]) * 255 / 4, want_x, 1e-4);
            ASSERT_NEAR(double(warped.input[at + 1]) * 255 / 4, want_y, 1e-4);
        }
    }
    double moved = 0;
    for (std::size_t i = 0; i < warped.input.size(); ++i)
        moved = std::max(moved, std::abs(double(warped.input[i]) - warped.target[i]) * 255 / 4);
    EXPECT_GT(moved, 2) << "px";
    EXPECT_LE(moved, 0.24 * 32 + 1e-3) << "no further than 0.24 of the largest cell";
}

TEST_P(AugmentTest, warp_ends_after_its_steps)
{
    const Album album = ramp_album(64);
    const BatchShape s{.N = 2, .side = 64};
    AugmentOptions o = kNothing;
    o.warp = true, o.warp_steps = 5;
    const Batch last = run(device(), s, o, album, {.seed = 2, .step = 5}),
                behind = run(device(), s, o, album, {.seed = 2, .step = 6});
    EXPECT_NE(last.input, last.target);
    EXPECT_EQ(behind.input, behind.target);
}

TEST_P(AugmentTest, agrees_with_the_definition)
{
    const AugmentOptions plain, colored{.hue_deg = 40, .saturation = 0.4f, .value = 0.3f},
        wild{.rotation_deg = 180, .scale = 1, .shift = 0.5f, .flip = 0.5f};
    struct {
        std::int64_t N, side, stored, margin;
        AugmentOptions options;
    } const cases[] = {{3, 13, 17, 2, plain},   {2, 16, 16, 0, plain},   {3, 17, 61, 0, plain}, {1, 1, 1, 0, plain},
                       {4, 24, 24, 0, colored}, {4, 11, 30, 3, colored}, {8, 12, 15, 0, wild},  {2, 20, 7, 0, wild}};
    for (const auto& c : cases) {
        const Album album = random_album(3, c.stored, c.margin);
        const BatchShape s{.N = c.N, .side = c.side, .purpose = 1};
        const std::size_t pixels = std::size_t(c.N * c.side * c.side);
        std::vector<double> input(3 * pixels), target(3 * pixels), mask(pixels), eyes_mouth(pixels);
        ref::augment(s, c.options, album.faces(), 11, 5, input.data(), target.data(), mask.data(), eyes_mouth.data());
        const Batch got = run(device(), s, c.options, album, {.seed = 11, .step = 5});
        const double bound = std::ldexp(64.0 * double(std::max(c.stored, c.side)), -24);
        EXPECT_TRUE(within(got.input, input, bound)) << c.side << " from " << c.stored;
        EXPECT_TRUE(within(got.target, target, bound)) << c.side << " from " << c.stored;
        EXPECT_TRUE(within(got.mask, mask, bound)) << c.side << " from " << c.stored;
        EXPECT_TRUE(within(got.eyes_mouth, eyes_mouth, 2 * bound)) << c.side << ": of two factors up to 1";
    }
}

TEST_P(AugmentTest, a_sample_depends_on_nothing_but_its_name)
{
    const Album album = random_album(5, 20);
    const AugmentOptions o{.hue_deg = 10};
    const Batch five = run(device(), {.N = 5, .side = 16}, o, album, {.seed = 3, .step = 9});
    const Batch two = run(device(), {.N = 2, .side = 16}, o, album, {.seed = 3, .step = 9});
    EXPECT_TRUE(std::equal(two.input.begin(), two.input.end(), five.input.begin())) << "sample i of any N";
    EXPECT_TRUE(std::equal(two.mask.begin(), two.mask.end(), five.mask.begin()));
    const Batch last = run(device(), {.N = 2, .side = 16, .first = 3}, o, album, {.seed = 3, .step = 9});
    EXPECT_TRUE(std::equal(last.input.rbegin(), last.input.rend(), five.input.rbegin())) << "numbered from the first";
    EXPECT_EQ(run(device(), {.N = 5, .side = 16}, o, album, {.seed = 3, .step = 9}).input, five.input);
    EXPECT_NE(run(device(), {.N = 5, .side = 16}, o, album, {.seed = 4, .step = 9}).target, five.target);
    EXPECT_NE(run(device(), {.N = 5, .side = 16}, o, album, {.seed = 3, .step = 10}).target, five.target);
    EXPECT_NE(run(device(), {.N = 5, .side = 16, .purpose = 1}, o, album, {.seed = 3, .step = 9}).target, five.target);
}

TEST(Augment, one_and_two_threads_give_the_same_bits)
{
    const Album album = random_album(2, 40);
    TestDevice one("cpu:1");
    const Batch a = run(one, {.N = 3, .side = 32}, {.value = 0.2f}, album, {.seed = 5});
    TestDevice two("cpu:2");
    const Batch b = run(two, {.N = 3, .side = 32}, {.value = 0.2f}, album, {.seed = 5});
    EXPECT_EQ(a.input, b.input);
    EXPECT_EQ(a.target, b.target);
    EXPECT_EQ(a.mask, b.mask);
    EXPECT_EQ(a.eyes_mouth, b.eyes_mouth);
}

TEST(Augment, every_bin_of_yaw_is_drawn_as_often)
{
    // Nine faces: one bin of six, one of two, one of one.
    const Album album = random_album(9, 2);
    const std::vector<std::int64_t> begins = {0, 6, 8, 9}, order = {8, 7, 6, 5, 4, 3, 0, 2, 1};
    Faces faces = album.faces();
    faces.yaw_bins = 3;
    faces.yaw_begins = {begins.data(), DType::i64};
    faces.yaw_faces = {order.data(), DType::i64};
    const int n = 6000;
    std::array<int, 9> drawn{};
    AugmentDraw evenly, plainly;
    for (int i = 0; i < n; ++i) {
        draw_sample({}, {}, faces, 1, 0, i, evenly);
        draw_sample({}, {}, album.faces(), 1, 0, i, plainly);
        ++drawn[std::size_t(evenly.face)];
        EXPECT_EQ(evenly.scale, plainly.scale) << "nothing else changes";
    }
    for (std::size_t k = 0; k < 9; ++k) { // binomial, within 4 deviations
        const double p = (k == 1 ? 1.0 : k == 0 || k == 2 ? 0.5 : 1.0 / 6) / 3;
        EXPECT_NEAR(drawn[k], n * p, 4 * std::sqrt(n * p * (1 - p))) << k;
    }
}

TEST_P(AugmentTest, draws_by_yaw_and_from_recoloured_pictures)
{
    const Album album = random_album(5, 16);
    const std::vector<std::int64_t> begins = {0, 1, 5}, order = {3, 4, 0, 2, 1};
    const std::vector<std::uint8_t> recolored = random_album(4, 16).images;
    const auto with = [&](Faces faces, ConstView b, ConstView o, ConstView r) {
        faces.yaw_bins = 2, faces.yaw_begins = b, faces.yaw_faces = o, faces.recolored = r;
        return faces;
    };
    const BatchShape s{.N = 4, .side = 12};
    std::vector<double> input(3 * 576), target(input), mask(576);
    ref::augment(
        s, {},
        with(album.faces(), {begins.data(), DType::i64}, {order.data(), DType::i64}, {recolored.data(), DType::u8}), 11,
        5, input.data(), target.data(), mask.data(), static_cast<double*>(nullptr));
    const auto numbers = [&](const std::vector<std::int64_t>& values) {
        const auto* bytes = reinterpret_cast<const std::uint8_t*>(values.data());
        return ConstView{device().upload(std::vector<std::uint8_t>(bytes, bytes + 8 * values.size())).data, DType::i64};
    };
    const StepState state{.seed = 11, .step = 5};
    const auto* bytes = reinterpret_cast<const std::uint8_t*>(&state);
    const View where = device().upload(std::vector<std::uint8_t>(bytes, bytes + sizeof state)),
               in = device().poisoned<float>(3 * 576), t = device().poisoned<float>(3 * 576),
               m = device().poisoned<float>(576);
    run(exec(), Augment{s,
                        {},
                        with(album.faces(device()), numbers(begins), numbers(order), device().upload(recolored)),
                        static_cast<const StepState*>(where.data),
                        {in, t, m}});
    const double bound = std::ldexp(64.0 * 16, -24);
    EXPECT_TRUE(within(device().download<float>(in, 3 * 576), input, bound));
    EXPECT_TRUE(within(device().download<float>(t, 3 * 576), target, bound));
    EXPECT_TRUE(within(device().download<float>(m, 576), mask, bound));
}

TEST(Augment, draws_cover_their_ranges)
{
    const Album album = random_album(7, 2);
    const AugmentOptions o;
    const int n = 6000;
    double largest_turn = 0, smallest_scale = 9, largest_scale = 0, largest_shift = 0, largest_node = 0;
    std::array<int, 7> faces{};
    std::array<int, 9> cells{};
    int flips = 0;
    for (int i = 0; i < n; ++i) {
        const AugmentDraw d = draw({}, o, album, {.seed = 1}, i);
        ++faces[std::size_t(d.face)];
        ++cells[std::size_t(d.cells)];
        flips += d.flip;
        EXPECT_NEAR(d.sin * d.sin + d.cos * d.cos, 1, 1e-6);
        largest_turn = std::max(largest_turn, std::abs(std::atan2(double(d.sin), double(d.cos))));
        smallest_scale = std::min(smallest_scale, double(d.scale));
        largest_scale = std::max(largest_scale, double(d.scale));
        largest_shift = std::max({largest_shift, std::abs(double(d.shift_x)), std::abs(double(d.shift_y))});
        for (int row = 0; row <= d.cells; ++row)
            for (int column = 0; column <= d.cells; ++column) {
                const auto node = d.nodes[row][column];
                const double size = std::max(std::abs(node.x), std::abs(node.y)) * float(d.cells);
                const bool border = row % d.cells == 0 || column % d.cells == 0;
                EXPECT_EQ(size == 0, border) << "the border stays";
                largest_node = std::max(largest_node, size);
            }
    }
    const double degree = std::acos(-1.0) / 180, sigma = std::sqrt(double(n));
    EXPECT_NEAR(largest_turn, 10 * degree, 0.02 * degree);
    EXPECT_NEAR(smallest_scale, 1 / 1.15, 5e-4);
    EXPECT_NEAR(largest_scale, 1.15, 5e-4);
    EXPECT_NEAR(largest_shift, 0.05, 5e-5);
    EXPECT_NEAR(largest_node, 0.24, 1e-3);
    EXPECT_LE(largest_node, 0.24 * (1 + 1e-6));
    EXPECT_NEAR(flips, 0.4 * n, 4 * 0.49 * sigma);
    for (const int count : faces) EXPECT_NEAR(count, n / 7.0, 4 * 0.35 * sigma);
    for (const std::size_t k : {2, 4, 8}) EXPECT_NEAR(cells[k], n / 3.0, 4 * 0.47 * sigma);
}

TEST(Augment, colour_shift_turns_hue_and_scales_saturation_and_value)
{
    const auto shifted = [](std::array<double, 3> bgr, float hue, float saturation, float value) {
        AugmentDraw d{};
        d.hue = hue, d.saturation = saturation, d.value = value;
        ref::shift_color(d, bgr.data());
        return std::vector<double>(bgr.begin(), bgr.end());
    };
    EXPECT_TRUE(within(shifted({0, 0, 1}, 2, 1, 1), {0, 1, 0}, 1e-15)) << "red turned by 120 degrees is green";
    EXPECT_TRUE(within(shifted({0, 0, 1}, -1, 1, 1), {1, 0, 1}, 1e-15)) << "red turned by -60 degrees is magenta";
    EXPECT_TRUE(within(shifted({0.2, 0.5, 0.8}, 0, 1, 1), {0.2, 0.5, 0.8}, 1e-15)) << "nothing";
    EXPECT_TRUE(within(shifted({0.2, 0.5, 0.8}, 0, 0, 1), {0.8, 0.8, 0.8}, 1e-15)) << "no saturation is grey";
    EXPECT_TRUE(within(shifted({0.2, 0.5, 0.8}, 0, 1, 0.5), {0.1, 0.25, 0.4}, 1e-15)) << "half the value";
    EXPECT_TRUE(within(shifted({0.2, 0.5, 0.8}, 0, 9, 9), {0, 0.5, 1}, 1e-15)) << "both kept in their range";
    EXPECT_TRUE(within(shifted({0.5, 0.5, 0.5}, 2, 2, 1.5), {0.75, 0.75, 0.75}, 1e-15)) << "grey stays grey";
    EXPECT_TRUE(within(shifted({0, 0, 0}, 2, 2, 2), {0, 0, 0}, 1e-15)) << "black stays black";
}

TEST(Augment, names_what_it_cannot_use)
{
    TestDevice cpu("cpu");
    const Album album = random_album(1, 4);
    EXPECT_THROW(run(cpu, {.side = 4}, {.scale = -0.1f}, album, {}), Error);
    EXPECT_THROW(run(cpu, {.side = 4}, {.flip = 1.5f}, album, {}), Error);
    EXPECT_THROW(run(cpu, {.side = 4, .purpose = 1u << 16}, {}, album, {}), Error);
    EXPECT_THROW(run(cpu, {.side = 4}, {}, {0, 4, 0, {0}, {0}}, {}), Error);
    const View out = cpu.poisoned<float>(48);
    Faces faces = album.faces();
    faces.eyes_mouth = {};
    EXPECT_THROW(run(cpu.exec(), Augment{{.side = 4}, {}, faces, nullptr, {out, out, out, out}}), Error);
}

} // namespace
