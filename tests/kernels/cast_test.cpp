#include "kernels/pointwise/cast.h"

#include "tests/support/devices.h"
#include "tests/support/numerics.h"

#include <limits>

using namespace bifrons;
using namespace bifrons::kernels;
using namespace bifrons::test;

namespace {

class CastTest : public OnDevice {};
BIFRONS_ON_ALL_DEVICES(CastTest);

constexpr float kInfinity = std::numeric_limits<float>::infinity();

TEST_P(CastTest, rounds_to_nearest_and_ties_to_even)
{
    const std::vector<float> x = {257, 259, -258.999f, -0.0f, kInfinity, 3.4e38f, 0.1f};
    const auto n = std::int64_t(x.size());
    const View narrow = device().poisoned<bf16>(n), wide = device().poisoned<float>(n);
    kernels::run(exec(), kernels::Cast{n, device().upload(x), narrow});
    kernels::run(exec(), kernels::Cast{n, narrow, wide});
    EXPECT_EQ(device().download<float>(wide, n),
              (std::vector<float>{256, 260, -258, -0.0f, kInfinity, kInfinity, 0.10009765625f}));

    const View nan = device().upload<float>({std::numeric_limits<float>::quiet_NaN()}),
               to = device().upload<bf16>({{0}});
    kernels::run(exec(), kernels::Cast{1, nan, to});
    EXPECT_TRUE(std::isnan(value_of(device().download<bf16>(to, 1)[0])));
}

TEST_P(CastTest, agrees_with_the_definition_at_every_size_and_alignment)
{
    for (const std::int64_t n : {1, 7, 8, 255, 2048, 4099, 16400}) {
        const auto x = random_values(n + 1, 1, -100, 100);
        for (const int offset : {0, 1}) { // an odd element is no place for 16 bytes at a time
            const View from = device().upload(x), narrow = device().poisoned<bf16>(n + 1),
                       wide = device().poisoned<float>(n + 1);
            kernels::run(
                exec(),
                kernels::Cast{n, ConstView{from.as<float>() + offset}, {narrow.as<bf16>() + offset, DType::bf16}});
            kernels::run(exec(),
                         kernels::Cast{n, {narrow.as<bf16>() + offset, DType::bf16}, {wide.as<float>() + offset}});
            const auto got = device().download<bf16>(narrow, n + 1);
            const auto back = device().download<float>(wide, n + 1);
            for (std::int64_t i = 0; i < n + 1; ++i) {
                const bool inside = i >= offset && i < offset + n;
                const bf16 want = inside ? to_bf16(x[std::size_t(i)]) : bf16{0xFFFF};
                ASSERT_EQ(got[std::size_t(i)].bits, want.bits) << i << " of " << n;
                ASSERT_TRUE(!inside || back[std::size_t(i)] == to_f32(want)) << i << " of " << n;
            }
        }
    }
}

TEST_P(CastTest, of_the_same_type_copies_the_bits)
{
    const auto x = random_values<bf16>(1001, 2);
    const View y = device().poisoned<bf16>(1001);
    kernels::run(exec(), kernels::Cast{1001, device().upload(x), y});
    EXPECT_EQ(bits_of(device().download<bf16>(y, 1001)), bits_of(x));
}

TEST(Cast, takes_f64_on_the_cpu)
{
    TestDevice cpu("cpu");
    const View narrow = cpu.poisoned<float>(2), wide = cpu.poisoned<double>(2);
    kernels::run(cpu.exec(), kernels::Cast{2, cpu.upload<double>({0.1, -3}), narrow});
    kernels::run(cpu.exec(), kernels::Cast{2, narrow, wide});
    EXPECT_EQ(cpu.download<double>(wide, 2), (std::vector<double>{double(0.1f), -3}));
    EXPECT_THROW(kernels::run(cpu.exec(), kernels::Cast{2, wide, cpu.poisoned<bf16>(2)}), Error);
    EXPECT_THROW(kernels::run(cpu.exec(), kernels::Cast{2, narrow, cpu.poisoned<std::uint8_t>(2)}), Error);
}

} // namespace
