// `bifrons train` as a user meets it: real facesets in, checkpoints, history and preview out; killed and gone on with.
#include "data/media/frames.h"
#include "model/preset.h"
#include "model/trainer.h"
#include "model/wanted_settings.h"
#include "tests/data/folder.h"
#include "tests/support/devices.h"
#include "tests/support/feature_files.h"
#include "tests/tools/run_program.h"
#include "tests/tools/train_command.h"

#include <csignal>

using namespace bifrons;
using namespace bifrons::test;

namespace {

TEST_F(TrainCommand, leaves_checkpoints_history_and_a_preview)
{
    ASSERT_EQ(train("model", "7"), 0) << log();
    EXPECT_EQ(newest("model").first, 7);
    EXPECT_TRUE(fs::exists(folder_ / "model/preview.png"));
    const data::Image sheet = data::load_image(folder_ / "model/preview.png");
    EXPECT_EQ(sheet.H, 60 + 4 * 128) << "words, and four faces";
    const std::string history = read(folder_ / "model/history.jsonl");
    EXPECT_NE(history.find("\"event\":\"begin\""), history.npos);
    EXPECT_NE(history.find("\"src_dssim\""), history.npos);
    EXPECT_NE(history.find("\"event\":\"validation\""), history.npos);
}

#if BIFRONS_HAS_MEDIA
TEST_F(TrainCommand, replaces_the_face_in_a_frame_of_real_footage)
{
    const fs::path clip = assets() / "faces/grid/swwp2s.mpg";
    BIFRONS_NEEDS_ASSET(clip);
    ASSERT_EQ(train("model", "4", {"--preview-frame", clip, "--set", "write_preview_history=true"}), 0) << log();
    const data::Image frame = data::load_image(folder_ / "model/preview-frame.png");
    EXPECT_EQ(frame.W, 360);
    EXPECT_EQ(frame.H, 288);
    data::Frame original;
    data::open_frames(clip)->next(original);
    EXPECT_EQ(frame.at(2, 2)[0], original.image.at(2, 2)[0]);
    EXPECT_NE(frame.pixels, original.image.pixels);
    EXPECT_TRUE(fs::exists(folder_ / "model/previews/step-000000004-frame.png"));
    data::save_image(folder_ / "black.png", data::Image(288, 360, 3));
    EXPECT_EQ(train("other", "3", {"--preview-frame", folder_ / "black.png"}), 3);
    EXPECT_EQ(count("black.png: shows no face that is found"), 1) << log();
    EXPECT_FALSE(fs::exists(folder_ / "other/preview.png"));
}
#endif

/// The value of a key in each line of the history that has it.
std::vector<double> history_of(const std::string& text, const std::string& key)
{
    std::vector<double> values;
    const std::string mark = "\"event\":\"steps\"", name = "\"" + key + "\":";
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);)
        if (line.find(mark) != line.npos) values.push_back(std::stod(line.substr(line.find(name) + name.size())));
    return values;
}

TEST_F(TrainCommand, the_history_tells_the_learning_rate)
{
    const std::vector<std::string> schedule = {"--set", "learning_rate=1e-3",   "--set", "lr_warmup=20",
                                               "--set", "validation_fraction=0"};
    ASSERT_EQ(train("model", "23", schedule), 0) << log();
    const std::vector<double> rates = history_of(read(folder_ / "model/history.jsonl"), "learning_rate");
    ASSERT_EQ(rates.size(), 3u);
    EXPECT_NEAR(rates[0], 1e-3 * 10 / 20, 1e-9) << "of the tenth update";
    EXPECT_EQ(rates[1], 1e-3) << "as the user wrote it";
    EXPECT_NEAR(rates[2], 1e-3, 1e-9);
    EXPECT_NE(log().find("learning_rate 0.001"), std::string::npos) << log();
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

TEST_F(TrainCommand, a_terminal_that_closes_saves_and_is_no_failure)
{
    const pid_t child = start("model", "100000");
    for (int i = 0; i < 400 && !fs::exists(folder_ / "model/history.jsonl"); ++i) usleep(50000);
    usleep(300000);
    kill(child, SIGHUP);
    EXPECT_EQ(wait_for(child), 0) << log();
    EXPECT_GT(newest("model").first, 0);
    EXPECT_NE(log().find("interrupted; saved at step"), std::string::npos) << log();
}

TEST_F(TrainCommand, pretraining_ends_with_fresh_inters_and_a_model_can_start_from_it)
{
    ASSERT_EQ(train("model", "3", {"--set", "pretrain=true"}), 0) << log();
    const auto pretrained = newest("model").second;
    ASSERT_EQ(train("model", "3", {"--set", "pretrain=false"}), 0) << log();
    EXPECT_NE(log().find("reinitialised: inter"), std::string::npos) << log();
    ASSERT_EQ(train("other", "0",
                    {"--init-from", folder_ / "model", "--init-blocks", "encoder", "--set", "target_iter=2", "--set",
                     "freeze=encoder"}),
              0)
        << log();
    const auto [step, other] = newest("other");
    EXPECT_EQ(step, 2) << "target_iter";
    EXPECT_EQ(other.at("encoder.down1.weight"), pretrained.at("encoder.down1.weight"));
    EXPECT_NE(other.at("inter.dense1.weight"), pretrained.at("inter.dense1.weight"));
}

/// A command that cannot work: what it adds, how it ends, and what it says.
struct Refusal {
    std::vector<std::string> more;
    int code;
    std::string says;
};

TEST_F(TrainCommand, what_cannot_work_is_refused_and_nothing_is_made_or_changed)
{
    ASSERT_EQ(train("wide", "1", {"--set", "ae_dims=16"}), 0) << log();
    ASSERT_EQ(train("made", "4"), 0) << log();
    vgg16(2).write(folder_ / "vgg.safetensors");
    write_bytes(folder_ / "torn.safetensors", "torn");
    const std::string another = list_checkpoints(folder_ / "wide").front();
    const auto perceptual = [&](const std::string& file, const std::string& taps = "relu1_1") {
        return std::vector<std::string>{"--set", "perceptual_weight=1",        "--set", str("perceptual_file=", file),
                                        "--set", str("perceptual_taps=", taps)};
    };
    const auto refuses = [&](const std::string& model, const std::vector<Refusal>& refusals) {
        const auto before = contents(model);
        for (const Refusal& r : refusals) {
            EXPECT_EQ(train(model, "8", r.more), r.code) << r.says << "\n" << log();
            EXPECT_GE(count(r.says), 1) << r.says << "\n" << log();
            EXPECT_EQ(contents(model), before) << r.says;
        }
    };
    const std::vector<Refusal> always = {
        {{"--set", "resolution=33"}, 2, "resolution is 33"},
        {{"--set", "archi=df-t", "--set", "resolution=48"}, 2, "a multiple of 32"},
        {{"--set", "learning_rat=1"}, 2, "learning_rate"},
        {{"--set", "gan_power=0.1", "--set", "gan_patch_size=33"}, 2, "gan_patch_size is 33, the pictures are 32 px"},
        {{"--set", "archi=liae-ud", "--set", "true_face_power=0.1"}, 2, "Set true_face_power=0"},
        {{"--set", "freeze=encodr"}, 2, "freeze names \"encodr\""},
        {{"--set", "weight_decay=0.1"}, 2, "Set optimizer=adamw"},
        {{"--set", "perceptual_file=absent", "--set", "perceptual_downscale=2"}, 2, "Set perceptual_weight=1"},
        {{"--set", "perceptual_weight=1"}, 2, "perceptual_file names no file"},
        {perceptual(folder_ / "absent.safetensors"), 3, "absent.safetensors: "},
        {perceptual(folder_ / "torn.safetensors"), 3, "torn.safetensors: "},
        {perceptual(another), 3, another + ": "},
        {perceptual(folder_ / "vgg.safetensors", "relu4_1"), 2, "has no tap \"relu4_1\""},
        {{"--init-blocks", "encoder"}, 2, "Add --init-from"},
        {{"--preset", "cpu-fsat"}, 2, "did you mean"},
        {{"--reset", "inter_AB"}, 2, "no block \"inter_AB\""},
    };
    const std::vector<Refusal> of_new_models = {
        {{"--set", "freeze=encoder"}, 2, "encoder has random weights and is frozen"},
        {{"--preset", "finish"}, 2, "--preset finish is for a trained model"},
        {{"--init-from", folder_ / "wide"}, 2, "has another shape of inter.dense1.weight"},
        {{"--init-from", folder_ / "absent"}, 3, "absent: does not exist"},
        {{"--init-from", folder_ / "wide", "--init-blocks", "encoder,intr"}, 2, "no block \"intr\""},
    };
    refuses("deep/in/new", always);
    refuses("deep/in/new", of_new_models);
    refuses("made", always);
    fs::remove(folder_ / "dst/faceset.json");
    for (const char* model : {"deep/in/new", "made"}) refuses(model, {{{}, 3, "dst: is not a faceset"}});
    EXPECT_FALSE(fs::exists(folder_ / "deep"));
}

TEST_F(TrainCommand, presets_are_listed_printed_and_planned)
{
    const std::string help = bifrons_run({"train", "--help"}).out;
    for (const model::Preset& preset : model::presets()) {
        EXPECT_NE(help.find(preset.purpose), help.npos) << help;
        EXPECT_EQ(bifrons_run({"train", "--preset", preset.name, "--print"}).out, preset.toml);
        const Result plan = bifrons_run({"plan", "--preset", preset.name, "--for", "cuda:sm_90", "--json"});
        ASSERT_EQ(plan.code, 0) << plan.err;
        if (preset.gpu_gib > 0) {
            EXPECT_LT(plan.json()["bytes"]["total"], preset.gpu_gib * (1 << 30)) << preset.name;
        }
    }
    EXPECT_EQ(bifrons_run({"train", "--print"}).err,
              "bifrons train: --print needs the name of a preset. Add --preset NAME.\n");
    const Result all_of_augmentation = bifrons_run({"plan", "--preset", "cpu-fast", "--set", "eyes_mouth_prio=true",
                                                    "--set", "blur_out_mask=true", "--set", "ct_mode=rct"});
    EXPECT_EQ(all_of_augmentation.code, 0) << all_of_augmentation.err;
    EXPECT_EQ(bifrons_run({"plan", "--preset", "cpu-fsat"}).code, 2);
}

TEST_F(TrainCommand, a_new_model_without_settings_takes_the_preset_that_fits_and_keeps_it)
{
    const std::vector<std::string> words = {"train",         "--src",     folder_ / "src",   "--dst",
                                            folder_ / "dst", "--model",   folder_ / "model", "--device",
                                            "cpu:1",         "--minutes", "0.00001"};
    const Result first = bifrons_run(words);
    ASSERT_EQ(first.code, 0) << first.err;
    EXPECT_NE(first.err.find("preset cpu: "), first.err.npos) << first.err;
    const auto made = load_latest_checkpoint(folder_ / "model", [](const std::string&) {});
    EXPECT_EQ(model::settings_of(*made), model::wanted_settings({}, {.preset = "cpu"}));
    const Result again = bifrons_run(words);
    EXPECT_EQ(again.code, 0) << again.err;
    EXPECT_EQ(again.err.find("preset "), again.err.npos) << again.err;
    const auto resumed = load_latest_checkpoint(folder_ / "model", [](const std::string&) {});
    EXPECT_EQ(model::settings_of(*resumed), model::settings_of(*made));
}

TEST_F(TrainCommand, says_what_a_step_costs_here)
{
    ASSERT_EQ(train("model", "12"), 0) << log();
    EXPECT_EQ(count("a step takes "), 1) << log();
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
    EXPECT_NE(log().find("src: holds 1 face; expected at least 4"), std::string::npos) << log();
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
    EXPECT_EQ(count("10 steps in a row were not finite, after 3 rollbacks to the last checkpoint"), 1) << log();
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
    EXPECT_EQ(count("resuming from step 3"), 1) << log();
    EXPECT_EQ(newest("faulty"), newest("undisturbed"));
}

/// Gives the facesets' footage names that tell them apart.
void name_footage(const fs::path& faceset, const std::string& name)
{
    data::Faceset set = data::load_faceset(faceset);
    set.sources[0].path = name;
    data::save_faceset(set);
}

TEST_F(TrainCommand, exchanged_facesets_are_told)
{
    name_footage(folder_ / "src", "anna.mp4");
    name_footage(folder_ / "dst", "berta.mp4");
    ASSERT_EQ(train("model", "1"), 0) << log();
    ASSERT_EQ(train("model", "2"), 0) << log();
    EXPECT_EQ(count("exchanged"), 0) << log();
    fs::rename(folder_ / "src", folder_ / "other");
    fs::rename(folder_ / "dst", folder_ / "src");
    fs::rename(folder_ / "other", folder_ / "dst");
    ASSERT_EQ(train("model", "3"), 0) << log();
    EXPECT_EQ(count("warning: source and destination are exchanged"), 1) << log();
    ASSERT_EQ(train("model", "4"), 0) << log();
    EXPECT_EQ(count("exchanged"), 0) << "against the run before\n" << log();
}

TEST_F(TrainCommand, what_the_footage_shows_is_told_once_and_when_it_changes)
{
    name_footage(folder_ / "src", "anna.mp4");
    name_footage(folder_ / "dst", "berta.mp4");
    ASSERT_EQ(train("model", "1"), 0) << log();
    EXPECT_EQ(count("what the faces show"), 1) << log();
    ASSERT_EQ(train("model", "2"), 0) << log();
    EXPECT_EQ(count("what the faces show"), 0) << log();
    name_footage(folder_ / "src", "clara.mp4");
    ASSERT_EQ(train("model", "3"), 0) << log();
    EXPECT_EQ(count("what the faces show"), 1) << log();
}

TEST_F(TrainCommand, pictures_that_were_changed_or_are_gone_are_told)
{
    const fs::path images = fs::path(folder_ / "src") / "images";
    data::save_image(images / "clip_3_0.png", data::Image(64, 64, 3), {.existing = data::Existing::replace});
    fs::remove(images / "clip_5_0.png");
    ASSERT_EQ(train("model", "1"), 0) << log();
    EXPECT_EQ(count("src: 1 picture, images/clip_3_0.png, was changed since extraction; used as now"), 1) << log();
    EXPECT_EQ(count("src: 1 picture, images/clip_5_0.png, is gone; the faces were taken out, 11 are left"), 1) << log();
    EXPECT_EQ(train("verified", "1", {"--verify"}), 3);
    EXPECT_EQ(count("images/clip_3_0.png, was changed since extraction. Extract again"), 1) << log();
}

TEST_F(TrainCommand, damaged_pictures_are_left_out_and_told)
{
    const std::string picture = folder_ / "src/images/clip_1_0.png"; // of those that the preview shows
    write_text(picture, "damaged");
    ASSERT_EQ(train("model", "1"), 0) << log();
    EXPECT_GE(count("src: 1 picture, images/clip_1_0.png, cannot be used; left out. " + picture + ": "), 1) << log();
    EXPECT_EQ(train("verified", "1", {"--verify"}), 3);
    EXPECT_EQ(count("images/clip_1_0.png, cannot be used. Extract again"), 1) << log();
    for (int n = 0; n < 12; ++n) write_text(folder_ / str("src/images/clip_", n, "_0.png"), "damaged");
    EXPECT_EQ(train("none", "1"), 3);
    EXPECT_EQ(count("pictures can be used. "), 1) << log();
}

TEST_F(TrainCommand, a_faceset_that_is_extracted_into_is_refused)
{
    const FolderLock extraction(folder_ / "dst");
    EXPECT_EQ(train("model", "1"), 1);
    EXPECT_EQ(count("is writing there"), 1) << log();
    EXPECT_FALSE(fs::exists(folder_ / "model"));
}

} // namespace
