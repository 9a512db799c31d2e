// tests/tools/models_test.cpp - `bifrons models`, and how other commands take its files.
#include "tests/support/models.h"

#include "data/file.h"
#include "data/model_files.h"
#include "kernels/base/error.h"
#include "tests/support/temp_folder.h"
#include "tests/tools/run_program.h"

#include <cstdlib>

using namespace bifrons;
using namespace bifrons::test;

namespace {

#define EXPECT_SAYS(text, part) EXPECT_NE((text).find(part), std::string::npos) << (text)

/// A models folder of the test's own.
class Models : public ::testing::Test {
  protected:
    Models() { ::setenv("BIFRONS_MODELS", folder_.path().c_str(), 1); }
    ~Models() override { ::setenv("BIFRONS_MODELS", before_.c_str(), 1); }

    TempFolder folder_;
    std::string before_ = std::getenv("BIFRONS_MODELS");
};

TEST_F(Models, are_listed_with_source_size_checksum_licence_and_place)
{
    write_bytes(folder_ / "centerface.onnx", std::string(7304518, 'x'));
    write_bytes(folder_ / "face_detection_yunet_2022mar.onnx", "short");
    const Result words = bifrons_run({"models"});
    EXPECT_EQ(words.code, 0) << words.err;
    EXPECT_SAYS(words.out, str("Looked for in ", folder_.path(), "\n"));
    EXPECT_SAYS(words.out, str("centerface: ", folder_ / "centerface.onnx\n"));
    EXPECT_SAYS(words.out, "yunet-2022mar: another file: ");
    EXPECT_SAYS(words.out, "yunet-2023mar: not here\n");
    EXPECT_SAYS(words.out, "7304518 bytes, SHA-256 09189deaaf86");
    EXPECT_SAYS(words.out, "licence  MIT\n");
    EXPECT_SAYS(words.out, "bifrons models get centerface\n");
    EXPECT_SAYS(words.out, "bifrons models get identity --from FILE\n");
    const nlohmann::json j = bifrons_run({"models", "list", "--json"}).json();
    EXPECT_EQ(j["folders"][0], folder_.path());
    EXPECT_EQ(j["files"].size(), data::model_files().size());
    EXPECT_EQ(j["files"][0]["here"], true);
    EXPECT_EQ(j["files"][1]["here"], false);
}

TEST_F(Models, are_copied_from_a_file_and_verified)
{
    write_bytes(folder_ / "mine.onnx", "mine");
    const Result wrong = bifrons_run({"models", "get", "centerface", "--from", folder_ / "mine.onnx"});
    EXPECT_EQ(wrong.code, 3);
    EXPECT_SAYS(wrong.err, "Nothing was kept.");
    EXPECT_EQ(folder_.names(), (std::set<std::string>{"mine.onnx"}));
    const Result unverified = bifrons_run({"models", "get", "yunet-2023mar", "--from", folder_ / "mine.onnx"});
    EXPECT_EQ(unverified.code, 0) << unverified.err;
    EXPECT_SAYS(unverified.out, "its checksum is not known here");
    EXPECT_EQ(read_bytes(folder_ / "face_detection_yunet_2023mar.onnx"), "mine");
    const std::filesystem::path real = optional_model("face_detection_yunet_2022mar.onnx");
    BIFRONS_NEEDS_MODEL(real);
    const Result good = bifrons_run({"models", "get", "yunet-2022mar", "--from", real, "--json"});
    EXPECT_EQ(good.code, 0) << good.err;
    EXPECT_EQ(good.json()["files"][0]["verified"], true);
}

TEST_F(Models, wrong_usage_is_one_sentence)
{
    const auto says = [](std::vector<std::string> words, const std::string& part) {
        words.insert(words.begin(), "models");
        const Result r = bifrons_run(words);
        EXPECT_EQ(r.code, 2);
        EXPECT_SAYS(r.err, part);
    };
    says({"get"}, "expected the name of a file");
    says({"get", "centreface"}, "did you mean \"centerface\"?");
    says({"get", "identity"}, "no Python package has it");
    says({"get", "all", "--from", "a"}, "expected one name");
    says({"list", "centerface"}, "list takes no names");
    says({"fetch"}, "expected list|get");
    EXPECT_EQ(folder_.names().size(), 0u);
}

#if BIFRONS_HAS_MEDIA
TEST_F(Models, decide_which_detector_and_landmarks_are_the_default)
{
    const auto err_of = [](std::vector<std::string> words) {
        words.insert(words.begin(), {"extract", "none.mp4", "-o", "none"});
        return bifrons_run(words).err;
    };
    EXPECT_SAYS(err_of({}), "detector hog; ");
    write_bytes(folder_ / "centerface.onnx", "x");
    EXPECT_SAYS(err_of({}), "detector centerface, whose file is in the models folder\n");
    EXPECT_EQ(err_of({"--detector", "hog"}).find("detector "), std::string::npos) << "named: nothing to say";
    EXPECT_SAYS(err_of({"--detector-model", "a.onnx"}), "expected --detector centerface, yunet or haar");

    EXPECT_SAYS(err_of({"--detector", "hog"}), "landmarks dlib; `bifrons models get facemesh`");
    write_bytes(folder_ / "face_landmark.safetensors", "x");
    EXPECT_SAYS(err_of({"--detector", "hog"}), "landmarks facemesh, whose file is in the models folder\n");
    EXPECT_EQ(err_of({"--landmarks", "dlib"}).find("landmarks "), std::string::npos) << "named: nothing to say";
    EXPECT_SAYS(err_of({"--landmark-model", "a.dat"}), "expected --landmarks dlib or facemesh");
}
#endif

} // namespace
