#include "kernels/augment/recolor.h"

#include "kernels/augment/recolor_draw.h"
#include "tests/support/devices.h"
#include "tests/support/numerics.h"

using namespace bifrons;
using namespace bifrons::kernels;
using namespace bifrons::test;

namespace {

constexpr std::int64_t kSide = 6, kValues = 3 * kSide * kSide;

std::vector<std::uint8_t> bytes_between(std::int64_t n, std::uint32_t seed, double low, double high)
{
    return cast<std::uint8_t>(random_values<float>(n, seed, low, high));
}

/// Three faces and five references.
struct Albums {
    std::vector<std::uint8_t> own = bytes_between(3 * kValues, 1, 90, 140.99),
                              others = bytes_between(5 * kValues, 2, 20, 220.99);

    static Faces faces(std::int64_t count, ConstView images)
    {
        return {.count = count, .side = kSide, .images = images};
    }
    Faces own_faces(TestDevice& device) const { return faces(3, device.upload(own)); }
    Faces other_faces(TestDevice& device) const { return faces(5, device.upload(others)); }
};

std::vector<std::uint8_t> run(TestDevice& device, const BatchShape& s, ColorMatch kind, StepState state)
{
    const Albums albums;
    const auto* bytes = reinterpret_cast<const std::uint8_t*>(&state);
    const View where = device.upload(std::vector<std::uint8_t>(bytes, bytes + sizeof state)),
               out = device.poisoned<std::uint8_t>(s.N * kValues);
    device.run_with_workspace(Recolor{s, kind, albums.own_faces(device), albums.other_faces(device),
                                      static_cast<const StepState*>(where.data), out});
    return device.download<std::uint8_t>(out, s.N * kValues);
}

class RecolorTest : public OnDevice {};
BIFRONS_ON_ALL_DEVICES(RecolorTest);

TEST_P(RecolorTest, is_the_match_of_the_faces_that_are_drawn_rounded)
{
    const Albums albums;
    const StepState state{.seed = 3, .step = 8};
    for (const ColorMatch kind :
         {ColorMatch::rct, ColorMatch::lct, ColorMatch::mkl, ColorMatch::idt, ColorMatch::sot}) {
        const BatchShape s{.N = 4, .side = 5, .purpose = 6};
        std::vector<float> x, y;
        for (std::int64_t n = 0; n < s.N; ++n) {
            AugmentDraw d; // what Augment draws
            draw_sample(s, {}, Albums::faces(3, {}), state.seed, state.step, n, d);
            const std::int64_t other = Rng(3, 8, std::uint64_t(n), 6 | kReferencePurpose).below(5);
            for (std::int64_t i = 0; i < kValues; ++i) {
                x.push_back(level_of(albums.own[std::size_t(d.face * kValues + i)]));
                y.push_back(level_of(albums.others[std::size_t(other * kValues + i)]));
            }
        }
        const View want = device().poisoned<float>(s.N * kValues);
        const MatchShape match{.N = 4, .H = kSide, .W = kSide, .kind = kind, .purpose = 6 | kDirectionPurpose};
        const auto* bytes = reinterpret_cast<const std::uint8_t*>(&state);
        const View where = device().upload(std::vector<std::uint8_t>(bytes, bytes + sizeof state));
        run(exec(),
            MatchColors{
                match, device().upload(x), device().upload(y), {}, static_cast<const StepState*>(where.data), want});
        const auto levels = device().download<float>(want, s.N * kValues);
        const auto got = run(device(), s, kind, state);
        for (std::size_t i = 0; i < got.size(); ++i) EXPECT_NEAR(got[i], 255 * levels[i], 0.5 + 1e-4) << int(kind);
        EXPECT_EQ(run(device(), s, kind, state), got);
        EXPECT_NE(run(device(), s, kind, {.seed = 3, .step = 9}), got);
    }
}

TEST_P(RecolorTest, a_sample_depends_on_nothing_but_its_name)
{
    const auto five = run(device(), {.N = 5}, ColorMatch::mkl, {.seed = 1}),
               two = run(device(), {.N = 2}, ColorMatch::mkl, {.seed = 1});
    EXPECT_TRUE(std::equal(two.begin(), two.end(), five.begin()));
    const auto last = run(device(), {.N = 2, .first = 3}, ColorMatch::idt, {.seed = 1}),
               all = run(device(), {.N = 5}, ColorMatch::idt, {.seed = 1});
    EXPECT_TRUE(std::equal(last.begin(), last.end(), all.begin() + 3 * kValues)) << "a step in several batches";
}

TEST(Recolor, names_what_it_cannot_use)
{
    TestDevice cpu("cpu");
    const Albums albums;
    const View out = cpu.poisoned<std::uint8_t>(kValues);
    Faces other = albums.other_faces(cpu);
    EXPECT_THROW(run(cpu.exec(), Recolor{{}, ColorMatch::none, albums.own_faces(cpu), other, nullptr, out}), Error);
    other.side = 5;
    EXPECT_THROW(run(cpu.exec(), Recolor{{}, ColorMatch::lct, albums.own_faces(cpu), other, nullptr, out}), Error);
    other.side = kSide, other.count = 0;
    EXPECT_THROW(run(cpu.exec(), Recolor{{}, ColorMatch::lct, albums.own_faces(cpu), other, nullptr, out}), Error);
}

} // namespace
