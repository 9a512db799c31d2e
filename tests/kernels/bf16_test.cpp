#include "kernels/base/bf16.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

using namespace bifrons::kernels;

namespace {

TEST(Bf16, rounds_to_nearest_and_ties_to_even)
{
    // Eight bits of precision: between 256 and 512 the neighbours are 2 apart.
    EXPECT_EQ(to_f32(to_bf16(257.0f)), 256.0f) << "half way, 256 is even";
    EXPECT_EQ(to_f32(to_bf16(259.0f)), 260.0f) << "half way, 260 is even";
    EXPECT_EQ(to_f32(to_bf16(257.001f)), 258.0f);
    EXPECT_EQ(to_f32(to_bf16(-258.999f)), -258.0f);
    EXPECT_EQ(to_f32(to_bf16(511.5f)), 512.0f) << "the exponent takes the carry";
}

TEST(Bf16, keeps_every_element_and_every_special_value)
{
    for (std::uint32_t bits = 0; bits < 0x10000; ++bits) {
        const float value = to_f32(bf16{std::uint16_t(bits)});
        if (std::isnan(value))
            EXPECT_TRUE(std::isnan(to_f32(to_bf16(value))));
        else
            EXPECT_EQ(to_bf16(value).bits, bits);
    }
    EXPECT_EQ(to_f32(to_bf16(std::numeric_limits<float>::max())), std::numeric_limits<float>::infinity());
    EXPECT_TRUE(std::isnan(to_f32(to_bf16(std::numeric_limits<float>::quiet_NaN()))));
}

} // namespace
