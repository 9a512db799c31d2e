#include "kernels/resample/upsample_nearest.h"

#include "kernels/resample/upsample_nearest_ref.h"
#include "tests/support/stores.h"

using namespace bifrons;
using namespace bifrons::kernels;
using namespace bifrons::test;

namespace {

class UpsampleNearestTest : public OnDevice {};
BIFRONS_ON_ALL_DEVICES(UpsampleNearestTest);
class F64UpsampleNearestTest : public OnDevice {};
BIFRONS_ON_CPU(F64UpsampleNearestTest);
class Bf16UpsampleNearestTest : public OnDevice {};
BIFRONS_ON_ALL_DEVICES(Bf16UpsampleNearestTest);

const UpsampleNearestShape kShapes[] = {
    {1, 1, 1, 1, 1}, {1, 1, 1, 1, 3}, {2, 3, 5, 7, 2}, {3, 2, 4, 67, 3}, {2, 3, 4, 16, 2}};

TEST_P(UpsampleNearestTest, repeats_every_pixel)
{
    // 1 x 2 pixels of 2 channels.
    const UpsampleNearestShape s{.W = 2, .C = 2};
    const View y = device().poisoned<float>(16), dx = device().poisoned<float>(4);
    run(exec(), UpsampleNearestFwd{s, device().upload<float>({1, 2, 3, 4}), y});
    EXPECT_EQ(device().download<float>(y, 16), (std::vector<float>{1, 2, 1, 2, 3, 4, 3, 4, 1, 2, 1, 2, 3, 4, 3, 4}));
    run(exec(), UpsampleNearestGrad{
                    s, device().upload<float>({0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15}), {.out = dx}});
    EXPECT_EQ(device().download<float>(dx, 4),
              (std::vector<float>{0 + 2 + 8 + 10, 1 + 3 + 9 + 11, 4 + 6 + 12 + 14, 5 + 7 + 13 + 15}));
}

template <class T>
void expect_agreement(TestDevice& device, const UpsampleNearestShape& s)
{
    const auto x = random_values<T>(s.x_size(), 1), dy = random_values<T>(s.y_size(), 2);
    std::vector<T> want(std::size_t(s.y_size()));
    ref::upsample_nearest_fwd(s, x.data(), want.data());
    const View y = device.poisoned<T>(s.y_size());
    run(device.exec(), UpsampleNearestFwd{s, device.upload(x), y});
    EXPECT_EQ(bits_of(device.download<T>(y, s.y_size())), bits_of(want));

    std::vector<double> v(std::size_t(s.x_size())), magnitude(v);
    auto wide = cast<double>(dy);
    ref::upsample_nearest_grad(s, wide.data(), v.data());
    EXPECT_NEAR(dot(dy, want), dot(v, x), 1e-9) << "adjoint";
    for (double& value : wide) value = std::abs(value);
    ref::upsample_nearest_grad(s, wide.data(), magnitude.data());
    for (double& value : magnitude) value *= gamma32(double(s.factor * s.factor));
    const View dyv = device.upload(dy);
    expect_stores<T>(device, v, magnitude, [&](const Store& d) { run(device.exec(), UpsampleNearestGrad{s, dyv, d}); });
}

TEST_P(UpsampleNearestTest, agrees_with_the_definition_and_its_adjoint)
{
    for (const UpsampleNearestShape& s : kShapes) expect_agreement<float>(device(), s);
}
TEST_P(F64UpsampleNearestTest, agrees_with_the_definition_and_its_adjoint)
{
    for (const UpsampleNearestShape& s : kShapes) expect_agreement<double>(device(), s);
}
TEST_P(Bf16UpsampleNearestTest, agrees_with_the_definition_and_its_adjoint)
{
    for (const UpsampleNearestShape& s : kShapes) expect_agreement<bf16>(device(), s);
}

TEST(UpsampleNearest, refuses_factor_zero)
{
    TestDevice cpu("cpu");
    const View x = cpu.upload<float>({1});
    EXPECT_THROW(run(cpu.exec(), UpsampleNearestFwd{{.factor = 0}, x, x}), Error);
}

} // namespace
