#include "kernels/device/roofline.h"

#include <gtest/gtest.h>

using namespace bifrons::kernels;

namespace {

/// The table's name for what the driver calls a GPU.
std::string entry_of(const std::string& gpu)
{
    const Ceilings* const ceilings = ceilings_of(gpu);
    return ceilings ? ceilings->gpu : "none";
}

TEST(Roofline, a_gpu_is_found_by_whole_words_of_its_name)
{
    EXPECT_EQ(entry_of("cuda:0: NVIDIA H200, 139.7 GiB, sm_90"), "H200");
    EXPECT_EQ(entry_of("NVIDIA A100-SXM4-80GB"), "A100");
    EXPECT_EQ(entry_of("NVIDIA H100 80GB HBM3"), "H100");
    EXPECT_EQ(entry_of("NVIDIA GeForce RTX 4090"), "RTX 4090");
    EXPECT_EQ(entry_of("NVIDIA GeForce RTX 3090 Ti"), "RTX 3090 Ti");
    EXPECT_EQ(entry_of("NVIDIA L40S"), "L40S");
}

TEST(Roofline, another_gpu_of_a_similar_name_is_not_taken_for_it)
{
    EXPECT_EQ(entry_of("NVIDIA RTX A1000"), "none");
    EXPECT_EQ(entry_of("NVIDIA GH200 480GB"), "none");
    EXPECT_EQ(entry_of("NVIDIA GeForce RTX 4090 Laptop GPU"), "none");
    EXPECT_EQ(entry_of("NVIDIA GeForce RTX 4070 Ti SUPER"), "none");
    EXPECT_EQ(entry_of("NVIDIA H100 PCIe"), "none");
    EXPECT_EQ(entry_of("NVIDIA RTX A4000"), "none");
    EXPECT_EQ(entry_of(""), "none");
}

TEST(Roofline, the_floor_is_the_longer_of_arithmetic_and_traffic)
{
    const Ceilings gpu{.gpu = "", .sm = 90, .bf16 = 100, .tf32 = 50, .f32 = 10, .bandwidth = 20, .origin = ""};
    EXPECT_DOUBLE_EQ(floor_seconds({.flops = 1000, .bytes = 100}, gpu, Arithmetic::bf16), 10);
    EXPECT_DOUBLE_EQ(floor_seconds({.flops = 1000, .bytes = 100}, gpu, Arithmetic::f32), 100);
    EXPECT_DOUBLE_EQ(floor_seconds({.flops = 10, .bytes = 100}, gpu, Arithmetic::bf16), 5);
}

} // namespace
