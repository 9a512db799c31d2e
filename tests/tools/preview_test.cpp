// `bifrons preview`: which picture stands where on the sheet, the words on it, and what is refused.
#include "data/warp.h"
#include "model/predictor.h"
#include "model/trained.h"
#include "tests/data/folder.h"
#include "tests/tools/made_inputs.h"
#include "tests/tools/run_program.h"
#include "tools/drawing.h"
#include "tools/training_data.h"

using namespace bifrons;
using namespace bifrons::test;

namespace {

constexpr std::int64_t kSide = 32;                          // of make_model()
constexpr std::int64_t kTile = 128, kGap = 4, kHeader = 60; // of a sheet

class PreviewCommand : public ::testing::Test {
  protected:
    void SetUp() override
    {
        make_model(folder_ / "model");
        make_faceset(folder_ / "src", 20);
        make_faceset(folder_ / "dst", 90);
    }
    Result preview(const std::vector<std::string>& more)
    {
        std::vector<std::string> words = {"preview",         "--json", "--device",      "cpu:1", "--model",
                                          folder_ / "model", "--src",  folder_ / "src", "--dst", folder_ / "dst"};
        words.insert(words.end(), more.begin(), more.end());
        return bifrons_run(words);
    }

    Folder folder_;
};

/// Cell (row, column) of the sheet.
std::vector<std::uint8_t> cell(const data::Image& sheet, std::int64_t row, std::int64_t column)
{
    const std::int64_t x = column * kTile + (column >= 6 ? 2 : column >= 3 ? 1 : 0) * kGap;
    std::vector<std::uint8_t> pixels;
    for (std::int64_t y = kHeader + row * kTile; y < kHeader + (row + 1) * kTile; ++y)
        pixels.insert(pixels.end(), sheet.at(y, x), sheet.at(y, x) + kTile * 3);
    return pixels;
}

/// Picture n of [*,kSide,kSide,C] as a cell shows it: the edges of a pixel and of its 4 x 4 px coincide.
std::vector<std::uint8_t> shown(const std::vector<float>& pictures, std::int64_t n, std::int64_t C)
{
    data::ImageF picture(kSide, kSide, 3);
    for (std::int64_t i = 0; i < kSide * kSide * 3; ++i)
        picture.pixels[std::size_t(i)] = pictures[std::size_t(n * kSide * kSide * C + (C == 3 ? i : i / 3))];
    return data::warp(data::to_bytes(picture), {{4, 0, 1.5, 0, 4, 1.5}}, kTile, kTile).pixels;
}

TEST_F(PreviewCommand, every_picture_stands_in_its_cell)
{
    constexpr std::int64_t kRows = 3;
    const Result r = preview({"--out", folder_ / "sheet.png", "--rows", "3"});
    ASSERT_EQ(r.code, 0) << r.out;
    EXPECT_EQ(r.json()["rows"], kRows);
    const data::Image sheet = data::load_image(folder_ / "sheet.png");
    ASSERT_EQ(sheet.H, kHeader + kRows * kTile);
    ASSERT_EQ(sheet.W, 8 * kTile + 2 * kGap);
    for (std::int64_t y = kHeader; y < sheet.H; ++y)
        for (std::int64_t x = 0; x < kGap; ++x) // between the groups
            EXPECT_EQ(int(*sheet.at(y, 3 * kTile + x)) + *sheet.at(y, 6 * kTile + kGap + x), 0);

    const auto device = kernels::open_device("cpu:1");
    const model::TrainedModel model(*device, *load_latest_checkpoint(folder_ / "model", [](const std::string&) {}));
    const auto pictures = [&](const char* set) {
        tools::Console console;
        return tools::sample_pictures(data::load_faceset(folder_ / set), model.settings(), kRows, console);
    };
    using Identity = model::Predictor::Identity;
    model::Predictor as_src(*device, model.network(), kRows, Identity::src, model.precision()),
        as_dst(*device, model.network(), kRows, Identity::dst, model.precision());
    const auto src = pictures("src"), dst = pictures("dst");
    const auto of_src = as_src(src), of_dst = as_dst(dst), swap = as_src(dst);
    for (std::int64_t n = 0; n < kRows; ++n) {
        const std::vector<std::uint8_t> want[] = {
            shown(src, n, 3),       shown(of_src.face, n, 3), shown(of_src.mask, n, 1), shown(dst, n, 3),
            shown(swap.face, n, 3), shown(swap.mask, n, 1),   shown(of_dst.face, n, 3), shown(of_dst.mask, n, 1)};
        for (std::int64_t column = 0; column < 8; ++column) {
            EXPECT_EQ(cell(sheet, n, column), want[column]) << "row " << n << ", column " << column;
            for (std::int64_t other = 0; other < column; ++other)
                EXPECT_NE(want[column], want[other]) << "the columns can be told apart";
        }
    }
    EXPECT_NE(cell(sheet, 0, 0), cell(sheet, 1, 0)) << "different faces";
}

TEST_F(PreviewCommand, refuses_before_it_works_and_leaves_what_exists)
{
    const std::string there = folder_ / "there.png";
    write_text(there, "precious");
    const auto refused = [&](const std::vector<std::string>& more, int code, const std::string& part) {
        const Result r = preview(more);
        EXPECT_EQ(r.code, code) << r.out;
        EXPECT_NE((r.out + r.err).find(part), std::string::npos) << r.out << r.err;
    };
    refused({"--out", there}, 2, "already exists");
    refused({"--out", folder_ / "sheet.gif"}, 2, "unknown picture format \".gif\"");
    refused({"--out", folder_ / "no" / "sheet.png"}, 3, "is not a folder");
    refused({"--out", folder_ / "sheet.png", "--rows", "0"}, 2, "--rows");
    refused({"--out", folder_ / "sheet.png", "--rows", "65"}, 2, "--rows");
    std::filesystem::remove(folder_ / "dst" / "faceset.json");
    refused({"--out", folder_ / "sheet.png"}, 3, "dst");
    std::filesystem::remove_all(folder_ / "model");
    refused({"--out", folder_ / "sheet.png"}, 3, "model: does not exist");
    refused({"--out", folder_ / "sheet.gif"}, 2, "unknown picture format \".gif\""); // before the model is looked for
    EXPECT_EQ(data::read_file(there).size(), 8u);
    EXPECT_EQ(entries(folder_.path()), 3) << "src, dst and what was there";
}

TEST_F(PreviewCommand, replaces_a_sheet_when_told_to)
{
    write_text(folder_ / "sheet.png", "old");
    EXPECT_EQ(preview({"--out", folder_ / "sheet.png", "--rows", "1", "--overwrite"}).code, 0);
    EXPECT_EQ(data::load_image(folder_ / "sheet.png").H, kHeader + kTile);
}

/// Its white pixels, a line of text a row.
std::string drawn(const data::Image& sheet)
{
    std::string text;
    for (std::int64_t y = 0; y < sheet.H; ++y, text += '\n')
        for (std::int64_t x = 0; x < sheet.W; ++x) text += *sheet.at(y, x) == 255 ? '#' : '.';
    return text;
}

TEST(Drawing, letters_are_made_of_the_fonts_strokes)
{
    data::Image sheet(10, 12, 3);
    tools::draw_text(sheet, 0, 1, "Tl");
    EXPECT_EQ(drawn(sheet), ".#####..#...\n"
                            "...#....#...\n"
                            "...#....#...\n"
                            "...#....#...\n"
                            "...#....#...\n"
                            "...#....#...\n"
                            "...#....#...\n"
                            "............\n"
                            "............\n"
                            "............\n");
    data::Image twice(20, 24, 3);
    tools::draw_text(twice, 0, 2, "Tl", 2);
    for (std::int64_t y = 0; y < 20; ++y)
        for (std::int64_t x = 0; x < 24; ++x) EXPECT_EQ(*twice.at(y, x), *sheet.at(y / 2, x / 2)) << y << ", " << x;
}

TEST(Drawing, what_does_not_fit_is_cut_off_and_what_is_not_ascii_is_a_question_mark)
{
    data::Image sheet(6, 20, 3), same = sheet;
    tools::draw_text(sheet, -3, -2, "a\xc3\xa4\n\x01 long line");
    tools::draw_text(same, -3, -2, "a???? long line");
    EXPECT_EQ(drawn(sheet), drawn(same));
    EXPECT_EQ(tools::text_width("\xff", 3), tools::text_width("?", 3));
}

} // namespace
