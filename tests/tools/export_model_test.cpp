// tests/tools/export_model_test.cpp - models that go elsewhere show there what they show here.
#include "model/adversary.h"
#include "model/export/onnx.h"
#include "model/import/dfm.h"
#include "model/predictor.h"
#include "model/trained.h"
#include "model/trainer.h"
#include "tests/support/devices.h"
#include "tests/support/dfl_model_folder.h"
#include "tests/support/temp_folder.h"
#include "tests/tools/run_program.h"

using namespace bifrons;
using namespace bifrons::test;
namespace fs = std::filesystem;

namespace {

/// Nothing of the input has a bias, a channel or a pixel in common with another, so that an exchange is seen.
std::vector<float> two_pictures(int side)
{
    return uniform_floats("picture", 2 * side * side * 3);
}

void write_floats(const std::string& path, const std::vector<float>& values)
{
    write_bytes(path, std::string(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(float)));
}

/// A recorded model of DeepFaceLab's as ours; its biases are not zero.
void make_recorded_model(const std::string& folder, const std::string& archi)
{
    const TempFolder from;
    write_dfl_model(from.path(), "new", archi);
    const Result r = bifrons_run({"import", from.path(), "-o", folder});
    ASSERT_EQ(r.code, 0) << r.err;
}

/// A network that DeepFaceLab does not have.
void make_model_of(const std::string& folder, const std::string& downsample, const std::string& upsample,
                   const std::string& discriminator = "patch")
{
    struct NoFaces : BatchSource {
        void enqueue(kernels::Exec, const kernels::StepState*, Batch&) override {}
    } none;
    model::Settings s;
    s.archi = "df-u";
    s.resolution = 32;
    s.e_dims = s.d_dims = s.d_mask_dims = 4;
    s.ae_dims = 16;
    s.downsample = downsample;
    s.upsample = upsample;
    s.gan_power = 0.1;
    s.discriminator = discriminator;
    s.gan_patch_size = discriminator == "patch" ? 8 : 0;
    s.gan_dims = 4;
    s.ema = 0.99;
    const auto device = kernels::open_device("cpu:1");
    model::Trainer trainer(*device, s, none, nullptr);
    CheckpointStore store(folder);
    trainer.save(store);
}

Checkpoint newest(const std::string& model)
{
    return *load_latest_checkpoint(model, [](const std::string& text) { ADD_FAILURE() << text; });
}

/// What a discriminator of the checkpoint says of an input, each of its answers in a file.
template <class Kind, class... Sizes>
void write_answers(Tape& tape, Pool& pool, const Checkpoint& checkpoint, const Var& input,
                   const std::vector<std::string>& files, const std::string& name, const Sizes&... sizes)
{
    Parameters params;
    const Kind discriminator(params, name, sizes...);
    params.allocate_weights(tape.exec(), DType::f32, pool);
    for (std::size_t i = 0; i < params.entries().size(); ++i)
        params.value(int(i)).upload(tape.exec(), float_values(checkpoint.file.at(params.entries()[i].name)));
    const std::vector<Var> answers = discriminator(tape, input);
    ASSERT_EQ(answers.size(), files.size());
    for (std::size_t i = 0; i < files.size(); ++i) write_floats(files[i], answers[i].value().download(tape.exec()));
}

/// What the model makes of two pictures here, in the files that run_onnx.py reads.
void write_own(const std::string& folder, const std::string& model_folder)
{
    using model::Predictor;
    TestDevice cpu("cpu");
    const Checkpoint checkpoint = newest(model_folder);
    const model::TrainedModel model(cpu.device(), checkpoint);
    const int R = model.network().architecture().resolution;
    const std::vector<float> pictures = two_pictures(R);
    write_floats(folder + "/picture.f32", pictures);
    for (const auto& [identity, name] :
         {std::pair{Predictor::Identity::src, "src"}, {Predictor::Identity::dst, "dst"}}) {
        const auto made = Predictor(cpu.device(), model.network(), 2, identity, Precision::f32)(pictures);
        write_floats(str(folder, "/face_", name, ".f32"), made.face);
        write_floats(str(folder, "/mask_", name, ".f32"), made.mask);
    }
    Pool pool(cpu.device());
    Tape tape(cpu.exec(), pool, false, Precision::f32);
    const Tensor input = Tensor::empty({2, R, R, 3}, DType::f32, pool);
    input.upload(cpu.exec(), pictures);
    const auto file = [&](const char* name) { return str(folder, "/", name, ".f32"); };
    const Var code = model.network().code(tape, Var(input));
    write_floats(file("code"), code.value().download(cpu.exec()));

    const model::AdversaryOptions o = model::adversary_of(model.settings());
    const bool is_fc = o.kind == model::AdversaryOptions::Kind::fc;
    if (is_fc)
        write_answers<model::FcDiscriminator>(tape, pool, checkpoint, Var(input), {file("answer")}, "discriminator", R,
                                              o.dims);
    else
        write_answers<model::PatchDiscriminator>(tape, pool, checkpoint, Var(input), {file("centre"), file("full")},
                                                 "discriminator", o.patch, o.dims);
    if (o.true_face_power == 0) return;
    const model::Architecture& arch = model.network().architecture();
    const std::int64_t side = arch.latent_side(), channels = arch.inter_channels();
    const std::vector<float> latents = uniform_floats("latent", 2 * side * side * channels);
    write_floats(file("latent"), latents);
    const Tensor latent = Tensor::empty({2, side, side, channels}, DType::f32, pool);
    latent.upload(cpu.exec(), latents);
    write_answers<model::CodeDiscriminator>(tape, pool, checkpoint, Var(latent), {file("code_answer")},
                                            "code_discriminator", int(side), int(channels));
}

/// Whether Python would find these modules; importing them takes seconds.
bool python_has(const std::string& modules)
{
    const std::string look = "import importlib.util as u, sys; sys.exit(not all(map(u.find_spec, sys.argv[1:])))";
    return std::system(("python3 -c '" + look + "' " + modules + " 2>/dev/null").c_str()) == 0;
}

TEST(ExportModel, onnx_runtime_shows_what_the_model_shows)
{
    if (!model::writes_onnx()) GTEST_SKIP() << "built without libonnx";
    if (!python_has("onnx onnxruntime"))
        GTEST_SKIP() << "Python has no onnx and onnxruntime (pip install onnx onnxruntime)";
    const TempFolder folder;
    std::string folders;
    const auto add = [&](const std::string& name, const auto& make) {
        const std::string here = folder / name, model = here + "/model";
        fs::create_directory(here);
        make(model);
        folders += " " + here;
        write_own(here, model);
        const auto write = [&](const std::string& file, std::vector<std::string> more) {
            more.insert(more.begin(), {"export", model, "-o", here + "/" + file});
            EXPECT_EQ(bifrons_run(more).code, 0) << name << " " << file;
        };
        write("swap.dfm", {});
        write("half.dfm", {"--fp16"});
        write("all.onnx", {});
        const bool liae = name.rfind("liae", 0) == 0;
        for (const std::string part :
             {"encoder", liae ? "inter_AB" : "inter", liae ? "decoder" : "decoder_src", "discriminator"})
            write(part + ".onnx", {"--part", part});
        if (fs::exists(here + "/code_answer.f32")) write("code_discriminator.onnx", {"--part", "code_discriminator"});
    };
    for (const std::string archi : {"df", "df-udtc", "liae-ud"})
        add(archi, [&](const std::string& model) { make_recorded_model(model, archi); });
    add("maxpool_transposed", [](const std::string& model) { make_model_of(model, "maxpool", "transposed"); });
    add("strided_nearest", [](const std::string& model) { make_model_of(model, "strided", "nearest", "fc"); });
    EXPECT_EQ(std::system(("python3 " BIFRONS_RUN_ONNX + folders).c_str()), 0);
}

TEST(ExportModel, a_model_of_DeepFaceLabs_comes_back_as_it_went)
{
    const TempFolder folder;
    const std::string model = folder / "alice_on_bob", out = folder / "out";
    make_recorded_model(model, "df-ud");
    const Result r = bifrons_run({"export", model, "--format", "dfl", "-o", out, "--json"});
    ASSERT_EQ(r.code, 0) << r.err;
    EXPECT_EQ(r.json()["name"], "alice-on-bob_SAEHD");
    EXPECT_EQ(r.json()["notes"], nlohmann::json::array());
    ASSERT_EQ(bifrons_run({"export", model, "-o", out, "--name", "second"}).code, 0);
    ASSERT_EQ(bifrons_run({"import", out, "--name", "alice-on-bob", "-o", folder / "back"}).code, 0);
    const Checkpoint before = newest(model), after = newest(folder / "back");
    EXPECT_EQ(after.step, before.step);
    EXPECT_EQ(after.file.metadata().at("settings"), before.file.metadata().at("settings"));
    ASSERT_EQ(after.file.tensors().size(), before.file.tensors().size());
    for (const NamedTensor& tensor : before.file.tensors())
        EXPECT_EQ(float_values(after.file.at(tensor.name)), float_values(tensor)) << tensor.name;

    // Another of the same name takes its place, with nothing of it left.
    const std::string gan = out + "/second_SAEHD_GAN.npy";
    EXPECT_EQ(bifrons_run({"export", model, "-o", out, "--name", "second"}).code, 2);
    EXPECT_TRUE(fs::exists(gan));
    make_recorded_model(folder / "plain", "liae");
    write_bytes(out + "/second_SAEHD_inter.npy.old", "mine");
    ASSERT_EQ(bifrons_run({"export", folder / "plain", "-o", out, "--name", "second", "--overwrite"}).code, 0);
    EXPECT_FALSE(fs::exists(out + "/second_SAEHD_inter.npy"));
    EXPECT_TRUE(fs::exists(out + "/second_SAEHD_inter_AB.npy"));
    EXPECT_TRUE(fs::exists(out + "/second_SAEHD_inter.npy.old"));
    EXPECT_TRUE(fs::exists(out + "/alice-on-bob_SAEHD_inter.npy"));
}

/// docs/torch_model.py, which says how a checkpoint is read elsewhere.
TEST(ExportModel, torch_shows_what_the_model_shows)
{
    if (!python_has("torch safetensors numpy"))
        GTEST_SKIP() << "Python has no torch, safetensors and numpy (pip install torch safetensors numpy)";
    const TempFolder folder;
    std::string checkpoints;
    for (const std::string archi : {"df", "df-udtc", "liae-ud", "liae-udt"}) {
        const std::string here = folder / archi;
        fs::create_directory(here);
        make_recorded_model(here + "/model", archi);
        write_own(here, here + "/model");
        checkpoints += " " + newest(here + "/model").file.path();
    }
    write_bytes(folder / "compare.py",
                "import os, sys\n"
                "import numpy, torch\n"
                "sys.path.insert(0, os.path.dirname(sys.argv[1]))\n"
                "from torch_model import Model\n"
                "for path in sys.argv[2:]:\n"
                "    folder = os.path.dirname(os.path.dirname(path))\n"
                "    own = [numpy.fromfile(f'{folder}/{name}.f32', numpy.float32)\n"
                "           for name in ('picture', 'face_src', 'mask_src')]\n"
                "    side = int((own[0].size / 6) ** 0.5)\n"
                "    with torch.no_grad():\n"
                "        made = Model(path).as_src(torch.from_numpy(own[0].reshape(2, side, side, 3)))\n"
                "    for a, b in zip(made, own[1:]):\n"
                "        difference = abs(a.numpy().ravel() - b).max()\n"
                "        print(folder, difference)\n"
                "        assert difference < 1e-5\n");
    EXPECT_EQ(std::system(("python3 " + folder / "compare.py" + " " BIFRONS_TORCH_MODEL + checkpoints).c_str()), 0);
}

/// Every weight of a network that is read from a .dfm is the checkpoint's.
void expect_same_weights(const model::DfmModel& dfm, const Checkpoint& checkpoint, std::size_t expected)
{
    EXPECT_EQ(dfm.weights.size(), expected);
    for (const auto& [name, values] : dfm.weights) EXPECT_EQ(values, float_values(checkpoint.file.at(name))) << name;
}

TEST(ImportDfm, the_network_is_the_one_that_was_exported)
{
    if (!model::writes_onnx()) GTEST_SKIP() << "built without libonnx";
    const TempFolder folder;
    for (const std::string& archi : kDflArchis) {
        const std::string from = folder / archi, dfm = folder / archi + ".dfm";
        make_recorded_model(from, archi);
        ASSERT_EQ(bifrons_run({"export", from, "-o", dfm}).code, 0);
        const model::DfmModel read = model::read_dfm(dfm);
        const Checkpoint checkpoint = newest(from);
        const model::Settings settings = model::settings_of(checkpoint);
        EXPECT_EQ(model::architecture_of(read.settings).name(), archi);
        EXPECT_EQ(read.settings.resolution, kDflSide);
        EXPECT_EQ(read.settings.e_dims, settings.e_dims);
        EXPECT_EQ(read.settings.ae_dims, settings.ae_dims);
        EXPECT_EQ(read.settings.d_dims, settings.d_dims);
        EXPECT_EQ(read.settings.d_mask_dims, settings.d_mask_dims);
        EXPECT_TRUE(read.says_face_type);
        EXPECT_EQ(read.settings.face_type, "whole_face");
        // All but discriminators, and but the face of df's destination.
        std::size_t expected = 0;
        for (const NamedTensor& tensor : checkpoint.file.tensors()) {
            const std::string& name = tensor.name;
            const bool is_network = name.rfind("encoder", 0) == 0 || name.rfind("inter", 0) == 0 ||
                                    name.rfind("decoder", 0) == 0,
                       is_hidden = name.rfind("decoder_dst", 0) == 0 && name.find(".mask_") == std::string::npos;
            expected += is_network && !is_hidden;
        }
        expect_same_weights(read, checkpoint, expected);
    }
}

TEST(ImportDfm, f16_weights_are_the_rounded_ones)
{
    if (!model::writes_onnx()) GTEST_SKIP() << "built without libonnx";
    const TempFolder folder;
    make_recorded_model(folder / "model", "df-udtc");
    ASSERT_EQ(bifrons_run({"export", folder / "model", "-o", folder / "x.dfm", "--fp16"}).code, 0);
    const Checkpoint checkpoint = newest(folder / "model");
    const model::DfmModel read = model::read_dfm(folder / "x.dfm");
    EXPECT_EQ(read.settings.archi, "df-udtc");
    for (const auto& [name, values] : read.weights) {
        const std::vector<float> own = float_values(checkpoint.file.at(name));
        ASSERT_EQ(values.size(), own.size()) << name;
        for (std::size_t i = 0; i < own.size(); ++i)
            ASSERT_NEAR(values[i], own[i], std::abs(own[i]) / 2048 + 3e-8) << name; // half of a unit in the last place
    }
}

/// A message of protocol buffers' field with a length.
std::string field(int number, const std::string& content)
{
    return std::string(1, char(number << 3 | 2)) + char(content.size()) + content;
}

TEST(ImportDfm, what_is_no_network_of_saehd_is_refused_in_a_sentence)
{
    if (!model::writes_onnx()) GTEST_SKIP() << "built without libonnx";
    const TempFolder folder;
    const std::string dfm = folder / "x.dfm";
    const auto fault = [&]() -> std::string {
        try {
            model::read_dfm(dfm);
        } catch (const Error& error) {
            EXPECT_EQ(error.kind(), ErrorKind::data);
            return error.what();
        }
        return "none";
    };
    EXPECT_EQ(fault(), dfm + ": cannot be opened: No such file or directory");
    write_bytes(dfm, "a text");
    EXPECT_EQ(fault(), dfm + ": is damaged, or no ONNX; expected a .dfm file");
    // ModelProto.graph (7) .input (11) .name (1)
    write_bytes(dfm, field(7, field(11, field(1, "in_face:0")) + field(11, field(1, "morph_value:0"))));
    EXPECT_EQ(fault(),
              dfm + ": is a model of DeepFaceLab's AMP (it reads a morph_value), a network that Bifrons does not "
                    "have; expected SAEHD");
    write_bytes(dfm, field(7, field(11, field(1, "in_face:0"))));
    EXPECT_EQ(fault(), dfm + ": has 0 outputs; expected a .dfm, which reads in_face and has three: destination's mask, "
                             "face, mask");
    make_model_of(folder / "other", "strided", "nearest");
    ASSERT_EQ(bifrons_run({"export", folder / "other", "-o", dfm, "--overwrite"}).code, 0);
    EXPECT_NE(fault().find("is not a network of DeepFaceLab's SAEHD: has Resize where the face's latent is expected"),
              std::string::npos)
        << fault();
    make_recorded_model(folder / "model", "df");
    ASSERT_EQ(bifrons_run({"export", folder / "model", "-o", dfm, "--overwrite"}).code, 0);
    const std::string whole = read_bytes(dfm);
    write_bytes(dfm, whole.substr(0, whole.size() / 2));
    EXPECT_EQ(fault(), dfm + ": is damaged, or no ONNX; expected a .dfm file");
}

class ExportModelErrors : public ::testing::Test {
  protected:
    ExportModelErrors() { make_recorded_model(model_, "df"); }

    /// Refused with this exit code and text, and nothing was made.
    void expect_refusal(int code, const std::string& text, std::vector<std::string> words)
    {
        words.insert(words.begin(), "export");
        const std::set<std::string> before = folder_.names();
        const Result r = bifrons_run(words);
        EXPECT_EQ(r.code, code) << r.err;
        EXPECT_NE(r.err.find(text), std::string::npos) << r.err;
        EXPECT_EQ(folder_.names(), before);
    }

    const TempFolder folder_;
    const std::string model_ = folder_ / "model", dfm_ = folder_ / "x.dfm";
};

TEST_F(ExportModelErrors, a_program_without_libonnx_says_what_to_do)
{
    if (model::writes_onnx()) GTEST_SKIP() << "built with libonnx";
    expect_refusal(1, "this program was built without libonnx", {model_, "-o", dfm_});
    expect_refusal(1, "this program was built without libonnx", {model_, "-o", folder_ / "x.onnx"});
}

TEST_F(ExportModelErrors, an_existing_file_is_replaced_only_when_asked)
{
    if (!model::writes_onnx()) GTEST_SKIP() << "built without libonnx";
    write_bytes(dfm_, "mine");
    expect_refusal(2, dfm_ + ": already exists", {model_, "-o", dfm_});
    EXPECT_EQ(read_bytes(dfm_), "mine");
    EXPECT_EQ(bifrons_run({"export", model_, "-o", dfm_, "--overwrite"}).code, 0);
    EXPECT_NE(read_bytes(dfm_).find("in_face:0"), std::string::npos);
    expect_refusal(3, "is not a", {model_, "-o", folder_.path(), "--format", "dfm", "--overwrite"});
}

TEST_F(ExportModelErrors, what_cannot_be_exported_is_one_sentence)
{
    expect_refusal(3, folder_ / "absent" + ": does not exist", {folder_ / "absent", "-o", dfm_});
    fs::create_directory(folder_ / "empty");
    expect_refusal(3, "holds neither a faceset nor a model", {folder_ / "empty", "-o", dfm_});
    expect_refusal(2, "--part encoder: is for --format onnx", {model_, "-o", dfm_, "--part", "encoder"});
    if (model::writes_onnx())
        expect_refusal(
            2,
            "the model has no part \"decoder\"; it has encoder, inter, decoder_src, decoder_dst, discriminator, "
            "code_discriminator",
            {model_, "-o", folder_ / "x.onnx", "--part", "decoder"});
    make_model_of(folder_ / "other", "strided", "nearest");
    expect_refusal(3, "is of a network that DeepFaceLab does not have", {folder_ / "other", "-o", folder_ / "out"});
    expect_refusal(2, "--name is \"a_b\"", {model_, "-o", folder_ / "out", "--name", "a_b"});
    expect_refusal(2, "--name a: is for a model", {model_, "-o", dfm_, "--name", "a"});
    expect_refusal(2, "--fp16 is for --format dfm and onnx", {model_, "-o", folder_ / "out", "--fp16"});
    write_bytes(folder_ / "file", "mine");
    expect_refusal(3, folder_ / "file" + ": is not a folder", {model_, "-o", folder_ / "file"});
    const std::string checkpoint = newest(model_).file.path();
    write_bytes(checkpoint, read_bytes(checkpoint).substr(0, 5000));
    expect_refusal(3, checkpoint, {model_, "-o", dfm_});
    expect_refusal(3, checkpoint, {checkpoint, "-o", dfm_});
    expect_refusal(3, checkpoint, {model_, "-o", folder_ / "out"});
}

} // namespace
