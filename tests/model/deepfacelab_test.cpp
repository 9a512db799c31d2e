// tests/model/deepfacelab_test.cpp - DeepFaceLab's models, restored, show what they showed there. What is recorded is
// of make_dfl_models.py.
#include "model/import/deepfacelab.h"

#include "model/adversary.h"
#include "model/export/deepfacelab.h"
#include "model/predictor.h"
#include "model/trained.h"
#include "model/trainer.h"
#include "tests/model/tiny_training.h"
#include "tests/support/devices.h"
#include "tests/support/dfl_models.h"
#include "tests/support/temp_folder.h"

#include <gtest/gtest.h>

#include <set>

namespace bifrons::model {
namespace {

using namespace bifrons::test;

using Options = std::map<std::string, std::variant<double, std::string>>;

Options options_of(const std::string& archi)
{
    return {{"archi", archi},    {"resolution", double(kDflSide)},
            {"ae_dims", 8.0},    {"e_dims", 4.0},
            {"d_dims", 4.0},     {"d_mask_dims", 6.0},
            {"face_type", "wf"}, {"batch_size", 4.0},
            {"gan_power", 0.1},  {"gan_patch_size", 8.0},
            {"gan_dims", 4.0},   {"true_face_power", archi[0] == 'd' ? 0.01 : 0.0},
            {"adabelief", 1.0}};
}

/// A model's files in memory, as DeepFaceLab saves them; to be damaged by tests.
struct Files {
    explicit Files(const std::string& archi) : arrays(dfl_arrays(archi)), options(options_of(archi)) {}

    std::vector<DflArray>& operator[](const std::string& file) { return arrays.at(file); }
    DflArray& at(const std::string& file, const std::string& key)
    {
        for (DflArray& array : arrays.at(file))
            if (array.key == key) return array;
        throw Error(ErrorKind::bug, file + " has no " + key);
    }
    ImportedModel import(const std::function<void(std::int64_t, std::int64_t)>& progress = {})
    {
        std::map<std::string, std::map<std::string, NamedTensor>> named;
        for (const auto& [file, all] : arrays)
            for (const DflArray& a : all) named[file][a.key] = {a.key, DType::f32, a.shape, a.values.data()};
        return import_model({.kind = kind,
                             .path = "model/tiny_" + kind + "_",
                             .iterations = 1000,
                             .options = options,
                             .arrays =
                                 [&](const std::string& file) {
                                     const auto found = named.find(file);
                                     return found == named.end() ? nullptr : &found->second;
                                 }},
                            progress);
    }
    /// What the import is refused with.
    std::string fault()
    {
        try {
            import();
        } catch (const Error& error) {
            EXPECT_EQ(error.kind(), ErrorKind::data) << error.what();
            return error.what();
        }
        return "none";
    }

    std::map<std::string, std::vector<DflArray>> arrays;
    Options options;
    std::string kind = "SAEHD";
};

/// As `bifrons import` writes it and other commands read it.
Checkpoint saved(const ImportedModel& made, const std::string& folder)
{
    CheckpointStore store(folder);
    store.save(made.step, made.tensors, made.metadata);
    return *store.latest([](const std::string& text) { ADD_FAILURE() << text; });
}

const NamedTensor& tensor(const ImportedModel& made, const std::string& name)
{
    for (const NamedTensor& t : made.tensors)
        if (t.name == name) return t;
    throw Error(ErrorKind::bug, "no " + name);
}

std::vector<float> values(const ImportedModel& made, const std::string& name)
{
    return float_values(tensor(made, name));
}

class DflModels : public ::testing::TestWithParam<std::string> {};
INSTANTIATE_TEST_SUITE_P(Archis, DflModels, ::testing::ValuesIn(kDflArchis), [](const auto& archi) {
    std::string name = archi.param;
    std::replace(name.begin(), name.end(), '-', '_');
    return name;
});

TEST_P(DflModels, show_what_DeepFaceLab_shows)
{
    const TempFolder folder;
    const ImportedModel made = Files(GetParam()).import();
    EXPECT_EQ(made.notes, std::vector<std::string>{});
    TestDevice cpu("cpu");
    const TrainedModel model(cpu.device(), saved(made, folder.path()));
    EXPECT_EQ(model.settings().archi, GetParam());
    EXPECT_EQ(model.step(), 1000);
    const std::vector<float> picture = uniform_floats("picture", kDflSide * kDflSide * 3);
    std::vector<float> all;
    const auto add = [&](const std::vector<float>& values) {
        const std::vector<float> some = every_fifth(values);
        all.insert(all.end(), some.begin(), some.end());
    };
    const Predictor::Prediction src =
        Predictor(cpu.device(), model.network(), 1, Predictor::Identity::src, Precision::f32)(picture);
    add(src.face);
    add(src.mask);
    add(Predictor(cpu.device(), model.network(), 1, Predictor::Identity::dst, Precision::f32)(picture).mask);
    EXPECT_LT(largest_difference(all, recorded(GetParam())), 1e-5);
}

/// Every file and array of the model as it came, bit for bit: its batch is a power of two.
TEST_P(DflModels, come_back_as_they_were)
{
    const TempFolder folder;
    Files files(GetParam());
    const Checkpoint checkpoint = saved(files.import(), folder.path());
    const DflExport back(checkpoint);
    EXPECT_EQ(back.iterations(), 1000);
    EXPECT_EQ(back.notes(), std::vector<std::string>{});
    std::set<std::string> names;
    for (const DflExport::File& file : back.files()) {
        names.insert(file.name);
        std::size_t n = 0;
        back.read(file, [&](const DflExport::Array& array) {
            const DflArray& expected = files.at(file.name, array.name);
            ASSERT_EQ(array.shape, expected.shape) << array.name;
            ASSERT_EQ(array.values, expected.values) << array.name;
            ++n;
        });
        EXPECT_EQ(n, files[file.name].size()) << file.name;
        EXPECT_EQ(file.is_optimizer, file.name.find("_opt") != std::string::npos);
    }
    EXPECT_EQ(names.size(), files.arrays.size());
}

TEST(DflModel, options_come_back_as_they_were)
{
    Options expected = options_of("df-udtc");
    for (const auto& [name, value] : Options{{"models_opt_on_gpu", 1.0},
                                             {"masked_training", 0.0},
                                             {"eyes_mouth_prio", 1.0},
                                             {"uniform_yaw", 1.0},
                                             {"blur_out_mask", 1.0},
                                             {"adabelief", 0.0},
                                             {"lr_dropout", "y"},
                                             {"random_warp", 0.0},
                                             {"random_hsv_power", 0.05},
                                             {"face_style_power", 0.001},
                                             {"bg_style_power", 2.0},
                                             {"ct_mode", "sot"},
                                             {"clipgrad", 1.0},
                                             {"pretrain", 1.0},
                                             {"autobackup_hour", 3.0},
                                             {"write_preview_history", 1.0},
                                             {"target_iter", 500000.0},
                                             {"random_src_flip", 1.0},
                                             {"random_dst_flip", 0.0}})
        expected[name] = value;
    std::vector<std::string> notes;
    Options found;
    for (const auto& [name, value] : options_from(settings_from({.options = expected}, notes), notes)) {
        if (const auto* const text = std::get_if<std::string>(&value))
            found[name] = *text;
        else
            found[name] = std::visit(
                [](const auto& number) {
                    if constexpr (std::is_arithmetic_v<std::decay_t<decltype(number)>>) return double(number);
                    return 0.0;
                },
                value);
    }
    EXPECT_EQ(found, expected);
}

TEST(DflModel, what_DeepFaceLab_does_not_have_is_named)
{
    Settings s;
    s.optimizer = "adam";
    s.perceptual_weight = 1;
    s.gan_power = 0.1;
    s.discriminator = "fc";
    std::vector<std::string> notes;
    options_from(s, notes);
    EXPECT_EQ(notes, (std::vector<std::string>{
                         "DeepFaceLab has no Adam, which the model was trained with",
                         "DeepFaceLab has no perceptual loss, which the model was trained with",
                         "DeepFaceLab has no discriminator of this kind, which the model was trained with"}));
}

TEST(DflModel, trains_on_with_all_that_DeepFaceLab_saved)
{
    const TempFolder folder;
    const ImportedModel made = Files("df-ud").import();
    TestDevice cpu("cpu");
    Faces faces(cpu.device());
    Trainer trainer(cpu.device(), made.settings, faces, nullptr);
    trainer.restore(saved(made, folder.path()), [](const std::string& text) { ADD_FAILURE() << text; });
    for (std::size_t i = 0; i < trainer.parameters().entries().size(); ++i) {
        const std::string& name = trainer.parameters().entries()[i].name;
        const std::vector<float>
            weights = trainer.parameters().value(int(i)).download(cpu.exec()),
            mean = trainer.parameters().part(trainer.optimizer().mean(), int(i)).download(cpu.exec()),
            square = trainer.parameters().part(trainer.optimizer().square(), int(i)).download(cpu.exec());
        ASSERT_EQ(weights, values(made, name));
        // Means are as large as the weights and squares are theirs, but of sums over a batch of 4.
        for (std::size_t k = 0; k < weights.size(); ++k) {
            ASSERT_EQ(mean[k], weights[k] / 4) << name << " " << k;
            ASSERT_EQ(square[k], weights[k] * weights[k] / 16) << name << " " << k;
        }
    }
    trainer.step();
    const StepReport report = trainer.report();
    EXPECT_EQ(report.step, 1001);
    EXPECT_FALSE(report.skipped);
    EXPECT_TRUE(std::isfinite(report.total()));
}

TEST(DflModel, discriminators_answer_as_there)
{
    const ImportedModel made = Files("df").import();
    TestDevice cpu("cpu");
    Pool pool(cpu.device());
    Parameters params;
    const PatchDiscriminator patch(params, "discriminator", 8, 4);
    const CodeDiscriminator code(params, "code_discriminator", 8, 8);
    params.allocate_weights(cpu.exec(), DType::f32, pool);
    for (std::size_t i = 0; i < params.entries().size(); ++i)
        params.value(int(i)).upload(cpu.exec(), values(made, params.entries()[i].name));
    const auto input = [&](const char* name, const Shape& shape) {
        const Tensor x = Tensor::empty(shape, DType::f32, pool);
        x.upload(cpu.exec(), uniform_floats(name, shape.size()));
        return Var(x);
    };
    Tape tape(cpu.exec(), pool, false);
    const auto answer = [&](const Var& x) { return every_fifth(x.value().download(cpu.exec())); };
    const std::vector<Var> patches = patch(tape, input("picture", {1, kDflSide, kDflSide, 3}));
    const std::vector<float> centre = answer(patches[0]), full = answer(patches[1]),
                             latent = answer(code(tape, input("latent", {1, 8, 8, 8}))[0]);
    const std::vector<float> all = recorded("discriminators");
    ASSERT_EQ(all.size(), centre.size() + full.size() + latent.size());
    const auto part = [&](std::size_t from, std::size_t n) {
        return std::vector<float>(all.begin() + std::ptrdiff_t(from), all.begin() + std::ptrdiff_t(from + n));
    };
    EXPECT_LT(largest_difference(centre, part(0, centre.size())), 1e-5);
    EXPECT_LT(largest_difference(latent, part(centre.size() + full.size(), latent.size())), 1e-5);
}

TEST(DflModel, transposed_convolutions_come_from_the_same_level)
{
    Files files("df");
    const ImportedModel made = files.import();
    // Two levels: the deeper one comes first there.
    for (const auto& [ours, theirs] : {std::pair{"up2", "upconvs_0"}, {"up1", "upconvs_1"}}) {
        const DflArray& weight = files.at("GAN", str(theirs, "/weight:0")); // [ky,kx,out,in]
        const NamedTensor& t = tensor(made, str("discriminator.", ours, ".weight"));
        const std::int64_t out = weight.shape[2], in = weight.shape[3];
        EXPECT_EQ(t.shape, (std::vector<std::int64_t>{in, 3, 3, out}));
        const std::vector<float> w = float_values(t);
        for (std::int64_t i = 0; i < in; ++i)
            for (std::int64_t tap = 0; tap < 9; ++tap)
                for (std::int64_t o = 0; o < out; ++o)
                    ASSERT_EQ(w[std::size_t((i * 9 + tap) * out + o)],
                              weight.values[std::size_t((tap * out + o) * in + i)]);
    }
}

TEST(DflModel, options_become_settings)
{
    DflModel model{.path = "model/new_SAEHD_", .options = options_of("liae-tdu")};
    for (const auto& [name, value] : Options{{"masked_training", 0.0},  {"eyes_mouth_prio", 1.0},
                                             {"uniform_yaw", 1.0},      {"blur_out_mask", 1.0},
                                             {"adabelief", 0.0},        {"lr_dropout", "cpu"},
                                             {"random_warp", 0.0},      {"random_hsv_power", 0.05},
                                             {"true_face_power", 0.01}, {"face_style_power", 0.001},
                                             {"bg_style_power", 2.0},   {"ct_mode", "sot"},
                                             {"clipgrad", 1.0},         {"pretrain", 0.0},
                                             {"autobackup_hour", 3.0},  {"write_preview_history", 1.0},
                                             {"target_iter", 500000.0}, {"random_src_flip", 1.0},
                                             {"random_dst_flip", 0.0},  {"models_opt_on_gpu", 1.0},
                                             {"use_fp16", 0.0}})
        model.options[name] = value;
    std::vector<std::string> notes;
    const Settings s = settings_from(model, notes);
    Settings expected;
    expected.archi = "liae-udt";
    expected.resolution = kDflSide, expected.face_type = "whole_face";
    expected.ae_dims = 8, expected.e_dims = expected.d_dims = 4, expected.d_mask_dims = 6;
    expected.masked_training = false;
    expected.eyes_mouth_prio = expected.uniform_yaw = expected.blur_out_mask = true;
    expected.optimizer = "rmsprop", expected.lr_dropout = true;
    expected.batch_size = 4, expected.eps = 1e-6 / 4, expected.clipgrad = 0.25; // of the mean, there of the sum
    expected.random_warp = false, expected.random_hsv_power = 0.05;
    expected.true_face_power = 0; // of df alone
    expected.face_style_power = 0.001, expected.bg_style_power = 2, expected.ct_mode = "sot";
    expected.gan_power = 0.1, expected.gan_patch_size = 8, expected.gan_dims = 4;
    expected.autobackup_hour = 3, expected.write_preview_history = true, expected.target_iter = 500000;
    expected.random_src_flip = true, expected.random_dst_flip = false;
    EXPECT_EQ(to_json(s), to_json(expected));
    EXPECT_EQ(notes, std::vector<std::string>{"options without a counterpart here: models_opt_on_gpu, use_fp16"});
}

TEST(DflModel, face_types_have_their_names_here)
{
    for (const auto& [theirs, ours] : std::map<std::string, std::string>{
             {"h", "half"}, {"mf", "midfull"}, {"f", "full"}, {"wf", "whole_face"}, {"head", "head"}}) {
        DflModel model{.options = options_of("df")};
        model.options["face_type"] = theirs;
        std::vector<std::string> notes;
        EXPECT_EQ(settings_from(model, notes).face_type, ours);
    }
}

TEST(DflModel, quick96_is_a_df_ud_of_fixed_size)
{
    std::vector<std::string> notes;
    const Settings s = settings_from({.kind = "Quick96", .options = {{"batch_size", 4.0}}}, notes);
    EXPECT_EQ(architecture_of(s).name(), "df-ud");
    EXPECT_EQ(s.resolution, 96);
    EXPECT_EQ(s.ae_dims, 128);
    EXPECT_EQ(s.d_mask_dims, 16);
    EXPECT_EQ(s.optimizer, "rmsprop");
    EXPECT_EQ(s.learning_rate, 2e-4);
    EXPECT_EQ(s.eps, 2.5e-7);
    EXPECT_TRUE(s.lr_dropout);
    EXPECT_EQ(notes, std::vector<std::string>{});
}

TEST(DflModel, options_that_cannot_be_are_refused)
{
    const auto fault = [](const char* name, std::variant<double, std::string> value) {
        Files files("df-ud");
        files.options[name] = std::move(value);
        return files.fault();
    };
    const std::string file = "model/tiny_SAEHD_data.dat: ";
    EXPECT_EQ(fault("archi", "dfhd"), file + "the option archi is \"dfhd\"; expected df or liae with flags of u, d, t "
                                             "and c. DeepFaceLab itself reads no other any more.");
    EXPECT_EQ(fault("face_type", "avatar"), file + "the option face_type is \"avatar\"; expected h, mf, f, wf or head");
    EXPECT_EQ(fault("resolution", 64.5), file + "resolution is 64.5; expected a whole number in 32..640");
    EXPECT_EQ(fault("ae_dims", "many"), file + "the option ae_dims is not a number");
    EXPECT_NE(fault("resolution", 72.0).find(file + "resolution is 72; expected a multiple of 32"), std::string::npos);
}

TEST(DflModel, files_of_another_network_are_refused)
{
    Files files("df-ud");
    files.options["e_dims"] = 8.0;
    EXPECT_EQ(files.fault(),
              "model/tiny_SAEHD_encoder.npy: \"down1/downs_0/conv1/weight\" has the shape [5,5,3,4]; "
              "expected [5,5,3,8] for df-ud of 64 px with ae_dims 8, e_dims 8, d_dims 4, d_mask_dims 6. It "
              "belongs to another network than model/tiny_SAEHD_data.dat.");
    files = Files("df-ud");
    files.options["archi"] = "df-udt";
    EXPECT_NE(files.fault().find("model/tiny_SAEHD_encoder.npy: has no \"down1/conv1/weight\", which df-udt of 64 px"),
              std::string::npos)
        << files.fault();
    files = Files("df-ud");
    files["inter"].push_back({"dense3/weight:0", {1}, {0}});
    EXPECT_NE(files.fault().find("model/tiny_SAEHD_inter.npy: has \"dense3/weight:0\", which df-ud of 64 px"),
              std::string::npos)
        << files.fault();
    files = Files("df-ud");
    files.arrays.erase("decoder_dst");
    EXPECT_NE(files.fault().find("model/tiny_SAEHD_decoder_dst.npy: is missing; a model of df-ud of 64 px"),
              std::string::npos)
        << files.fault();
}

TEST(DflModel, values_that_are_not_finite_are_refused)
{
    for (const auto& [file, key] :
         {std::pair{"decoder_src", "out_conv/bias:0"}, {"src_dst_opt", "vs_inter/dense1/weight_0:0"}}) {
        Files files("df-ud");
        files.at(file, key).values[1] = NAN;
        EXPECT_EQ(files.fault(), str("model/tiny_SAEHD_", file, ".npy: \"", key,
                                     "\" has values that are not finite: the model has collapsed. Import a backup."));
    }
}

TEST(DflModel, what_is_not_there_starts_new_and_is_named)
{
    Files files("df-ud");
    files.arrays.erase("GAN");
    files.arrays.erase("D_code_opt");
    files["src_dst_opt"].erase(files["src_dst_opt"].begin());
    const ImportedModel made = files.import();
    EXPECT_EQ(
        made.notes,
        (std::vector<std::string>{
            "model/tiny_SAEHD_src_dst_opt.npy: has no ms_encoder/down1/downs_0/conv1/weight; the optimizer of the "
            "generator starts with new moments",
            "model/tiny_SAEHD_GAN.npy: is missing; the discriminator starts with new weights",
            "model/tiny_SAEHD_D_code_opt.npy: is missing; the optimizer of the code_discriminator starts with new "
            "moments"}));
    TestDevice cpu("cpu");
    Faces faces(cpu.device());
    Trainer trainer(cpu.device(), made.settings, faces, nullptr);
    const TempFolder folder;
    trainer.restore(saved(made, folder.path()));
    trainer.step();
    EXPECT_FALSE(trainer.report().skipped);
}

TEST(DflModel, moments_of_another_optimizer_do_not_fit)
{
    Files files("liae-ud");
    files.options["adabelief"] = 0.0;
    const ImportedModel made = files.import();
    EXPECT_EQ(made.notes.at(0), "model/tiny_SAEHD_src_dst_opt.npy: has no acc_encoder/down1/downs_0/conv1/weight; the "
                                "optimizer of the generator starts with new moments");
    for (DflArray& array : files["src_dst_opt"]) // RMSprop keeps squares alone
        if (array.key.rfind("vs_", 0) == 0) array.key = "acc_" + array.key.substr(3);
    const ImportedModel fits = files.import();
    EXPECT_EQ(fits.notes.size(), made.notes.size() - 1);
    EXPECT_EQ(values(fits, "rmsprop.v.inter_B.dense2.bias").size(), 64u);
}

TEST(DflModel, progress_ends_with_all_and_may_stop_it)
{
    std::int64_t last = 0, total = 0;
    const ImportedModel made = Files("df-ud").import([&](std::int64_t done, std::int64_t of) {
        last = done;
        total = of;
    });
    EXPECT_EQ(total, std::int64_t(made.tensors.size()));
    EXPECT_EQ(last, total);
    struct Stop {};
    EXPECT_THROW(Files("df-ud").import([](std::int64_t done, std::int64_t) {
        if (done == 5) throw Stop();
    }),
                 Stop);
}

} // namespace
} // namespace bifrons::model
