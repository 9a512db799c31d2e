// `bifrons train --device cuda` as a user meets it, on the emulated GPU: it trains and resumes bit for bit; a GPU
// that cannot be used is told in a sentence before anything is made; one that fails in the middle loses nothing.
#include "tests/tools/train_command.h"

namespace bifrons::test {

namespace {

class TrainOnGpu : public TrainCommand {
  protected:
    TrainOnGpu() { device_ = "cuda"; }

    /// With a GPU as imagined_gpu.h says.
    int train_on(const std::string& gpu, const std::string& model, const std::string& steps)
    {
        setenv("BIFRONS_EMULATED_GPU", gpu.c_str(), 1);
        const int code = train(model, steps, {"--set", "validation_fraction=0"});
        unsetenv("BIFRONS_EMULATED_GPU");
        return code;
    }
};

TEST_F(TrainOnGpu, gone_on_with_it_has_the_same_bits)
{
    ASSERT_EQ(train("undisturbed", "5"), 0) << log();
    EXPECT_EQ(count("emulated GPU, 2.0 GiB, sm_"), 1) << log();
    ASSERT_EQ(train("in_two", "2"), 0) << log();
    ASSERT_EQ(train("in_two", "5"), 0) << log();
    EXPECT_EQ(newest("undisturbed").first, 5);
    EXPECT_EQ(newest("in_two"), newest("undisturbed"));
    EXPECT_TRUE(fs::exists(folder_ / "in_two/preview.png"));
}

TEST_F(TrainOnGpu, an_unusable_gpu_is_told_and_nothing_is_made)
{
    const std::pair<const char*, const char*> gpus[] = {
        {"driver=0", "no NVIDIA driver was found"},
        {"driver=12080", "the NVIDIA driver is too old: it supports CUDA up to 12.8, CUDA 13.0 is needed"},
        {"gpus=0", "no NVIDIA GPU was found"},
        {"sm=75", "sm_75) is too old; sm_80 or newer is needed"},
        {"pools=0", "has no memory pools"},
        {"code=0", "this program was built without code for GPU 0"},
        {"memory=100000", "out of memory: "},
    };
    for (const auto& [gpu, says] : gpus) {
        EXPECT_EQ(train_on(gpu, "model", "3"), 4) << gpu << "\n" << log();
        EXPECT_EQ(count(says), 1) << log();
        EXPECT_FALSE(fs::exists(folder_ / "model")) << gpu;
    }
}

TEST_F(TrainOnGpu, a_fault_in_a_kernel_ends_it_and_the_last_checkpoint_goes_on)
{
    ASSERT_EQ(train_on("", "undisturbed", "4"), 0) << log();
    EXPECT_EQ(train_on("fault=judge_step:4", "faulty", "4"), 1);
    EXPECT_EQ(count("a kernel failed while it ran"), 1) << log();
    EXPECT_EQ(newest("faulty").first, 3);
    setenv("BIFRONS_SYNC", "1", 1);
    EXPECT_EQ(train_on("fault=judge_step:1", "faulty", "4"), 1);
    unsetenv("BIFRONS_SYNC");
    EXPECT_EQ(count("judge_step: the kernel failed on (1,1,1) blocks"), 1) << log();
    ASSERT_EQ(train_on("", "faulty", "4"), 0) << log();
    EXPECT_EQ(count("resuming from step 3"), 1) << log();
    EXPECT_EQ(newest("faulty"), newest("undisturbed"));
}

} // namespace

} // namespace bifrons::test
