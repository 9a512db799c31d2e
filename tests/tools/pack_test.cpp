// A pack in place of a faceset: what looks at faces and what trains read it where it lies, what changes them does not.
#include "data/media/frames.h"
#include "tests/data/folder.h"
#include "tests/tools/run_program.h"
#include "tests/tools/train_command.h"

using namespace bifrons;
using namespace bifrons::test;

namespace {

class PackCommands : public TrainCommand {
  protected:
    void SetUp() override
    {
        TrainCommand::SetUp();
        data::Faceset set = data::load_faceset(folder_ / "src");
        fs::create_directory(folder_ / "src/masks");
        data::save_image(folder_ / "src/masks/0.png", data::Image(64, 64, 1));
        set.faces[0].mask = "masks/0.png";
        data::save_faceset(set);
        ASSERT_EQ(bifrons_run({"pack", folder_ / "src", "-o", pack_}).code, 0);
    }
    /// Refused so, and the pack and all beside it stay.
    void expect_refusal(int code, const std::string& text, const std::vector<std::string>& words)
    {
        const std::set<std::string> names = folder_.names();
        const std::string bytes = read_bytes(pack_);
        const Result r = bifrons_run(words);
        EXPECT_EQ(r.code, code) << words.front() << ": " << r.err;
        EXPECT_NE(r.err.find(text), std::string::npos) << r.err;
        EXPECT_EQ(folder_.names(), names);
        EXPECT_EQ(read_bytes(pack_), bytes);
    }

    const std::string pack_ = folder_ / "src.pack";
};

TEST_F(PackCommands, a_pack_trains_to_the_same_bits_as_its_folder)
{
    ASSERT_EQ(train("from-folder", "2"), 0) << log();
    fs::rename(folder_ / "src", folder_ / "before");
    fs::rename(pack_, folder_ / "src");
    std::set<std::string> names = folder_.names();
    ASSERT_EQ(train("from-pack", "2"), 0) << log();
    EXPECT_EQ(newest("from-pack"), newest("from-folder"));
    names.insert("from-pack");
    EXPECT_EQ(folder_.names(), names) << "nothing was unpacked";
}

TEST_F(PackCommands, what_looks_at_faces_reads_it)
{
    const std::string folder = folder_ / "src";
    nlohmann::json of_folder = bifrons_run({"inspect", folder, "--json", "--verify"}).json(),
                   of_pack = bifrons_run({"inspect", pack_, "--json", "--verify"}).json();
    EXPECT_EQ(of_pack.at("faces"), 12);
    EXPECT_EQ(of_pack.at("path"), pack_);
    of_pack["path"] = folder;
    EXPECT_EQ(of_pack, of_folder);

    const auto list = [&](const std::string& faceset) {
        return bifrons_run({"faces", faceset, "--sort", "brightness", "--list"}).out;
    };
    EXPECT_NE(list(pack_).find("images/clip_11_0.png\t"), std::string::npos) << list(pack_);
    EXPECT_EQ(list(pack_), list(folder));

    ASSERT_EQ(bifrons_run({"export", folder, "-o", folder_ / "a"}).code, 0);
    ASSERT_EQ(bifrons_run({"export", pack_, "-o", folder_ / "b"}).code, 0);
    EXPECT_EQ(entries(folder_ / "b"), 12);
    for (const auto& entry : fs::directory_iterator(folder_ / "a"))
        EXPECT_EQ(read_bytes(folder_ / "b" + "/" + entry.path().filename().string()), read_bytes(entry.path()));

    make_model(folder_ / "model");
    const auto sheet = [&](const std::string& src) {
        return bifrons_run({"preview", "--model", folder_ / "model", "--src", src, "--dst", folder_ / "dst", "-o",
                            folder_ / "sheet.png", "--overwrite"})
                           .code == 0
                   ? read_bytes(folder_ / "sheet.png")
                   : "failed";
    };
    const std::string drawn = sheet(pack_);
    EXPECT_NE(drawn, "failed");
    EXPECT_EQ(drawn, sheet(folder));
    EXPECT_EQ(bifrons_run({"map", "--model", folder_ / "model", "--src", pack_, "--dst", pack_}).code, 0);
}

TEST_F(PackCommands, what_changes_faces_refuses_it)
{
    const std::string pack = pack_ + ": is a pack";
    expect_refusal(2, pack + ", whose faces stay as they are. `bifrons unpack " + pack_,
                   {"faces", pack_, "--first", "1", "--drop"});
    expect_refusal(2, pack, {"faces", pack_, "--restore"});
    expect_refusal(2, pack + " already; copy the file", {"pack", pack_, "-o", folder_ / "again.pack"});
    expect_refusal(2, pack + "; `bifrons unpack` makes a faceset of it", {"import", pack_, "-o", folder_ / "new"});
    fs::create_directory_symlink(folder_ / "dst", folder_ / "link");
    expect_refusal(2, "link: exists; expected a new or an empty folder", {"unpack", pack_, "-o", folder_ / "link"});
}

TEST_F(PackCommands, a_damaged_one_is_refused_before_anything_is_made)
{
    const std::string whole = read_bytes(pack_), model = folder_ / "model";
    const std::vector<std::string> train = {"train",   "--src", pack_,      "--dst", folder_ / "dst",
                                            "--model", model,   "--device", "cpu:1"};
    write_bytes(pack_, whole.substr(0, whole.size() / 2));
    expect_refusal(3, "cut off", train);
    write_bytes(pack_, "PK, or something else");
    expect_refusal(3, pack_ + ": is not a faceset; expected a folder with faceset.json, or a pack.", train);
    write_bytes(pack_, read_bytes(BIFRONS_DFL "/faceset.pak"));
    expect_refusal(3, "`bifrons import` makes a faceset of DeepFaceLab's faceset.pak", {"unpack", pack_, "-o", model});
    // A picture that is damaged costs itself alone, as in a folder.
    std::string one = whole;
    one.replace(one.find("\x89PNG"), 8, "nothing.");
    write_bytes(pack_, one);
    expect_refusal(3, ": 1 picture, images/clip_0_0.png, cannot be read or were changed",
                   {"inspect", pack_, "--verify"});
    EXPECT_EQ(bifrons_run({"inspect", pack_}).code, 0);
}

#if BIFRONS_HAS_MEDIA
TEST_F(PackCommands, merge_takes_its_faces)
{
    const fs::path clip = assets() / "faces/grid/swwp2s.mpg";
    BIFRONS_NEEDS_ASSET(clip);
    data::Frame frame;
    ASSERT_TRUE(data::open_frames(clip)->next(frame));
    const std::string picture = folder_ / "frame.png", faces = folder_ / "faces";
    data::save_image(picture, frame.image);
    ASSERT_EQ(bifrons_run({"extract", picture, "-o", faces}).code, 0);
    ASSERT_EQ(bifrons_run({"pack", faces, "-o", faces + ".pack"}).code, 0);
    make_model(folder_ / "model");
    const auto merged = [&](const std::string& faceset) {
        const std::string out = faceset + ".png";
        const Result r = bifrons_run(
            {"merge", "--json", "--model", folder_ / "model", "--input", picture, "-o", out, "--faceset", faceset});
        EXPECT_EQ(r.code, 0) << r.out;
        EXPECT_EQ(r.json()["faces"], 1);
        return data::load_image(out).pixels;
    };
    const std::vector<std::uint8_t> swapped = merged(faces + ".pack");
    EXPECT_EQ(swapped, merged(faces));
    EXPECT_NE(swapped, frame.image.pixels);
}
#endif

} // namespace
