#include "kernels/resample/pad_reflect.h"

#include "kernels/resample/pad_reflect_ref.h"
#include "tests/support/stores.h"

using namespace bifrons;
using namespace bifrons::kernels;
using namespace bifrons::test;

namespace {

class PadReflectTest : public OnDevice {};
BIFRONS_ON_ALL_DEVICES(PadReflectTest);
class F64PadReflectTest : public OnDevice {};
BIFRONS_ON_CPU(F64PadReflectTest);
class Bf16PadReflectTest : public OnDevice {};
BIFRONS_ON_ALL_DEVICES(Bf16PadReflectTest);

const PadReflectShape kShapes[] = {{1, 1, 1, 1, 0}, {1, 2, 2, 1, 1},  {2, 3, 5, 7, 1},
                                   {2, 5, 3, 3, 2}, {1, 4, 6, 67, 3}, {2, 3, 4, 16, 1}};

TEST_P(PadReflectTest, mirrors_without_repeating_the_edge)
{
    // 2 x 3, one channel, a rim of 1: rows 1 0 1 0 of the picture, columns 1 0 1 2 1.
    const PadReflectShape s{.W = 3};
    const View y = device().poisoned<float>(20), dx = device().poisoned<float>(6);
    run(exec(), PadReflectFwd{s, device().upload<float>({1, 2, 3, 4, 5, 6}), y});
    EXPECT_EQ(device().download<float>(y, 20),
              (std::vector<float>{5, 4, 5, 6, 5, 2, 1, 2, 3, 2, 5, 4, 5, 6, 5, 2, 1, 2, 3, 2}));
    std::vector<float> dy(20);
    for (int i = 0; i < 20; ++i) dy[std::size_t(i)] = float(i);
    run(exec(), PadReflectGrad{s, device().upload(dy), {.out = dx}});
    // Row 0 is shown by rows 1 and 3, row 1 by 0 and 2; column 0 by 1, column 1 by 0, 2 and 4, column 2 by 3.
    EXPECT_EQ(device().download<float>(dx, 6), (std::vector<float>{6 + 16, 5 + 7 + 9 + 15 + 17 + 19, 8 + 18, //
                                                                   1 + 11, 0 + 2 + 4 + 10 + 12 + 14, 3 + 13}));
}

template <class T>
void expect_agreement(TestDevice& device, const PadReflectShape& s)
{
    const auto x = random_values<T>(s.x_size(), 1), dy = random_values<T>(s.y_size(), 2);
    std::vector<T> want(std::size_t(s.y_size()));
    ref::pad_reflect_fwd(s, x.data(), want.data());
    const View y = device.poisoned<T>(s.y_size());
    run(device.exec(), PadReflectFwd{s, device.upload(x), y});
    EXPECT_EQ(bits_of(device.download<T>(y, s.y_size())), bits_of(want));

    std::vector<double> v(std::size_t(s.x_size())), magnitude(v);
    auto wide = cast<double>(dy);
    ref::pad_reflect_grad(s, wide.data(), v.data());
    EXPECT_NEAR(dot(dy, want), dot(v, x), 1e-9) << "adjoint";
    for (double& value : wide) value = std::abs(value);
    ref::pad_reflect_grad(s, wide.data(), magnitude.data());
    for (double& value : magnitude) value *= gamma32(9);
    const View dyv = device.upload(dy);
    expect_stores<T>(device, v, magnitude, [&](const Store& d) { run(device.exec(), PadReflectGrad{s, dyv, d}); });
}

TEST_P(PadReflectTest, agrees_with_the_definition_and_its_adjoint)
{
    for (const PadReflectShape& s : kShapes) expect_agreement<float>(device(), s);
}
TEST_P(F64PadReflectTest, agrees_with_the_definition_and_its_adjoint)
{
    for (const PadReflectShape& s : kShapes) expect_agreement<double>(device(), s);
}
TEST_P(Bf16PadReflectTest, agrees_with_the_definition_and_its_adjoint)
{
    for (const PadReflectShape& s : kShapes) expect_agreement<bf16>(device(), s);
}

TEST(PadReflect, refuses_a_rim_as_wide_as_the_picture)
{
    TestDevice cpu("cpu");
    const View x = cpu.upload<float>({1, 2, 3, 4});
    EXPECT_THROW(run(cpu.exec(), PadReflectFwd{{.H = 2, .W = 2, .pad = 2}, x, x}), Error);
    EXPECT_THROW(run(cpu.exec(), PadReflectFwd{{.H = 4, .W = 1, .pad = 1}, x, x}), Error);
}

} // namespace
