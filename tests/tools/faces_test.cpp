// `bifrons faces`: faces sorted, selected, listed, drawn, dropped and restored.
#include "data/warp.h"
#include "engine/folder_lock.h"
#include "tests/data/folder.h"
#include "tests/tools/made_inputs.h"
#include "tests/tools/run_program.h"

using namespace bifrons;
using namespace bifrons::test;
namespace fs = std::filesystem;

namespace {

class FacesCommand : public ::testing::Test {
  protected:
    void SetUp() override
    {
        make_faceset(folder_ / "faces", 20, 6);
        data::Faceset set = data::load_faceset(folder_ / "faces");
        for (std::size_t i = 0; i < 6; ++i) {
            set.faces[i].sharpness = std::array{30, 10, 60, 50, 20, 40}[i];
            set.faces[i].pose = {.pitch = 0.01 * double(i), .yaw = -0.1 * double(i)};
        }
        data::save_faceset(set);
    }
    Result faces(std::vector<std::string> more)
    {
        more.insert(more.begin(), {"faces", "--json", folder_ / "faces"});
        return bifrons_run(more);
    }
    /// The frames of the list, in its order.
    std::string listed(std::vector<std::string> more)
    {
        more.emplace_back("--list");
        const Result r = faces(more);
        EXPECT_EQ(r.code, 0) << r.out;
        std::string frames;
        const nlohmann::json result = r.json(); // outlives the loop
        for (const auto& row : result.at("list")) frames += std::to_string(row.at("frame").get<int>());
        return frames;
    }
    void replace(int frame, const data::Image& picture)
    {
        data::save_image(folder_ / str("faces/images/clip_", frame, "_0.png"), picture,
                         {.existing = data::Existing::replace});
    }

    Folder folder_;
};

TEST_F(FacesCommand, sorts_by_what_is_known_of_each_face)
{
    EXPECT_EQ(listed({}), "012345");
    EXPECT_EQ(listed({"--sort", "blur"}), "235041");
    EXPECT_EQ(listed({"--sort", "blur", "--reverse", "--first", "2"}), "14");
    EXPECT_EQ(listed({"--sort", "blur", "--last", "2"}), "41");
    EXPECT_EQ(listed({"--sort", "yaw"}), "543210");
    EXPECT_EQ(listed({"--sort", "pitch"}), "012345");
    const nlohmann::json row = faces({"--list"}).json()["list"][5];
    EXPECT_EQ(row["file"], "images/clip_5_0.png");
    EXPECT_EQ(row["source"], "clip");
    EXPECT_NEAR(row["yaw"].get<double>(), -28.6479, 1e-3);
    EXPECT_EQ(row["sharpness"], 40);
    EXPECT_EQ(row["frame"], 5);
}

TEST_F(FacesCommand, sorts_by_pictures_and_names_those_that_cannot_be_read)
{
    data::Image white(64, 64, 3), black(64, 64, 3);
    std::fill(white.pixels.begin(), white.pixels.end(), std::uint8_t(255));
    replace(3, white);
    replace(1, black);
    write_text(folder_ / "faces/images/clip_4_0.png", "damaged");
    for (const char* key : {"brightness", "black", "similarity"}) {
        const Result r = faces({"--sort", key, "--list"});
        ASSERT_EQ(r.code, 0) << r.out;
        EXPECT_EQ(r.json()["list"][5]["frame"], 4) << key;
        EXPECT_NE(r.out.find("cannot be read: "), std::string::npos) << r.out;
        EXPECT_EQ(r.json()["unreadable"], 1);
    }
    EXPECT_EQ(listed({"--sort", "brightness"}).substr(0, 1), "3");
    EXPECT_EQ(listed({"--sort", "brightness"}).substr(4), "14");
    EXPECT_EQ(listed({"--sort", "black", "--reverse"}).substr(0, 2), "41");
    EXPECT_EQ(listed({"--above", "black=99"}), "1");
    EXPECT_EQ(listed({"--above", "brightness=99.9"}), "3");
    EXPECT_EQ(listed({"--best", "6"}).find('4'), std::string::npos);
}

TEST_F(FacesCommand, drops_and_restores_by_rule_and_by_list)
{
    Result r = faces({"--below", "sharpness=25", "--drop"});
    ASSERT_EQ(r.code, 0) << r.out;
    EXPECT_EQ(r.json()["dropped"], 2);
    EXPECT_EQ(r.json()["faces"], 4);
    EXPECT_EQ(r.json()["trash"], 2);
    EXPECT_EQ(listed({}), "0235");
    EXPECT_TRUE(fs::exists(folder_ / "faces/trash/images/clip_1_0.png"));
    const Result in_trash = bifrons_run({"faces", "--json", folder_ / "faces/trash", "--list"});
    EXPECT_EQ(in_trash.json()["list"][1]["file"], "images/clip_4_0.png");

    // By what --list prints, a name alone and its beginning; with one that is none of them.
    const Result list = bifrons_run({"faces", folder_ / "faces", "--above", "sharpness=55", "--list"});
    EXPECT_EQ(list.out, "# file\tframe\tsharpness\tyaw\tpitch\tsize\nimages/clip_2_0.png\t2\t60\t-11.5\t1.15\t42.6\n");
    write_text(folder_ / "names", list.out + "clip_3_0\r\nclip_0_0.png\n../../names\n");
    r = faces({"--names", folder_ / "names", "--drop"});
    ASSERT_EQ(r.code, 0) << r.out;
    EXPECT_EQ(r.json()["dropped"], 3);
    EXPECT_NE(r.out.find("no face of that name: ../../names"), std::string::npos) << r.out;
    EXPECT_EQ(listed({}), "5");

    r = faces({"--restore", "--above", "sharpness=45"});
    EXPECT_EQ(r.json()["restored"], 2);
    EXPECT_EQ(r.json()["trash"], 3);
    EXPECT_EQ(listed({}), "235");
    EXPECT_EQ(faces({"--restore"}).json()["restored"], 3);
    EXPECT_EQ(listed({}), "012345");
    EXPECT_EQ(faces({"--sort", "blur", "--first", "2", "--keep"}).json()["dropped"], 4);
    EXPECT_EQ(listed({}), "23");
    EXPECT_EQ(listed({"--restore"}), "0145");
}

TEST_F(FacesCommand, what_would_go_wrong_is_refused_and_nothing_is_changed)
{
    const auto refused = [&](const std::vector<std::string>& words, int code, const std::string& part) {
        const Result r = faces(words);
        EXPECT_EQ(r.code, code) << r.err;
        EXPECT_NE(r.err.find(part), std::string::npos) << r.err;
    };
    refused({"--drop"}, 2, "--drop needs a selection");
    refused({"--drop", "--keep", "--first", "1"}, 2, "expected one of them");
    refused({"--best", "3", "--drop"}, 2, "--keep drops the others");
    refused({"--above", "yaw=900", "--keep"}, 2, "no face is selected, and --keep would drop all");
    refused({"--above", "yaw"}, 2, "expected MEASURE=NUMBER");
    refused({"--above", "yaw=4x"}, 2, "expected MEASURE=NUMBER");
    refused({"--below", "sharpnes=4"}, 2, "did you mean \"sharpness\"?");
    refused({"--sort", "colour"}, 2, "expected blur|yaw");
    refused({"--sort", "identity", "--identity", folder_ / "none"}, 3, "none: ");
    write_text(folder_ / "names", "clip_9_0\n");
    refused({"--names", folder_ / "names", "--drop"}, 2, "names no face of");
    {
        const FolderLock lock(folder_ / "faces");
        refused({"--first", "1", "--drop"}, 1, "is writing there");
    }
    EXPECT_EQ(listed({}), "012345");
    EXPECT_FALSE(fs::exists(folder_ / "faces/trash"));
    EXPECT_EQ(bifrons_run({"faces", folder_ / "none", "--first", "1", "--drop"}).code, 3);
    EXPECT_FALSE(fs::exists(folder_ / "none"));
    faces({"--first", "1", "--drop"});
    const Result r = bifrons_run({"faces", folder_ / "faces/trash", "--first", "1", "--drop"});
    EXPECT_EQ(r.code, 2);
    EXPECT_NE(r.err.find("is a faceset's trash"), std::string::npos) << r.err;
}

TEST_F(FacesCommand, the_sheet_has_the_order_of_the_sort)
{
    ASSERT_EQ(faces({"--sort", "blur", "--last", "5", "--sheet", folder_ / "sheet.png"}).code, 0);
    const data::Image sheet = data::load_image(folder_ / "sheet.png");
    EXPECT_EQ(sheet.W, 5 * 132);
    const data::Faceset set = data::load_faceset(folder_ / "faces");
    const data::Image second = data::warp(data::load_face(set, 5), {{2, 0, 0.5, 0, 2, 0.5}}, 128, 128);
    data::Image place(128, 128, 3);
    for (std::int64_t y = 0; y < 128; ++y) std::copy_n(sheet.at(y, 132), 128 * 3, place.at(y, 0));
    EXPECT_EQ(place.pixels, second.pixels);
    EXPECT_EQ(faces({"--sheet", folder_ / "sheet.png"}).code, 2) << "is there";
    EXPECT_EQ(faces({"--sheet", folder_ / "sheet.png", "--overwrite"}).code, 0);
}

} // namespace
