// `bifrons import` of DeepFaceLab's models: from folder to folder, what it refuses, and what it leaves behind.
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

class ImportModel : public ::testing::Test {
  protected:
    ImportModel() { write_dfl_model(from_, "new", "liae-ud"); }

    Result import(std::vector<std::string> more = {})
    {
        std::vector<std::string> words = {"import", from_, "-o", out_};
        words.insert(words.end(), more.begin(), more.end());
        return bifrons_run(words);
    }
    /// Refused with this exit code and text, in the last line, and nothing was made.
    void expect_refusal(int code, const std::string& text, const std::vector<std::string>& more = {})
    {
        const Result r = import(more);
        EXPECT_EQ(r.code, code) << r.err;
        EXPECT_NE(r.err.find(text), std::string::npos) << r.err;
        EXPECT_EQ(r.err.find("warning"), std::string::npos) << r.err;
        EXPECT_EQ(r.err.find('\n', r.err.find("bifrons import: ")), r.err.size() - 1) << r.err;
        EXPECT_FALSE(fs::exists(out_));
    }
    std::string file(const std::string& end) const { return from_ + "/new_SAEHD_" + end; }

    TempFolder folder_;
    const std::string from_ = folder_ / "model", out_ = folder_ / "out";
};

TEST_F(ImportModel, a_folder_of_DeepFaceLabs_becomes_a_model_that_shows_the_same)
{
    const Result r = import({"--json"});
    ASSERT_EQ(r.code, 0) << r.out;
    EXPECT_EQ(r.json()["name"], "new_SAEHD");
    EXPECT_EQ(r.json()["step"], 1000);
    EXPECT_EQ(r.json()["archi"], "liae-ud");
    EXPECT_EQ(r.json()["resolution"], 64);
    EXPECT_EQ(r.json()["notes"], nlohmann::json({"options without a counterpart here: models_opt_on_gpu"}));

    TestDevice cpu("cpu");
    const model::TrainedModel model(cpu.device(), *load_latest_checkpoint(out_, [](const std::string&) {}));
    std::size_t parameters = 0;
    for (const auto& [file, arrays] : dfl_arrays("liae-ud"))
        for (const DflArray& array : arrays) parameters += file.find("_opt") == file.npos ? array.values.size() : 0;
    EXPECT_EQ(r.json()["parameters"], parameters);
    const auto made = model::Predictor(cpu.device(), model.network(), 1, model::Predictor::Identity::src,
                                       Precision::f32)(uniform_floats("picture", kDflSide * kDflSide * 3));
    const std::vector<float> face = every_fifth(made.face), all = recorded("liae-ud");
    EXPECT_LT(largest_difference(face, {all.begin(), all.begin() + std::ptrdiff_t(face.size())}), 1e-5);
    EXPECT_EQ(bifrons_run({"inspect", out_}).code, 0);
}

TEST_F(ImportModel, one_of_several_is_chosen_by_name)
{
    write_dfl_model(from_, "old", "df");
    expect_refusal(2, from_ + ": has 2 models: new_SAEHD, old_SAEHD. Choose one with --name.");
    expect_refusal(2, "--name other: " + from_ + " has no such model; it has new_SAEHD, old_SAEHD",
                   {"--name", "other"});
    const Result r = import({"--name", "old", "--json"});
    EXPECT_EQ(r.code, 0) << r.out;
    EXPECT_EQ(r.json()["archi"], "df");
    EXPECT_EQ(import({"--name", "new_SAEHD", "--overwrite", "--json"}).json()["archi"], "liae-ud");
}

TEST_F(ImportModel, a_model_is_replaced_only_when_asked)
{
    ASSERT_EQ(import().code, 0);
    const std::string checkpoint = out_ + "/step-000001000.safetensors", before = read_bytes(checkpoint);
    const Result again = import();
    EXPECT_EQ(again.code, 2);
    EXPECT_NE(again.err.find(out_ + ": holds a model already. Choose another folder, or use --overwrite."),
              std::string::npos)
        << again.err;
    EXPECT_EQ(read_bytes(checkpoint), before);

    // Of a model that was trained further: the new one is not the newest by its step.
    fs::copy(checkpoint, out_ + "/step-000002000.safetensors");
    write_bytes(out_ + "/history.jsonl", "{}");
    fs::remove(file("decoder.npy"));
    EXPECT_EQ(import({"--overwrite"}).code, 3);
    EXPECT_TRUE(fs::exists(out_ + "/step-000002000.safetensors")) << "an import that fails replaces nothing";
    fs::remove_all(from_);
    write_dfl_model(from_, "new", "df-ud");
    fs::create_directory(out_ + "/backups"); // of later steps, they would push out those of the new model
    EXPECT_EQ(import({"--overwrite"}).code, 2);
    fs::remove(out_ + "/backups");
    EXPECT_EQ(import({"--overwrite"}).code, 0);
    EXPECT_FALSE(fs::exists(out_ + "/step-000002000.safetensors"));
    EXPECT_FALSE(fs::exists(out_ + "/history.jsonl"));
    EXPECT_EQ(model::settings_of(*load_latest_checkpoint(out_, [](const std::string&) {})).archi, "df-ud");

    write_bytes(folder_ / "out2", "");
    EXPECT_EQ(bifrons_run({"import", from_, "-o", folder_ / "out2"}).code, 3) << "a file";
    const Result own = bifrons_run({"import", from_, "-o", from_});
    EXPECT_EQ(own.code, 2);
    EXPECT_NE(own.err.find(from_ + ": holds other files and no model"), std::string::npos) << own.err;
}

TEST_F(ImportModel, what_cannot_be_used_is_one_sentence_and_leaves_nothing)
{
    const std::string decoder = read_bytes(file("decoder.npy"));
    write_bytes(file("decoder.npy"), decoder.substr(0, decoder.size() / 2));
    expect_refusal(3, file("decoder.npy") + ": damaged at byte ");
    write_bytes(file("decoder.npy"), "cos\nsystem\n(U\x04trueatR.");
    expect_refusal(3, file("decoder.npy") + ": its pickled values need os.system, which may run a program.");
    write_bytes(file("decoder.npy"), read_bytes(file("encoder.npy")));
    expect_refusal(3, file("decoder.npy") + ": has no \"upscale0/conv1/weight\", which liae-ud of 64 px with ");
    fs::remove(file("decoder.npy"));
    expect_refusal(3, file("decoder.npy") + ": is missing; a model of liae-ud of 64 px");
    write_bytes(file("decoder.npy.tmp"), "");
    expect_refusal(3, file("decoder.npy.tmp") + ": DeepFaceLab was interrupted while it saved the model");
    fs::remove(file("decoder.npy.tmp"));
    fs::remove(file("data.dat"));
    expect_refusal(3, file("data.dat") + ": cannot be opened: No such file or directory");
}

TEST_F(ImportModel, a_network_that_is_not_here_is_refused_by_name)
{
    fs::remove_all(from_);
    fs::create_directory(from_);
    write_bytes(from_ + "/new_AMP_data.dat", "");
    expect_refusal(3, "new_AMP_data.dat: is a model of DeepFaceLab's AMP, a network that Bifrons does not have");
    fs::remove(from_ + "/new_AMP_data.dat");
    expect_refusal(3, from_ + ": holds no JPEG");
    expect_refusal(2, "--name is for a folder of models, and " + from_ + " has none", {"--name", "new"});
}

} // namespace
