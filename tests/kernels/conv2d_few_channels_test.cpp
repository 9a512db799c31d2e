// Methods few_channels and head of the convolution against the definition: exact on whole numbers, within the bound on
// others.
#include "kernels/conv2d/conv2d_few_channels.h"

#include "kernels/conv2d/conv2d_head.h"
#include "kernels/conv2d/conv2d_transpose.h"
#include "tests/kernels/conv2d_problem.h"
#include "tests/support/stores.h"

using namespace bifrons;
using namespace bifrons::kernels;
using namespace bifrons::test;

namespace {

class Conv2dFewChannels : public OnDevice {};
BIFRONS_ON_GPU_DEVICES(Conv2dFewChannels);

// The first layer and the heads of the models, then tails of tiles, of groups of channels and of copies; more tiles
// than blocks; a filter wider than the picture; several steps for a filter's row; a head with copies of 8 bytes whose
// last channels are not 32 (22 channels: of 4 bytes).
const Conv2dShape kShapes[] = {
    {.N = 1, .H = 17, .W = 70, .C = 3, .K = 64, .R = 5, .S = 5, .stride = 2, .pad = 2},
    {.N = 2, .H = 5, .W = 34, .C = 128, .K = 9, .R = 3, .S = 3, .pad = 1},
    {.N = 2, .H = 6, .W = 9, .C = 64, .K = 3, .R = 1, .S = 1, .pad = 0},
    {.N = 1, .H = 4, .W = 7, .C = 22, .K = 1, .R = 1, .S = 1, .pad = 0},
    {.N = 2, .H = 9, .W = 37, .C = 1, .K = 70, .R = 3, .S = 2, .stride = 3, .pad = 1},
    {.N = 19, .H = 8, .W = 3, .C = 3, .K = 5, .R = 3, .S = 3, .pad = 1},
    {.N = 1, .H = 3, .W = 2, .C = 12, .K = 72, .R = 3, .S = 3, .pad = 3},
    {.N = 1, .H = 6, .W = 5, .C = 40, .K = 12, .R = 2, .S = 3, .pad = 1},
    {.N = 2, .H = 9, .W = 35, .C = 44, .K = 16, .R = 3, .S = 3, .pad = 0},
};

std::string name(const Conv2dShape& s)
{
    return str("x ", s.N, "x", s.H, "x", s.W, "x", s.C, " w ", s.K, "x", s.R, "x", s.S, " stride ", s.stride, " pad ",
               s.pad);
}

bool is_head(const Conv2dShape& s)
{
    return head_supports(Conv2dPass::fwd, s, DType::bf16);
}

/// Whether one of the two methods computes the pass.
bool supports(Conv2dPass pass, const Conv2dShape& s)
{
    return few_channels_supports(pass, s, DType::bf16) || head_supports(pass, s, DType::bf16);
}

Conv2dShape with_method(Conv2dShape s)
{
    s.method = Conv2dMethod::few_channels;
    return s;
}

/// The forward pass of a head has a method of its own.
Conv2dShape forward_of(Conv2dShape s)
{
    if (is_head(s)) s.method = Conv2dMethod::head;
    return s;
}

TEST(Conv2dFewChannelsSupport, takes_the_first_layer_and_the_heads)
{
    for (const Conv2dShape& s : kShapes) {
        EXPECT_EQ(is_head(s), s.C > 12 && s.K <= 16) << name(s);
        EXPECT_TRUE(supports(Conv2dPass::fwd, s)) << name(s);
        EXPECT_EQ(supports(Conv2dPass::dgrad, s), s.K <= 12 && s.stride == 1) << name(s);
        EXPECT_EQ(supports(Conv2dPass::wgrad, s), std::min(s.C, s.K) <= 12) << name(s);
    }
    EXPECT_FALSE(supports(Conv2dPass::fwd, {.H = 8, .W = 8, .C = 13, .K = 64}));
    for (const Conv2dShape& s :
         {Conv2dShape{.H = 8, .W = 8, .C = 64, .K = 17}, Conv2dShape{.H = 8, .W = 8, .C = 33, .K = 3},
          Conv2dShape{.H = 8, .W = 8, .C = 64, .K = 3, .stride = 2},
          Conv2dShape{.H = 8, .W = 8, .C = 64, .K = 3, .R = 5, .S = 5, .pad = 2}})
        EXPECT_FALSE(supports(Conv2dPass::fwd, s)) << name(s);
    EXPECT_FALSE(supports(Conv2dPass::dgrad, {.H = 8, .W = 8, .C = 64, .K = 3, .stride = 2}));
    EXPECT_FALSE(supports(Conv2dPass::fwd, {.H = 64, .W = 64, .C = 12, .K = 64, .R = 5, .S = 5, .stride = 2}))
        << "a patch beyond the room for it";
    EXPECT_FALSE(few_channels_supports(Conv2dPass::fwd, kShapes[0], DType::f32));
}

TEST_P(Conv2dFewChannels, is_exact_on_whole_numbers)
{
    for (const Conv2dShape& shape : kShapes) {
        const Conv2dShape s = with_method(shape);
        SCOPED_TRACE(name(s));
        const Conv2dProblem<bf16> p(s, whole_numbers<bf16>);
        const View x = device().upload(p.x), w = device().upload(p.w), dy = device().upload(p.dy);
        if (supports(Conv2dPass::fwd, s)) {
            const View y = device().poisoned<bf16>(s.y_size()), wide = device().poisoned<float>(s.y_size());
            run(exec(), Conv2dFwd{forward_of(s), x, w, y, {}});
            EXPECT_EQ(bits_of(device().download<bf16>(y, s.y_size())), bits_of(cast<bf16>(p.y))) << "fwd";
            run(exec(), Conv2dFwd{forward_of(s), x, w, wide, {}});
            EXPECT_EQ(device().download<float>(wide, s.y_size()), cast<float>(p.y)) << "fwd to f32";
        }
        if (supports(Conv2dPass::dgrad, s)) {
            const View dx = device().poisoned<bf16>(s.x_size());
            run(exec(), Conv2dDgrad{s, dy, w, {.out = dx}});
            EXPECT_EQ(bits_of(device().download<bf16>(dx, s.x_size())), bits_of(cast<bf16>(p.dx))) << "dgrad";
        }
        if (!supports(Conv2dPass::wgrad, s)) continue;
        const View dw = device().poisoned<float>(s.w_size()), db = device().poisoned<float>(s.K);
        run(exec(), Conv2dWgrad{s, dy, x, dw, db, false});
        EXPECT_EQ(device().download<float>(dw, s.w_size()), cast<float>(p.dw)) << "wgrad";
        run(exec(), Conv2dWgrad{s, dy, x, dw, db, true});
        Doubles twice(p.dw);
        for (double& v : twice) v *= 2;
        EXPECT_EQ(device().download<float>(dw, s.w_size()), cast<float>(twice)) << "wgrad accumulates";
    }
}

TEST_P(Conv2dFewChannels, agrees_with_the_definition)
{
    for (const Conv2dShape& shape : {kShapes[0], kShapes[1], kShapes[5], kShapes[8]}) {
        const Conv2dShape s = with_method(shape);
        SCOPED_TRACE(name(s));
        const Conv2dProblem<bf16> p(s, [](std::int64_t n, std::uint32_t seed) { return random_values<bf16>(n, seed); });
        const View x = device().upload(p.x), w = device().upload(p.w), dy = device().upload(p.dy);
        if (supports(Conv2dPass::fwd, s)) {
            const View y = device().poisoned<bf16>(s.y_size());
            run(exec(), Conv2dFwd{forward_of(s), x, w, y, {}});
            const auto first = device().download<bf16>(y, s.y_size());
            EXPECT_TRUE(within(first, p.y, bounds<bf16>(p.y, p.abs_y, s.R * s.S * s.C)));
            run(exec(), Conv2dFwd{forward_of(s), x, w, y, {}});
            EXPECT_EQ(bits_of(device().download<bf16>(y, s.y_size())), bits_of(first)) << "repeats to the bit";
            const View wide = device().poisoned<float>(s.y_size());
            run(exec(), Conv2dFwd{forward_of(s), x, w, wide, {}});
            EXPECT_TRUE(
                within(device().download<float>(wide, s.y_size()), p.y, bounds<float>(p.y, p.abs_y, s.R * s.S * s.C)));
        }
        if (supports(Conv2dPass::dgrad, s))
            expect_stores<bf16>(device(), p.dx, bounds<float>(p.dx, p.abs_dx, s.R * s.S * s.K), [&](const Store& d) {
                run(exec(), Conv2dDgrad{s, dy, w, d});
            });
        if (!supports(Conv2dPass::wgrad, s)) continue;
        const View dw = device().poisoned<float>(s.w_size());
        run(exec(), Conv2dWgrad{s, dy, x, dw, {}, false});
        const auto first = device().download<float>(dw, s.w_size());
        EXPECT_TRUE(within(first, p.dw, bounds<float>(p.dw, p.abs_dw, s.N * s.P() * s.Q())));
        run(exec(), Conv2dWgrad{s, dy, x, dw, {}, false});
        EXPECT_EQ(device().download<float>(dw, s.w_size()), first) << "repeats to the bit";
    }
}

TEST_P(Conv2dFewChannels, stores_as_the_epilogue_says)
{
    const Conv2dShape first_layer{.N = 2, .H = 7, .W = 9, .C = 3, .K = 32, .R = 5, .S = 5, .stride = 2, .pad = 2};
    const Conv2dShape head{.N = 2, .H = 7, .W = 9, .C = 20, .K = 12, .R = 3, .S = 3, .pad = 1};
    for (const Conv2dShape& shape : {first_layer, head}) {
        const Conv2dShape s = with_method(shape);
        SCOPED_TRACE(name(s));
        const Conv2dProblem<bf16> p(s, whole_numbers<bf16>);
        const View x = device().upload(p.x), w = device().upload(p.w);
        const auto store = [&](View y, const Epilogue& e) { run(exec(), Conv2dFwd{forward_of(s), x, w, y, e}); };
        expect_epilogues<bf16>(device(), s.y_shape(), p.y, store);
        expect_epilogues<float>(device(), s.y_shape(), p.y, store);
    }
}

TEST_P(Conv2dFewChannels, transposed_stores_as_the_epilogue_says)
{
    const Conv2dShape s = with_method({.N = 1, .H = 5, .W = 6, .C = 16, .K = 9, .R = 3, .S = 3, .pad = 1});
    const Conv2dProblem<bf16> p(s, whole_numbers<bf16>);
    const View dy = device().upload(p.dy), w = device().upload(p.w);
    expect_epilogues<bf16>(device(), s.x_shape(), p.dx, [&](View y, const Epilogue& e) {
        run(exec(), Conv2dTransposeFwd{s, dy, w, y, e});
    });
}

} // namespace
