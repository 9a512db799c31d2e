// `bifrons train` as a user meets it: real facesets in, checkpoints, history and preview out; killed and gone on with.
#include "engine/checkpoint.h"
#include "tests/support/devices.h"
#include "tests/support/temp_folder.h"
#include "tests/tools/made_inputs.h"

#include <gtest/gtest.h>

#include <csignal>
#include <cstring>
#include <fstream>

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace bifrons;
using namespace bifrons::test;
namespace fs = std::filesystem;

namespace {

class TrainCommand : public ::testing::Test {
  protected:
    void SetUp() override
    {
        make_faceset(folder_ / "src", 20);
        make_faceset(folder_ / "dst", 90);
    }

    /// Starts `bifrons train`; its words go to a file.
    pid_t start(const std::string& model, const std::string& steps, const std::vector<std::string>& more = {})
    {
        std::vector<std::string> words = {BIFRONS_PROGRAM, "train",         "--src",    folder_ / "src",
                                          "--dst",         folder_ / "dst", "--model",  folder_ / model,
                                          "--steps",       steps,           "--device", device_};
        for (const char* setting :
             {"archi=df-ud", "resolution=32", "e_dims=4", "ae_dims=8", "d_dims=4", "d_mask_dims=4", "batch_size=2",
              "save_every=3", "keep=2", "preview_every=0", "validation_fraction=0.25"}) {
            words.push_back("--set");
            words.push_back(setting);
        }
        words.insert(words.end(), more.begin(), more.end());
        const pid_t child = fork();
        if (child == 0) {
            const int log = open((folder_ / "log").c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
            dup2(log, 1);
            dup2(log, 2);
            std::vector<char*> argv;
            for (std::string& word : words) argv.push_back(word.data());
            argv.push_back(nullptr);
            execv(argv[0], argv.data());
            _exit(127);
        }
        return child;
    }
    static int wait_for(pid_t child)
    {
        int status = 0;
        waitpid(child, &status, 0);
        return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
    }
    int train(const std::string& model, const std::string& steps, const std::vector<std::string>& more = {})
    {
        return wait_for(start(model, steps, more));
    }
    std::string log() { return read(folder_ / "log"); }
    static std::string read(const std::string& path)
    {
        std::ifstream in(path);
        return {std::istreambuf_iterator<char>(in), {}};
    }
    /// Every tensor's bytes of the newest checkpoint, and its step.
    std::pair<std::int64_t, std::map<std::string, std::string>> newest(const std::string& model)
    {
        if (!fs::exists(folder_ / model)) return {-1, {}};
        const auto checkpoint = load_latest_checkpoint(folder_ / model, [](const std::string&) {});
        std::map<std::string, std::string> bytes;
        if (!checkpoint) return {-1, bytes};
        for (const NamedTensor& t : checkpoint->file.tensors())
            bytes[t.name] = std::string(static_cast<const char*>(t.data), t.bytes());
        return {checkpoint->step, bytes};
    }

    /// The newest checkpoint again, all its numbers scaled.
    void scale_newest(const std::string& model, float scale)
    {
        const auto checkpoint = load_latest_checkpoint(folder_ / model, [](const std::string&) {});
        std::vector<std::vector<float>> scaled;
        std::vector<NamedTensor> tensors;
        for (NamedTensor t : checkpoint->file.tensors()) {
            scaled.emplace_back(std::size_t(t.size()));
            std::memcpy(scaled.back().data(), t.data, t.bytes());
            for (float& v : scaled.back()) v *= scale;
            t.data = scaled.back().data();
            tensors.push_back(t);
        }
        const Metadata metadata = checkpoint->file.metadata();
        CheckpointStore(folder_ / model).save(checkpoint->step, tensors, metadata);
    }
    /// How often the log says it.
    int count(const std::string& words)
    {
        const std::string text = log();
        int n = 0;
        for (std::size_t at = 0; (at = text.find(words, at)) != text.npos; at += words.size()) ++n;
        return n;
    }

    TempFolder folder_;
    std::string device_ = "cpu:1";
};

TEST_F(TrainCommand, leaves_checkpoints_history_and_a_preview)
{
    ASSERT_EQ(train("model", "7"), 0) << log();
    EXPECT_EQ(newest("model").first, 7);
    EXPECT_TRUE(fs::exists(folder_ / "model/preview.png"));
    const data::Image sheet = data::load_image(folder_ / "model/preview.png");
    EXPECT_EQ(sheet.H, 4 * 32);
    const std::string history = read(folder_ / "model/history.jsonl");
    EXPECT_NE(history.find("\"event\":\"begin\""), history.npos);
    EXPECT_NE(history.find("\"src_dssim\""), history.npos);
    EXPECT_NE(history.find("\"event\":\"validation\""), history.npos);
}

TEST_F(TrainCommand, killed_at_any_moment_it_goes_on_to_the_same_bits)
{
    ASSERT_EQ(train("undisturbed", "24"), 0) << log();
    const auto want = newest("undisturbed");
    // Killed after ever longer times: before the first checkpoint, while one is written, between two.
    int killed = 0;
    for (int delay_ms = 40; newest("killed").first < 24; delay_ms += 35) {
        const pid_t child = start("killed", "24");
        usleep(useconds_t(delay_ms) * 1000);
        kill(child, SIGKILL);
        const int code = wait_for(child);
        if (code == -SIGKILL)
            ++killed;
        else
            ASSERT_EQ(code, 0) << log();
        ASSERT_LT(delay_ms, 20000);
    }
    EXPECT_GE(killed, 2) << "the test was to disturb it";
    const auto got = newest("killed");
    EXPECT_EQ(got.first, want.first);
    EXPECT_EQ(got.second, want.second);
}

TEST_F(TrainCommand, an_interrupt_saves_and_is_no_failure)
{
    const pid_t child = start("model", "100000");
    for (int i = 0; i < 400 && !fs::exists(folder_ / "model/history.jsonl"); ++i) usleep(50000);
    usleep(300000);
    kill(child, SIGINT);
    EXPECT_EQ(wait_for(child), 0) << log();
    EXPECT_GT(newest("model").first, 0);
    EXPECT_NE(log().find("interrupted; saved at step"), std::string::npos) << log();
}

TEST_F(TrainCommand, pretraining_ends_with_fresh_inters_and_a_model_can_start_from_it)
{
    ASSERT_EQ(train("model", "3", {"--set", "pretrain=true"}), 0) << log();
    const auto pretrained = newest("model").second;
    ASSERT_EQ(train("model", "3", {"--set", "pretrain=false"}), 0) << log();
    EXPECT_NE(log().find("blocks started anew: inter"), std::string::npos) << log();
    ASSERT_EQ(train("other", "0",
                    {"--init-from", folder_ / "model", "--init-blocks", "encoder", "--set", "target_iter=2", "--set",
                     "freeze=encoder"}),
              0)
        << log();
    const auto [step, other] = newest("other");
    EXPECT_EQ(step, 2) << "target_iter";
    EXPECT_EQ(other.at("encoder.down1.weight"), pretrained.at("encoder.down1.weight"));
    EXPECT_NE(other.at("inter.dense1.weight"), pretrained.at("inter.dense1.weight"));
    EXPECT_EQ(train("third", "1", {"--init-from", folder_ / "model", "--init-blocks", "inter_AB"}), 2) << log();
    EXPECT_EQ(train("fourth", "1", {"--init-blocks", "encoder"}), 2) << log();
    EXPECT_EQ(train("fifth", "1", {"--set", "freeze=encoder"}), 2) << log();
    EXPECT_NE(log().find("encoder starts with random values and is frozen"), std::string::npos) << log();
}

TEST_F(TrainCommand, what_cannot_work_is_refused_and_nothing_is_made)
{
    EXPECT_EQ(train("model", "3", {"--set", "resolution=33"}), 2);
    EXPECT_EQ(train("model", "3", {"--set", "learning_rat=1"}), 2);
    EXPECT_NE(log().find("learning_rate"), std::string::npos) << log();
    EXPECT_FALSE(fs::exists(folder_ / "model"));
    fs::remove(folder_ / "dst/faceset.json");
    EXPECT_EQ(train("model", "3"), 3);
    EXPECT_FALSE(fs::exists(folder_ / "model")) << log();
}

TEST_F(TrainCommand, every_way_of_making_samples_trains)
{
    for (const char* ct_mode : {"rct", "lct", "mkl", "idt", "sot"}) {
        ASSERT_EQ(train(ct_mode, "2",
                        {"--set", str("ct_mode=", ct_mode), "--set", "uniform_yaw=true", "--set", "blur_out_mask=true",
                         "--set", "eyes_mouth_prio=true", "--set", "random_hsv_power=0.05"}),
                  0)
            << log();
        EXPECT_NE(read(folder_ / str(ct_mode, "/history.jsonl")).find("\"dst_eyes_mouth\""), std::string::npos);
    }
}

TEST_F(TrainCommand, too_few_faces_are_refused)
{
    fs::remove_all(folder_ / "src");
    make_faceset(folder_ / "src", 20, 1);
    EXPECT_EQ(train("model", "3"), 3);
    EXPECT_NE(log().find("src: holds 1 face; 4 at least"), std::string::npos) << log();
    EXPECT_FALSE(fs::exists(folder_ / "model"));
}

TEST_F(TrainCommand, a_model_of_another_shape_is_refused_and_stays)
{
    ASSERT_EQ(train("model", "3"), 0) << log();
    const auto before = newest("model");
    EXPECT_EQ(train("model", "6", {"--set", "ae_dims=16"}), 2);
    EXPECT_NE(log().find("ae_dims 8 -> 16"), std::string::npos) << log();
    EXPECT_EQ(newest("model"), before);
}

TEST_F(TrainCommand, a_damaged_newest_checkpoint_falls_back_to_the_one_before)
{
    ASSERT_EQ(train("model", "6"), 0) << log();
    const auto undisturbed = newest("model");
    const fs::path newest_file = list_checkpoints(folder_ / "model").front();
    fs::resize_file(newest_file, fs::file_size(newest_file) / 2);
    ASSERT_EQ(train("model", "6"), 0) << log();
    EXPECT_NE(log().find(newest_file.filename().string()), std::string::npos) << "the damaged file is named: " << log();
    EXPECT_EQ(newest("model"), undisturbed);
}

TEST_F(TrainCommand, steps_that_are_not_finite_roll_back_once_in_ten_and_end_it)
{
    ASSERT_EQ(train("model", "3"), 0) << log();
    scale_newest("model", 1e30f); // products of these are infinite
    const auto before = newest("model");
    EXPECT_EQ(train("model", "100", {"--set", "save_every=1000"}), 1);
    // Steps are looked at ten at a time: what was done after the tenth bad one is of no account.
    EXPECT_EQ(count("rolled back to the weights of step 3"), 3) << log();
    EXPECT_EQ(count(" skipped: a loss or a gradient is not finite"), 40) << log();
    EXPECT_EQ(count("10 steps in a row were not finite, and so after 3 returns to the last checkpoint"), 1) << log();
    EXPECT_EQ(newest("model"), before);
}

/// Steps on the simulator take seconds, so there are no pictures to be drawn beside them.
const std::vector<std::string> kShort = {"--set", "validation_fraction=0"};

TEST_F(TrainCommand, a_fault_in_a_kernel_ends_it_and_the_last_checkpoint_goes_on)
{
    device_ = "sim";
    if (!absent(device_).empty()) GTEST_SKIP() << absent(device_);
    ASSERT_EQ(train("undisturbed", "4", kShort), 0) << log();
    setenv("BIFRONS_SIM_FAULT", "judge_step:4", 1);
    EXPECT_EQ(train("faulty", "4", kShort), 1);
    unsetenv("BIFRONS_SIM_FAULT");
    EXPECT_EQ(count("a kernel failed while it ran: a fault in judge_step"), 1) << log();
    EXPECT_EQ(newest("faulty").first, 3);
    ASSERT_EQ(train("faulty", "4", kShort), 0) << log();
    EXPECT_EQ(count("going on from step 3"), 1) << log();
    EXPECT_EQ(newest("faulty"), newest("undisturbed"));
}

} // namespace
