// The simulator's instructions against what a GPU has put out (tests/conformance/). What no GPU has recorded yet is
// skipped as unverified.
#include "tests/conformance/micro_kernels.h"
#include "tests/support/devices.h"

#include <nlohmann/json.hpp>

#include <filesystem>
#include <fstream>

namespace bifrons::test {

namespace {

class Conformance : public ::testing::TestWithParam<std::size_t> {
  protected:
    const MicroKernel& kernel() const { return kernels::sim::micro_kernels()[GetParam()]; }
    Words simulate(const std::string& schedule, const Words& in) const
    {
        return run(*kernels::open_device("sim:" + schedule), kernel(), in);
    }
};

TEST_P(Conformance, simulated_alike_under_every_schedule)
{
    const Words in = input_words(), out = simulate("forward", in);
    EXPECT_NE(out, Words(out.size()));
    for (const std::string schedule : {"reverse", "random:1", "random:2", "warps:1", "forward:early", "reverse:late"})
        EXPECT_EQ(simulate(schedule, in), out) << schedule;
}

TEST_P(Conformance, simulator_equals_the_recorded_gpu)
{
    const std::string path = golden_path(BIFRONS_GOLDEN, kernel());
    if (!std::filesystem::exists(path))
        GTEST_SKIP() << kernel().name << " is unverified: no GPU has recorded it. Where one is, run ptx_conform.";
    const auto golden = nlohmann::json::parse(std::ifstream(path));
    EXPECT_EQ(simulate("forward", golden.at("in")), golden.at("out").get<Words>()) << golden.at("device");
}

TEST_P(Conformance, simulator_equals_the_gpu_here)
{
    if (const std::string why = absent("cuda"); !why.empty()) GTEST_SKIP() << why;
    const auto gpu = kernels::open_device("cuda");
    if (gpu->target().sm < kernel().sm) GTEST_SKIP() << kernel().name << " needs sm_" << kernel().sm;
    const Words in = input_words();
#if BIFRONS_HAS_CUDA
    EXPECT_EQ(simulate("forward", in), run(*gpu, kernels::cuda::micro_kernels()[GetParam()], in));
#endif
}

INSTANTIATE_TEST_SUITE_P(Wrappers, Conformance, ::testing::Range<std::size_t>(0, kernels::sim::micro_kernels().size()),
                         [](const auto& kernel) { return kernels::sim::micro_kernels()[kernel.param].name; });

} // namespace

} // namespace bifrons::test
