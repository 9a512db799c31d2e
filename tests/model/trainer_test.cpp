#include "model/trainer.h"

#include "kernels/device/cpu_device.h"
#include "model/predictor.h"
#include "model/trained.h"
#include "tests/model/tiny_training.h"
#include "tests/support/devices.h"
#include "tests/support/numerics.h"
#include "tests/support/temp_folder.h"

#include <algorithm>
#include <cstring>

using namespace bifrons;
using namespace bifrons::model;
using namespace bifrons::test;

namespace {

class TrainerTest : public ::testing::Test {
  protected:
    std::unique_ptr<Trainer> trainer(const Settings& settings = tiny())
    {
        return std::make_unique<Trainer>(cpu_.device(), settings, faces_, &held_out_);
    }
    static std::vector<float> weights(Trainer& t) { return t.parameters().weights().download(t.exec()); }
    static std::vector<float> averaged(Trainer& t) { return t.optimizer().average().download(t.exec()); }
    static std::vector<float> after(Trainer& t, int steps)
    {
        for (int i = 0; i < steps; ++i) t.step();
        return weights(t);
    }

    TestDevice cpu_{"cpu"};
    Faces faces_{cpu_.device()}, held_out_{cpu_.device()};
    TempFolder folder_;
};

TEST_F(TrainerTest, learns)
{
    const auto t = trainer();
    t->step();
    const StepReport first = t->report();
    after(*t, 150);
    const StepReport last = t->report();
    EXPECT_EQ(first.step, 1);
    EXPECT_EQ(last.step, 151);
    EXPECT_LT(last.total(), 0.6 * first.total());
    EXPECT_GT(last.grad_norm, 0);
    double sum = 0;
    for (std::size_t i = 0; i + 1 < last.values.size(); ++i) sum += last.values[i];
    EXPECT_NEAR(last.total(), sum, 1e-5 * sum) << "the total is the sum of the named losses";
    EXPECT_EQ(last.names, (std::vector<std::string>{"src_dssim", "src_mse", "src_mask", "dst_dssim", "dst_mse",
                                                    "dst_mask", "total"}));
}

TEST_F(TrainerTest, eyes_and_mouth_have_a_loss_where_it_is_wanted)
{
    const std::size_t batch = trainer()->memory_use().batch;
    Settings settings = tiny();
    settings.eyes_mouth_prio = true;
    const auto t = trainer(settings);
    EXPECT_EQ(t->memory_use().batch, batch / 7 * 8) << "one more plane beside seven";
    t->step();
    const StepReport report = t->report();
    ASSERT_EQ(report.names[2], "src_eyes_mouth");
    ASSERT_EQ(report.names[6], "dst_eyes_mouth");
    double sum = 0;
    for (std::size_t i = 0; i < 8; ++i) sum += report.values[i];
    EXPECT_NEAR(report.total(), sum, 1e-5 * sum);
    for (const std::size_t i : {2, 6}) EXPECT_GT(report.values[i], 0.01 * sum);
}

TEST_F(TrainerTest, tells_about_every_step_since_it_was_asked)
{
    const auto watched = trainer(), left_alone = trainer();
    std::vector<double> totals;
    for (int i = 0; i < 5; ++i) {
        watched->step();
        totals.push_back(watched->report().total());
        left_alone->step();
    }
    EXPECT_EQ(left_alone->unreported(), 5);
    const std::vector<StepReport> told = left_alone->reports();
    ASSERT_EQ(told.size(), totals.size());
    for (std::size_t i = 0; i < told.size(); ++i) {
        EXPECT_EQ(told[i].step, std::int64_t(i) + 1);
        EXPECT_EQ(told[i].total(), totals[i]);
    }
    EXPECT_TRUE(left_alone->reports().empty());
    for (int i = 0; i < Trainer::kReports + 3; ++i) left_alone->step();
    const std::vector<StepReport> newest = left_alone->reports();
    ASSERT_EQ(std::int64_t(newest.size()), Trainer::kReports);
    EXPECT_EQ(newest.front().step, 5 + 3 + 1);
    EXPECT_EQ(newest.back().step, 5 + 3 + Trainer::kReports);
}

TEST_F(TrainerTest, the_same_seed_gives_the_same_bits_and_another_does_not)
{
    Settings other = tiny();
    other.seed = 10;
    const auto a = after(*trainer(), 4);
    EXPECT_EQ(a, after(*trainer(), 4));
    EXPECT_NE(a, after(*trainer(other), 4));
}

TEST_F(TrainerTest, resumed_equals_undisturbed_to_the_bit)
{
    const auto undisturbed = trainer(), first = trainer(), second = trainer();
    CheckpointStore store(folder_.path());
    after(*undisturbed, 7);
    after(*first, 3);
    first->save(store);
    const auto checkpoint = store.latest([](const std::string&) {});
    ASSERT_TRUE(checkpoint);
    EXPECT_EQ(settings_of(*checkpoint), tiny());
    second->restore(*checkpoint);
    EXPECT_EQ(second->steps(), 3);
    EXPECT_EQ(after(*second, 4), weights(*undisturbed));
    EXPECT_EQ(second->report().values, undisturbed->report().values);
}

TEST_F(TrainerTest, a_step_that_is_not_finite_changes_no_weight_and_is_told)
{
    const auto t = trainer();
    after(*t, 1);
    const auto before = weights(*t);
    faces_.poison(true); // the second step is recorded with it
    EXPECT_EQ(after(*t, 1), before);
    EXPECT_TRUE(t->report().skipped);
    EXPECT_EQ(t->report().bad_steps, 1);
    after(*t, 1);
    EXPECT_EQ(t->report().bad_steps, 2);
    EXPECT_EQ(t->report().step, 3) << "the random step continues";
}

TEST_F(TrainerTest, rolling_back_keeps_the_random_step)
{
    const auto t = trainer();
    CheckpointStore store(folder_.path());
    const auto good = after(*t, 2);
    t->save(store);
    after(*t, 3);
    t->roll_back(*store.latest([](const std::string&) {}));
    EXPECT_EQ(weights(*t), good);
    EXPECT_EQ(t->steps(), 5);
    EXPECT_EQ(t->report().step, 5);
}

TEST_F(TrainerTest, validation_and_the_choice_of_threads_change_nothing)
{
    const auto a = trainer(), b = trainer();
    after(*a, 2);
    after(*b, 1);
    const auto before = weights(*b);
    const int chosen = b->choose_threads();
    EXPECT_EQ(chosen, cpu_.device().target().threads);
    EXPECT_TRUE(std::isfinite(b->validate().total()));
    EXPECT_EQ(weights(*b), before);
    // Nor do they change what comes next: the same step follows as without them, at the threads of the choice.
    auto* cpu = dynamic_cast<kernels::CpuDevice*>(&cpu_.device());
    cpu->set_threads(kernels::CpuDevice::usable_threads());
    b->replan();
    EXPECT_EQ(after(*b, 1), weights(*a));
}

TEST_F(TrainerTest, takes_exactly_the_memory_that_was_planned)
{
    const auto t = trainer();
    const MemoryUse planned = t->memory_use();
    after(*t, 3);
    EXPECT_EQ(t->slab_bytes(), planned.activations + planned.workspace);
    t->validate();
    EXPECT_EQ(planned.validation, 0u) << "runs in the step's slab";
    EXPECT_EQ(t->slab_bytes(), planned.activations + planned.workspace + planned.validation);
    EXPECT_EQ(planned.weights, planned.gradients);
    EXPECT_EQ(planned.moments, 2 * planned.weights);
    EXPECT_GE(planned.weights, std::size_t(t->parameters().count()) * 4);
}

/// Everything at once that has a state of its own.
Settings elaborate()
{
    Settings s = tiny();
    s.optimizer = "adabelief";
    s.accumulate = 2;
    s.lr_dropout = true;
    s.lr_warmup = 2;
    s.lr_schedule = "cosine";
    s.lr_decay_steps = 20;
    s.clipgrad = 1;
    s.ema = 0.9;
    return s;
}

TEST_F(TrainerTest, resumes_to_the_bit_with_every_part_of_the_optimizer)
{
    const auto undisturbed = trainer(elaborate()), first = trainer(elaborate()), second = trainer(elaborate());
    CheckpointStore store(folder_.path());
    after(*undisturbed, 5);
    after(*first, 3);
    first->save(store);
    std::vector<std::string> words;
    second->restore(*store.latest([](const std::string&) {}), [&](const std::string& text) { words.push_back(text); });
    EXPECT_TRUE(words.empty());
    EXPECT_EQ(after(*second, 2), weights(*undisturbed));
    EXPECT_EQ(averaged(*second), averaged(*undisturbed));
    EXPECT_NE(averaged(*second), weights(*second));
}

TEST_F(TrainerTest, a_trained_model_takes_the_averaged_weights_where_there_are_some)
{
    const auto t = trainer(elaborate());
    after(*t, 3);
    const auto want = averaged(*t);
    const std::vector<float> picture = random_values(32 * 32 * 3, 4, 0, 1);
    CheckpointStore store(folder_.path());
    t->save(store);
    const TrainedModel model(cpu_.device(), *store.latest([](const std::string&) {}));
    EXPECT_TRUE(model.averaged());
    Predictor loaded(cpu_.device(), model.network(), 1, Predictor::Identity::src, Precision::f32);
    const auto got = loaded(picture).face;
    t->parameters().weights().upload(t->exec(), want);
    Predictor ours(cpu_.device(), t->network(), 1, Predictor::Identity::src, Precision::f32);
    EXPECT_EQ(got, ours(picture).face);
}

TEST_F(TrainerTest, another_optimizer_starts_its_moments_afresh_and_says_so)
{
    const auto first = trainer();
    after(*first, 3);
    CheckpointStore store(folder_.path());
    first->save(store);
    for (const char* name : {"adamw", "adabelief", "adabelief_dfl", "rmsprop"}) {
        Settings s = tiny();
        s.optimizer = name;
        s.ema = 0.5;
        const auto next = trainer(s);
        std::vector<std::string> words;
        next->restore(*store.latest([](const std::string&) {}), [&](const std::string& t) { words.push_back(t); });
        const bool same_moments = std::string(name) == "adamw";
        ASSERT_EQ(words.size(), same_moments ? 1u : 2u) << name;
        if (!same_moments) {
            EXPECT_NE(words[0].find("has no moments of this optimizer of the generator"), std::string::npos);
        }
        EXPECT_NE(words.back().find("has no averaged weights"), std::string::npos);
        EXPECT_EQ(weights(*next), weights(*first));
        EXPECT_EQ(averaged(*next), weights(*first));
        const auto before = weights(*next), moved = after(*next, 1);
        // The first update of fresh moments, corrected: by the learning rate at most; without a correction, by
        // 0.1 / (0.9 sqrt(0.001)) of it or 1 / sqrt(0.1).
        double largest = 0;
        for (std::size_t i = 0; i < moved.size(); ++i)
            largest = std::max(largest, std::abs(double(moved[i]) - double(before[i])));
        EXPECT_LT(largest, 1e-3 * (name == std::string("adabelief_dfl") ? 3.52
                                   : name == std::string("rmsprop")     ? 3.17
                                                                        : 2))
            << name;
        EXPECT_GT(largest, 0) << name;
    }
}

Settings with_adversaries()
{
    Settings s = tiny();
    s.gan_power = 0.1, s.gan_patch_size = 7, s.gan_dims = 4;
    s.true_face_power = 0.01;
    return s;
}

/// Of the generator, or of its adversaries.
std::vector<float> part_of(Trainer& t, bool generator)
{
    const std::vector<float> all = t.parameters().weights().download(t.exec());
    const auto split = all.begin() + t.parameters().groups().at(1).begin;
    return generator ? std::vector<float>(all.begin(), split) : std::vector<float>(split, all.end());
}

TEST_F(TrainerTest, adversaries_learn_beside_the_generator)
{
    for (const auto& [kind, update] : {std::pair{"patch", "simultaneous"}, {"fc", "alternating"}}) {
        Settings s = with_adversaries();
        s.discriminator = kind;
        s.gan_update = update;
        const auto t = trainer(s);
        const auto before = part_of(*t, false);
        after(*t, 1);
        const StepReport first = t->report();
        EXPECT_NE(part_of(*t, false), before);
        after(*t, 14);
        const StepReport last = t->report();
        EXPECT_FALSE(last.skipped);
        EXPECT_LT(last.total(), first.total()) << kind << " " << update;
        const auto& names = last.names;
        EXPECT_EQ(names[names.size() - 3], "d_gan");
        EXPECT_EQ(names[names.size() - 2], "d_code");
        double sum = 0;
        for (std::size_t i = 0; i + 3 < names.size(); ++i) sum += last.values[i];
        EXPECT_NEAR(last.total(), sum, 1e-5 * sum) << "without the discriminators' losses";
    }
}

TEST_F(TrainerTest, rolling_back_starts_a_discriminator_afresh_that_the_checkpoint_has_not)
{
    CheckpointStore store(folder_.path());
    const auto plain = trainer();
    after(*plain, 2);
    plain->save(store);
    const auto checkpoint = store.latest([](const std::string&) {});
    const auto t = trainer(with_adversaries());
    t->restore(*checkpoint);
    const auto fresh = part_of(*t, false);
    after(*t, 2);
    EXPECT_NE(part_of(*t, false), fresh);
    t->roll_back(*checkpoint);
    EXPECT_EQ(part_of(*t, false), fresh);
    EXPECT_EQ(part_of(*t, true), weights(*plain));
}

TEST_F(TrainerTest, alternating_shows_the_discriminators_the_updated_generator)
{
    Settings s = with_adversaries();
    const auto simultaneous = trainer(s);
    s.gan_update = "alternating";
    const auto alternating = trainer(s);
    after(*simultaneous, 1);
    after(*alternating, 1);
    EXPECT_EQ(part_of(*alternating, true), part_of(*simultaneous, true)) << "to the bit";
    EXPECT_NE(part_of(*alternating, false), part_of(*simultaneous, false));
    const std::size_t d_gan = alternating->report().names.size() - 3;
    EXPECT_NE(alternating->report().values[d_gan], simultaneous->report().values[d_gan]);
}

TEST_F(TrainerTest, adversaries_resume_to_the_bit_and_start_fresh_where_a_checkpoint_has_none_that_fit)
{
    CheckpointStore store(folder_.path());
    const auto undisturbed = trainer(with_adversaries()), first = trainer(with_adversaries()),
               second = trainer(with_adversaries());
    after(*undisturbed, 4);
    after(*first, 2);
    first->save(store);
    const auto checkpoint = store.latest([](const std::string&) {});
    second->restore(*checkpoint, [](const std::string& text) { ADD_FAILURE() << text; });
    EXPECT_EQ(after(*second, 2), weights(*undisturbed));

    Settings wider = with_adversaries();
    wider.gan_dims = 6;
    const auto other = trainer(wider);
    const auto fresh = part_of(*other, false);
    std::vector<std::string> words;
    other->restore(*checkpoint, [&](const std::string& text) { words.push_back(text); });
    ASSERT_EQ(words.size(), 1u) << "of the picture's discriminator alone";
    EXPECT_NE(words[0].find("has no weights of the discriminator; starting with new ones"), std::string::npos)
        << words[0];
    EXPECT_EQ(part_of(*other, true), part_of(*first, true));
    const auto code_begin = other->parameters().groups().at(2).begin - other->parameters().groups().at(1).begin;
    const auto now = part_of(*other, false);
    EXPECT_TRUE(std::equal(now.begin(), now.begin() + code_begin, fresh.begin()));

    const auto none = trainer();
    words.clear();
    none->restore(*checkpoint, [&](const std::string& text) { words.push_back(text); });
    EXPECT_EQ(weights(*none), part_of(*first, true)) << "an adversary that is not wanted is left behind";
    ASSERT_EQ(words.size(), 2u) << "with a word about either";
    EXPECT_NE(words[0].find("has a discriminator, which these settings do not use"), std::string::npos) << words[0];
}

// 2 x 2 samples of each identity are the samples of a batch of 4; each loss is a mean over all of them.
TEST_F(TrainerTest, batches_that_accumulate_are_one_large_batch)
{
    Settings large = tiny(), small = tiny();
    large.batch_size = 4;
    small.accumulate = 2;
    for (const DType dtype : {DType::f64, DType::f32}) {
        Faces of_whole(cpu_.device()), of_parts(cpu_.device());
        Trainer whole(cpu_.device(), large, of_whole, nullptr, dtype),
            parts(cpu_.device(), small, of_parts, nullptr, dtype);
        whole.step();
        parts.step();
        const StepReport want = whole.report(), got = parts.report();
        // A loss is a mean over at most 4 * 32 * 32 * 3 values behind eight layers of at most 4 * 4 * 64 products.
        const double relative = dtype == DType::f64 ? 1e-12 : gamma32(12288) + 8 * gamma32(1024);
        for (std::size_t i = 0; i < want.values.size(); ++i)
            EXPECT_NEAR(got.values[i], want.values[i], relative * want.values[i]) << want.names[i];
        EXPECT_NEAR(got.grad_norm, want.grad_norm, (dtype == DType::f64 ? 1e-6 : 1e-4) * want.grad_norm); // kept in f32
        if (dtype == DType::f32) continue;
        const auto g = whole.parameters().gradients().download<double>(whole.exec());
        double largest = 0;
        for (const double x : g) largest = std::max(largest, std::abs(x));
        EXPECT_TRUE(within(parts.parameters().gradients().download<double>(parts.exec()), g, 1e-11 * largest));
    }
}

TEST(Planned, bytes_a_parameter)
{
    const auto plan = kernels::open_device("plan:cuda:sm_90");
    struct : BatchSource {
        void enqueue(kernels::Exec, const kernels::StepState*, Batch&) override {}
    } none;
    for (const auto& [precision, most] : {std::pair{"f32", 16}, {"bf16", 20}}) {
        Settings s;
        s.precision = precision;
        Trainer t(*plan, s, none, nullptr);
        const MemoryUse use = t.memory_use();
        const double padded = double(t.parameters().arena_size()) / double(t.parameters().count());
        EXPECT_LE(double(use.weights + use.packed + use.gradients + use.moments),
                  most * padded * double(t.parameters().count()));
        EXPECT_LT(padded, 1.0001);
        s.optimizer = "rmsprop";
        EXPECT_EQ(Trainer(*plan, s, none, nullptr).memory_use().moments, use.weights) << "no mean";
    }
}

/// Values of one block.
std::vector<float> block_of(Trainer& t, const std::string& block)
{
    std::vector<float> all;
    for (const int i : t.parameters().block(block))
        for (const float v : t.parameters().value(i).download(t.exec())) all.push_back(v);
    return all;
}

TEST_F(TrainerTest, blocks_are_taken_from_another_model)
{
    CheckpointStore store(folder_.path());
    const auto other = trainer();
    after(*other, 2);
    other->save(store);
    const Checkpoint checkpoint = *store.latest([](const std::string&) {});
    Settings settings = tiny();
    settings.seed = 77;
    settings.d_dims = 8; // decoders of another width
    const auto t = trainer(settings);
    const auto untouched = block_of(*t, "inter");
    t->take_blocks(checkpoint, {"encoder"});
    EXPECT_EQ(block_of(*t, "encoder"), block_of(*other, "encoder"));
    EXPECT_EQ(block_of(*t, "inter"), untouched);
    EXPECT_THROW(t->take_blocks(checkpoint, {"inter", "decoder_src"}), Error) << "other shapes";
    EXPECT_THROW(t->take_blocks(checkpoint, {"inter_AB"}), Error) << "no such block";
    EXPECT_EQ(block_of(*t, "inter"), untouched) << "all or nothing";
}

TEST_F(TrainerTest, blocks_start_anew_and_the_rest_stays)
{
    const auto t = trainer();
    const auto initial = block_of(*t, "inter");
    after(*t, 3);
    const auto trained = block_of(*t, "inter"), encoder = block_of(*t, "encoder");
    t->reset_blocks({"inter"});
    const auto fresh = block_of(*t, "inter");
    EXPECT_NE(fresh, trained);
    EXPECT_NE(fresh, initial) << "not the values it once started from";
    EXPECT_EQ(block_of(*t, "encoder"), encoder);
    for (const float m : t->optimizer().square().download(t->exec())) ASSERT_EQ(m, 0);
    EXPECT_THROW(t->reset_blocks({"inter_B"}), Error);
    t->step();
    EXPECT_FALSE(t->report().skipped);
    EXPECT_NE(block_of(*t, "inter"), fresh) << "and it learns";
}

TEST_F(TrainerTest, frozen_blocks_keep_their_bits)
{
    Settings settings = tiny();
    settings.freeze = "encoder,decoder_dst";
    const auto t = trainer(settings);
    const auto encoder = block_of(*t, "encoder"), dst = block_of(*t, "decoder_dst"), src = block_of(*t, "decoder_src");
    after(*t, 3);
    EXPECT_EQ(block_of(*t, "encoder"), encoder);
    EXPECT_EQ(block_of(*t, "decoder_dst"), dst);
    EXPECT_NE(block_of(*t, "decoder_src"), src);
    settings.freeze = "decoder";
    EXPECT_THROW(trainer(settings), Error);
    settings.freeze = "encoder,inter,decoder_src,decoder_dst";
    EXPECT_THROW(trainer(settings), Error) << "nothing left to train";
    settings = tiny();
    settings.archi = "liae-ud";
    settings.random_warp = false;
    const auto liae = trainer(settings);
    const auto ab = block_of(*liae, "inter_AB"), b = block_of(*liae, "inter_B");
    after(*liae, 2);
    EXPECT_EQ(block_of(*liae, "inter_AB"), ab);
    EXPECT_NE(block_of(*liae, "inter_B"), b);
}

TEST_F(TrainerTest, a_checkpoint_of_another_network_is_refused_and_nothing_changes)
{
    Settings wider = tiny();
    wider.ae_dims = 32;
    const auto t = trainer(), other = trainer(wider);
    CheckpointStore store(folder_.path());
    other->save(store);
    const auto before = weights(*t);
    EXPECT_THROW(t->restore(*store.latest([](const std::string&) {})), Error);
    EXPECT_EQ(weights(*t), before);
}

TEST_F(TrainerTest, a_predictor_follows_the_weights)
{
    const auto t = trainer();
    Predictor src(cpu_.device(), t->network(), 1, Predictor::Identity::src, Precision::f32),
        dst(cpu_.device(), t->network(), 1, Predictor::Identity::dst, Precision::f32);
    const std::vector<float> picture = random_values(32 * 32 * 3, 4, 0, 1);
    const auto before = src(picture);
    EXPECT_EQ(before.face, src(picture).face) << "eager and recorded alike";
    EXPECT_NE(before.face, dst(picture).face) << "the decoders differ";
    after(*t, 2);
    const auto later = src(picture);
    EXPECT_NE(before.face, later.face);
    for (const float v : later.face) ASSERT_TRUE(v >= 0 && v <= 1);
    EXPECT_EQ(later.mask.size(), 32u * 32u);
    EXPECT_EQ(src.taken_bytes(), src.planned_bytes());
}

TEST_F(TrainerTest, a_checkpoint_predicts_what_its_trainer_does)
{
    const auto t = trainer();
    after(*t, 2);
    TempFolder folder;
    CheckpointStore store(folder.path());
    t->save(store);
    const TrainedModel model(cpu_.device(), *load_latest_checkpoint(folder.path(), [](const std::string&) {}));
    EXPECT_EQ(model.step(), 2);
    EXPECT_EQ(model.settings(), t->settings());
    Predictor ours(cpu_.device(), t->network(), 1, Predictor::Identity::src, Precision::f32),
        loaded(cpu_.device(), model.network(), 1, Predictor::Identity::src, Precision::f32);
    const std::vector<float> picture = random_values(32 * 32 * 3, 4, 0, 1);
    EXPECT_EQ(loaded(picture).face, ours(picture).face);
    EXPECT_EQ(loaded(picture).mask, ours(picture).mask);
}

} // namespace
