#include "tests/data/folder.h"
#include "tests/tools/made_inputs.h"
#include "tests/tools/run_program.h"

using namespace bifrons;
using namespace bifrons::test;

namespace {

TEST(ExportCommand, writes_deepfacelabs_pictures_which_import_reads)
{
    const Folder folder;
    make_faceset(folder / "faces", 90, 3);
    const Result r = bifrons_run({"export", "--json", folder / "faces", "--format", "dfl", "-o", folder / "aligned"});
    ASSERT_EQ(r.code, 0) << r.out;
    EXPECT_EQ(r.json()["faces"], 3);
    EXPECT_EQ(r.json()["encoded"], 3);
    EXPECT_NE(r.out.find("3 pictures are no JPEG and were encoded as one, of quality 98"), std::string::npos) << r.out;

    // With masks, of which one is missing and one damaged.
    std::filesystem::create_directory(folder / "masks");
    data::save_image(folder / "masks/clip_0_0.png", data::Image(32, 32, 1));
    write_text(folder / "masks/clip_1_0.png", "no picture");
    const Result back =
        bifrons_run({"import", "--json", folder / "aligned", "--masks", folder / "masks", "-o", folder / "back"});
    ASSERT_EQ(back.code, 0) << back.out;
    EXPECT_EQ(back.json()["faces"], 3);
    EXPECT_EQ(back.json()["masks"], 1);
    EXPECT_EQ(back.json()["masks_resized"], 1);
    EXPECT_EQ(back.json()["masks_missing"], 1);
    EXPECT_EQ(back.json()["masks_damaged"], 1);
    EXPECT_NE(back.out.find("no mask of that name: clip_2_0.jpg"), std::string::npos) << back.out;
    EXPECT_NE(back.out.find("mask not used: "), std::string::npos) << back.out;

    EXPECT_EQ(bifrons_run({"export", "--json", folder / "faces", "-o", folder / "aligned"}).code, 2);
    EXPECT_EQ(bifrons_run({"export", folder / "faces", "--format", "pak", "-o", folder / "new"}).code, 2);
    EXPECT_EQ(bifrons_run({"export", folder / "absent", "-o", folder / "new"}).code, 3);
    EXPECT_FALSE(std::filesystem::exists(folder / "new"));
}

} // namespace
