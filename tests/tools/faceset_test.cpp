// Facesets in people's hands and from strangers, as a command meets them.
#include "tests/data/folder.h"
#include "tests/support/thread_limit.h"
#include "tests/tools/made_inputs.h"
#include "tests/tools/run_program.h"

using namespace bifrons;
using namespace bifrons::test;
namespace fs = std::filesystem;

namespace {

class FacesetCommands : public ::testing::Test {
  protected:
    void SetUp() override { make_faceset(folder_ / "faces", 20, 5); }

    Result inspect(const std::vector<std::string>& more = {})
    {
        std::vector<std::string> words = {"inspect", folder_ / "faces"};
        words.insert(words.end(), more.begin(), more.end());
        return bifrons_run(words);
    }
    /// The manifest with its first `from` replaced.
    void edit(const std::string& from, const std::string& to)
    {
        const auto bytes = data::read_file(folder_ / "faces" / "faceset.json");
        std::string text(bytes.begin(), bytes.end());
        ASSERT_NE(text.find(from), std::string::npos);
        write_text(folder_ / "faces" / "faceset.json", text.replace(text.find(from), from.size(), to));
    }

    Folder folder_;
};

TEST_F(FacesetCommands, a_picture_that_is_gone_is_a_face_taken_out)
{
    fs::remove(folder_ / "faces" / "images" / "clip_2_0.png");
    const Result r = inspect();
    EXPECT_EQ(r.code, 0);
    EXPECT_NE(r.out.find("faces: 4 faces, whole_face"), std::string::npos) << r.out;
    EXPECT_NE(r.err.find("faces: 1 picture, images/clip_2_0.png, is gone; the faces were taken out, 4 are left"),
              std::string::npos)
        << r.err;
    EXPECT_EQ(inspect({"--json"}).json()["missing"], std::vector<std::string>{"images/clip_2_0.png"});
}

TEST_F(FacesetCommands, a_changed_picture_is_refused_on_request)
{
    EXPECT_EQ(inspect({"--verify"}).code, 0);
    data::save_image(folder_ / "faces" / "images" / "clip_2_0.png", data::Image(64, 64, 3),
                     {.existing = data::Existing::replace});
    EXPECT_EQ(inspect().code, 0);
    const Result r = inspect({"--verify"});
    EXPECT_EQ(r.code, 3);
    EXPECT_NE(r.err.find("faces: 1 picture, images/clip_2_0.png, cannot be read or were changed"), std::string::npos)
        << r.err;
}

TEST_F(FacesetCommands, without_more_threads_the_first_one_reads_all_and_a_device_says_what_to_do)
{
    const ThreadLimit limit(0);
    EXPECT_EQ(inspect({"--verify"}).code, 0);
    const std::string faces = folder_ / "faces";
    const Result r = bifrons_run(
        {"train", "--src", faces, "--dst", faces, "--model", folder_ / "model", "--steps", "1", "--device", "cpu:2"});
    EXPECT_EQ(r.code, 4);
    EXPECT_EQ(r.err, "bifrons train: cpu: 1 of 2 threads can be started (Resource temporarily unavailable). Raise the "
                     "limits of processes and memory (`ulimit -u`, `ulimit -v`), or use --device cpu:1.\n");
    EXPECT_FALSE(fs::exists(folder_ / "model"));
}

TEST_F(FacesetCommands, faults_of_the_manifest_are_bad_data)
{
    edit("\"face_type\":\"whole_face\"", "\"face_type\":\"hole\"");
    Result r = inspect();
    EXPECT_EQ(r.code, 3);
    EXPECT_NE(r.err.find("faceset.json: 'face_type' is \"hole\"; expected half"), std::string::npos) << r.err;
    edit("\"face_type\":\"hole\"", "\"face_type\":\"full\"");
    edit("\"score\":1.0", "\"score\":1e999");
    r = inspect();
    EXPECT_EQ(r.code, 3);
    EXPECT_NE(r.err.find("faceset.json: face 0: holds a number out of range parsing '1e999'"), std::string::npos)
        << r.err;
}

TEST_F(FacesetCommands, names_do_not_reach_the_terminal_as_control_characters)
{
    edit("\"detector\":\"hog\"", "\"detector\":\"\\u001b]0;owned\\u0007\\u009b2J\"");
    const Result r = inspect();
    EXPECT_EQ(r.code, 0);
    EXPECT_NE(r.out.find("found by \\x1b]0;owned\\x07\\xc2\\x9b2J, landmarks by"), std::string::npos) << r.out;
    const Result none = bifrons_run({"inspect", "no\x1b[31m\rsuch"});
    EXPECT_EQ(none.code, 3);
    EXPECT_EQ(none.err, "bifrons inspect: no\\x1b[31m\\x0dsuch: does not exist\n");
}

} // namespace
