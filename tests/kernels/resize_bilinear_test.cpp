#include "kernels/resample/resize_bilinear.h"

#include "kernels/resample/resize_bilinear_ref.h"
#include "tests/support/stores.h"

using namespace bifrons;
using namespace bifrons::kernels;
using namespace bifrons::test;

namespace {

class ResizeBilinearTest : public OnDevice {};
BIFRONS_ON_ALL_DEVICES(ResizeBilinearTest);
class F64ResizeBilinearTest : public OnDevice {};
BIFRONS_ON_CPU(F64ResizeBilinearTest);
class Bf16ResizeBilinearTest : public OnDevice {};
BIFRONS_ON_ALL_DEVICES(Bf16ResizeBilinearTest);

const ResizeBilinearShape kShapes[] = {{1, 1, 1, 1, 1, 1},    {1, 1, 1, 2, 5, 3},    {2, 5, 3, 1, 1, 1},
                                       {2, 4, 6, 3, 8, 12},   {1, 7, 5, 67, 11, 3},  {3, 12, 10, 2, 5, 4},
                                       {1, 16, 9, 1, 31, 40}, {1, 40, 31, 1, 9, 16}, {1, 4, 6, 16, 5, 9}};

TEST_P(ResizeBilinearTest, doubles_and_halves_as_computed_by_hand)
{
    // Width 2 to 4: positions -1/4 (kept at 0), 1/4, 3/4, 5/4 (kept at 1).
    const View y = device().poisoned<float>(4);
    run(exec(), ResizeBilinearFwd{{.W = 2, .Q = 4}, device().upload<float>({0, 8}), y});
    EXPECT_EQ(device().download<float>(y, 4), (std::vector<float>{0, 2, 6, 8}));
    // Height 4, two channels, to 2: positions 1/2 and 5/2.
    run(exec(), ResizeBilinearFwd{{.H = 4, .C = 2, .P = 2}, device().upload<float>({0, 1, 2, 3, 10, 11, 20, 31}), y});
    EXPECT_EQ(device().download<float>(y, 4), (std::vector<float>{1, 2, 15, 21}));
    // The gradient of the first: each output gives its weights back.
    const View dx = device().poisoned<float>(2);
    run(exec(), ResizeBilinearGrad{{.W = 2, .Q = 4}, device().upload<float>({1, 4, 8, 100}), {.out = dx}});
    EXPECT_EQ(device().download<float>(dx, 2), (std::vector<float>{1 + 3 + 2, 1 + 6 + 100}));
}

TEST_P(ResizeBilinearTest, keeps_a_ramp_and_the_same_size_exactly)
{
    const auto x = random_values(5 * 7 * 3, 1);
    const View y = device().poisoned<float>(5 * 7 * 3);
    run(exec(), ResizeBilinearFwd{{.H = 5, .W = 7, .C = 3, .P = 5, .Q = 7}, device().upload(x), y});
    EXPECT_EQ(device().download<float>(y, 5 * 7 * 3), x);

    // x[h,w] = 3h + 100w to 10 x 6 from 5 x 9: inside the border it stays the same plane.
    std::vector<float> ramp;
    for (int h = 0; h < 5; ++h)
        for (int w = 0; w < 9; ++w) ramp.push_back(float(3 * h + 100 * w));
    const View z = device().poisoned<float>(60);
    run(exec(), ResizeBilinearFwd{{.H = 5, .W = 9, .P = 10, .Q = 6}, device().upload(ramp), z});
    const auto got = device().download<float>(z, 60);
    for (int p = 1; p < 9; ++p)
        for (int q = 0; q < 6; ++q)
            EXPECT_NEAR(got[std::size_t(p * 6 + q)], 3 * ((p + 0.5) * 0.5 - 0.5) + 100 * ((q + 0.5) * 1.5 - 0.5),
                        812 * gamma32(4));
}

template <class T>
void expect_agreement(TestDevice& device, const ResizeBilinearShape& s)
{
    const auto x = random_values<T>(s.x_size(), 1), dy = random_values<T>(s.y_size(), 2);
    std::vector<double> want(std::size_t(s.y_size())), v(std::size_t(s.x_size())), terms(v);
    ref::resize_bilinear_fwd(s, cast<double>(x).data(), want.data());
    const View y = device.poisoned<T>(s.y_size());
    run(device.exec(), ResizeBilinearFwd{s, device.upload(x), y});
    EXPECT_TRUE(within(device.download<T>(y, s.y_size()), want, gamma32(4) + store_rounding<T>()));

    ref::resize_bilinear_grad(s, cast<double>(dy).data(), v.data());
    EXPECT_NEAR(dot(dy, want), dot(v, x), 1e-9) << "adjoint";
    const double n = (2.0 * double(s.P) / double(s.H) + 3) * (2.0 * double(s.Q) / double(s.W) + 3);
    for (double& bound : terms) bound = gamma32(n) * n; // |dy| <= 1
    const View dyv = device.upload(dy);
    expect_stores<T>(device, v, terms, [&](const Store& d) { run(device.exec(), ResizeBilinearGrad{s, dyv, d}); });
}

TEST_P(ResizeBilinearTest, agrees_with_the_definition_and_its_adjoint)
{
    for (const ResizeBilinearShape& s : kShapes) expect_agreement<float>(device(), s);
}
TEST_P(F64ResizeBilinearTest, agrees_with_the_definition_and_its_adjoint)
{
    for (const ResizeBilinearShape& s : kShapes) expect_agreement<double>(device(), s);
}
TEST_P(Bf16ResizeBilinearTest, agrees_with_the_definition_and_its_adjoint)
{
    for (const ResizeBilinearShape& s : kShapes) expect_agreement<bf16>(device(), s);
}

TEST(ResizeBilinear, refuses_an_empty_size)
{
    TestDevice cpu("cpu");
    const View x = cpu.upload<float>({1});
    EXPECT_THROW(run(cpu.exec(), ResizeBilinearFwd{{.P = 0}, x, x}), Error);
}

} // namespace
