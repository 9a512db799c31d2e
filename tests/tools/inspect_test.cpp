// `bifrons inspect` of a faceset: what it lists, and the contact sheet.
#include "data/warp.h"
#include "tests/data/folder.h"
#include "tests/tools/made_inputs.h"
#include "tests/tools/run_program.h"

using namespace bifrons;
using namespace bifrons::test;

namespace {

class InspectFaceset : public ::testing::Test {
  protected:
    void SetUp() override
    {
        make_faceset(folder_ / "faces", 20, 14);
        data::Faceset set = data::load_faceset(folder_ / "faces");
        for (data::FaceRecord& face : set.faces) face.sharpness = 50, face.pose = {};
        set.faces[12].pose.yaw = -1; // the tint grows from face to face, all else is alike
        set.faces[5].score = 0.2;
        data::save_faceset(set);
    }
    /// The 128 px square of the sheet's place n, twelve in a row.
    data::Image place(const data::Image& sheet, std::int64_t n)
    {
        data::Image out(128, 128, 3);
        for (std::int64_t y = 0; y < 128; ++y)
            std::copy_n(sheet.at(n / 12 * 168 + y, n % 12 * 132), 128 * 3, out.at(y, 0));
        return out;
    }
    data::Image face(std::size_t index)
    {
        return data::warp(data::load_face(data::load_faceset(folder_ / "faces"), index), {{2, 0, 0.5, 0, 2, 0.5}}, 128,
                          128);
    }

    Folder folder_;
};

TEST_F(InspectFaceset, odd_faces_are_listed_with_their_reason)
{
    const Result r = bifrons_run({"inspect", folder_ / "faces"});
    EXPECT_EQ(r.code, 0) << r.err;
    const std::size_t first = r.out.find("odd: images/clip_5_0.png: low score (score 0.2, yaw 0, "),
                      second = r.out.find("odd: images/clip_12_0.png: turned aside (score 1, yaw -57, ");
    EXPECT_LT(first, second) << r.out; // 8 and 5.9
    EXPECT_NE(second, std::string::npos) << r.out;
    const nlohmann::json odd = bifrons_run({"inspect", "--json", folder_ / "faces"}).json()["odd"];
    ASSERT_EQ(odd.size(), 2u) << odd;
    EXPECT_EQ(odd[0]["frame"], 5);
    EXPECT_EQ(odd[1]["reason"], "turned aside");
}

TEST_F(InspectFaceset, the_sheet_shows_the_oddest_first)
{
    const Result r = bifrons_run({"inspect", folder_ / "faces", "--sheet", folder_ / "sheet.png"});
    ASSERT_EQ(r.code, 0) << r.err;
    const data::Image sheet = data::load_image(folder_ / "sheet.png");
    EXPECT_EQ(sheet.W, 12 * 132);
    EXPECT_EQ(sheet.H, 2 * 168);
    EXPECT_EQ(place(sheet, 0).pixels, face(5).pixels);
    EXPECT_EQ(place(sheet, 1).pixels, face(12).pixels);
    EXPECT_EQ(place(sheet, 2).pixels, face(0).pixels);
    EXPECT_EQ(place(sheet, 12).pixels, face(11).pixels) << "in the second row";
    EXPECT_NE(face(11).pixels, face(0).pixels);

    EXPECT_EQ(bifrons_run({"inspect", folder_ / "faces", "--sheet", folder_ / "sheet.png"}).code, 2) << "is there";
    write_text(folder_ / "faces" / "images" / "clip_5_0.png", "damaged");
    const Result again = bifrons_run({"inspect", folder_ / "faces", "--sheet", folder_ / "sheet.png", "--overwrite"});
    EXPECT_EQ(again.code, 0);
    EXPECT_NE(again.err.find("clip_5_0.png"), std::string::npos) << again.err;
    EXPECT_EQ(place(data::load_image(folder_ / "sheet.png"), 0).pixels, data::Image(128, 128, 3).pixels);
    EXPECT_EQ(place(data::load_image(folder_ / "sheet.png"), 1).pixels, face(12).pixels);
}

} // namespace
