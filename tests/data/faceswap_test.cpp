// tests/data/faceswap_test.cpp - faceswap's aligned PNGs become a faceset: values as Python prints them, the place of
// the picture in its frame, landmarks, names of frames and masks.
#include "data/import/faceswap.h"

#include "data/import/faceswap_alignment.h"
#include "data/import/import.h"
#include "data/import/literal.h"
#include "kernels/base/error.h"
#include "tests/data/faces.h"
#include "tests/data/folder.h"

#include <gtest/gtest.h>
#include <zlib.h>

#include <cmath>

namespace bifrons::data {
namespace {

using test::Folder;
using test::write_text;
namespace fs = std::filesystem;

TEST(Literal, is_what_python_prints_and_what_json_is)
{
    const Literal python(R"({'a': [1, -2.5e1, (3,), ()], "it's": 'x\n\x41\u00e9\U0001F600\'', 'b': b'\x00\xff\\A"',
                            'none': None, 'yes': True, 'no': False, 'empty': {}})",
                         "test");
    const PickledValue& value = python.value();
    EXPECT_EQ(value.find("a")->numbers("a").size(), 3u);
    EXPECT_EQ(value.find("a")->numbers("a")[1], -25);
    EXPECT_EQ(value.find("it's")->text, "x\nA\xC3\xA9\xF0\x9F\x98\x80'");
    EXPECT_EQ(value.find("b")->text, std::string_view("\0\xFF\\A\"", 5));
    EXPECT_EQ(value.find("b")->kind, PickledValue::Kind::bytes);
    EXPECT_EQ(value.find("none"), nullptr);
    EXPECT_EQ(value.find("yes")->number, 1);
    EXPECT_EQ(value.find("no")->number, 0);
    EXPECT_EQ(value.find("empty")->kind, PickledValue::Kind::dict);
    const Literal json(R"({"a": [true, null, "\ud83d\ude00\/"]})", "test");
    EXPECT_EQ(json.value().find("a")->members.at(2)->text, "\xF0\x9F\x98\x80/");
}

TEST(Literal, anything_else_is_refused_with_its_place)
{
    const auto fault = [](const std::string& text) {
        try {
            Literal(text, "test");
        } catch (const Error& error) {
            EXPECT_EQ(error.kind(), ErrorKind::data);
            return std::string(error.what());
        }
        return std::string("none");
    };
    EXPECT_EQ(fault("[1, open('x')]"), "test: is damaged at byte 4 of 14");
    EXPECT_EQ(fault("{'a': 1"), "test: is damaged at byte 7 of 7");
    for (const char* text : {"", "[1", "{'a'}", "{'a': }", "'a", "'\\x4'", "'\\q'", "b'\\u0041'", "nan", "1e999",
                             "[1] 2", "[1 2]", "array([1])", "--1"})
        EXPECT_NE(fault(text), "none") << text;
    EXPECT_NE(fault(std::string(100, '[')).find("more than 64 levels deep"), std::string::npos);
}

// ---- where the picture lies ----------------------------------------------------------------------------------------

/// The numbers are those of faceswap's own lib.align.AlignedFace, centering "head".
TEST(Faceswap, cuts_faces_out_where_faceswap_does)
{
    const auto expect = [](const Landmarks& points, std::int64_t side, const std::array<double, 6>& matrix) {
        const Affine ours = faceswap_face_from_frame(points, side), theirs{matrix};
        for (const Point& p : points) {
            EXPECT_NEAR(ours(p).x, theirs(p).x, 0.1);
            EXPECT_NEAR(ours(p).y, theirs(p).y, 0.1);
        }
    };
    const Landmarks upright = test::mean_landmarks(120, 300, 200);
    expect(upright, 512, {1.5148, -0.038, -275.2418, 0.038, 1.5148, -116.9296});
    expect(test::turned(0.4, 2, 10, -20)(upright), 256, {0.3525, 0.1387, -138.3717, -0.1387, 0.3525, -50.0275});
    Landmarks aside = test::mean_landmarks(1, 0, 0); // wider on the picture's right
    for (Point& p : aside) p = {(0.6 * p.x + 0.4 * p.x * p.x) * 120 + 300, p.y * 120 + 200};
    expect(aside, 512, {1.5115, 0.0022, -283.5797, -0.0022, 1.5115, -101.3063});
}

// ---- pictures ------------------------------------------------------------------------------------------------------

std::string number32(std::size_t n)
{
    return {char(n >> 24), char(n >> 16), char(n >> 8), char(n)};
}

std::string chunk(const std::string& type, const std::string& bytes)
{
    const std::string body = type + bytes;
    return number32(bytes.size()) + body +
           number32(crc32(0, reinterpret_cast<const Bytef*>(body.data()), uInt(body.size())));
}

std::string python_bytes(const std::string& bytes)
{
    std::string text = "b'";
    for (const char c : bytes) {
        char escaped[8];
        std::snprintf(escaped, sizeof escaped, "\\x%02x", unsigned(std::uint8_t(c)));
        text += escaped;
    }
    return text + "'";
}

/// A mask of 16 px over the frame's (300, 200) to (364, 264), white in its left half.
std::string mask_text(const std::string& name, bool is_damaged = false)
{
    std::string mask;
    for (int y = 0; y < 16; ++y) mask.append(8, '\xFF').append(8, '\0');
    uLongf size = 1000;
    std::string packed(size, '\0');
    compress(reinterpret_cast<Bytef*>(packed.data()), &size, reinterpret_cast<const Bytef*>(mask.data()), mask.size());
    packed.resize(is_damaged ? size - 5 : size);
    return str("'", name, "': {'mask': ", python_bytes(packed),
               ", 'affine_matrix': [[0.25, 0.0, -75.0], [0.0, 0.25, -50.0]], 'interpolator': 2, 'stored_size': 16, "
               "'stored_centering': 'face'}");
}

/// As faceswap's header has it, of a face with these masks.
std::string header_text(const Landmarks& points, const std::string& masks, const std::string& frame, bool is_video)
{
    std::string text = "{'alignments': {'x': 290, 'y': 190, 'w': 140, 'h': 150, 'landmarks_xy': [";
    for (std::size_t i = 0; i < 68; ++i)
        text += (i > 0 ? ", [" : "[") + std::to_string(points[i].x) + ", " + std::to_string(points[i].y) + "]";
    return str(
        text, "], 'mask': {", masks,
        "}, 'identity': {}}, 'source': {'alignments_version': 2.4, 'original_filename': 'a_0.png', 'face_index': "
        "0, 'source_filename': '",
        frame, "', 'source_is_video': ", is_video ? "True" : "False", ", 'source_frame_dims': (720, 1280)}}");
}

class FaceswapFolder : public ::testing::Test {
  protected:
    FaceswapFolder() { fs::create_directory(faces_); }

    /// A PNG of this side with faceswap's chunk before its pixels.
    void write(const std::string& name, const std::string& text, std::int64_t side = 128)
    {
        save_image(faces_ / name, Image(side, side, 3));
        const std::vector<std::uint8_t> bytes = read_file(faces_ / name);
        std::string png(bytes.begin(), bytes.end());
        png.insert(png.find("IDAT") - 4, chunk("iTXt", std::string("faceswap\0\0\0\0\0", 13) + text));
        write_text(faces_ / name, png);
    }

    Folder folder_;
    const fs::path faces_ = folder_ / "faces";
    const Landmarks points_ = test::mean_landmarks(120, 300, 200);
};

TEST_F(FaceswapFolder, becomes_a_faceset)
{
    write("b_0.png", header_text(points_, "", "b.png", false));
    write("clip_000012_0.png",
          header_text(points_, mask_text("components") + ", " + mask_text("vgg-clear"), "clip_000012.mp4", true));
    save_image(faces_ / "other.png", Image(16, 16, 3));
    const ImportReport report = import_faces(faces_, folder_ / "out", {});
    EXPECT_EQ(report.left_out, std::vector<std::string>{});
    EXPECT_EQ(report.faces, 2);
    EXPECT_EQ(report.masks, 1);
    EXPECT_EQ(report.other_files, 1);
    const Faceset set = load_faceset(folder_ / "out");
    EXPECT_TRUE(is_imported(set));
    EXPECT_EQ(set.detector, "faceswap");
    EXPECT_EQ(set.type, FaceType::whole_face);
    EXPECT_EQ(set.side, 128);
    EXPECT_EQ(set.sources.at(0).pictures, (std::vector<std::string>{"b.png", "clip_000011.png"}))
        << "its frames are counted from 1";
    const FaceRecord& face = set.faces.at(1);
    EXPECT_EQ(face.file, "images/clip_000012_0.png");
    EXPECT_EQ(read_file(set.folder / face.file), read_file(faces_ / "clip_000012_0.png"));
    EXPECT_EQ(face.rect, (Rect{290, 190, 430, 340}));
    EXPECT_NEAR(face.in_frame[30].x, points_[30].x, 1e-5);
    const Affine expected = faceswap_face_from_frame(points_, 128);
    EXPECT_NEAR(face.in_face[30].y, expected(points_[30]).y, 1e-4);
    const Image mask = load_mask(set, 1);
    const auto shown = [&](Point in_frame) {
        const Point p = expected(in_frame);
        return *mask.at(std::lround(p.y), std::lround(p.x));
    };
    EXPECT_EQ(shown({315, 230}), 255);
    EXPECT_EQ(shown({348, 230}), 0) << "black in the mask";
    EXPECT_EQ(shown({285, 230}), 0) << "left of the mask";
    EXPECT_EQ(shown({315, 275}), 0) << "below it";
    const FaceArrays arrays = load_faces(set, {0, 1}, FaceType::full, 64);
    EXPECT_EQ(arrays.count, 2);
}

TEST_F(FaceswapFolder, damaged_ones_cost_themselves_alone)
{
    const std::string good = header_text(points_, "", "b.png", false);
    write("a.png", good);
    write("b.png", good.substr(0, good.size() / 2));
    write("c.png", header_text(points_, mask_text("extended", true), "c.png", false));
    std::string bad = good;
    write("d.png", bad.replace(bad.find("landmarks_xy"), 12, "landmarks"));
    write("e.png", header_text(points_, "", "clip.mp4", true));
    Landmarks one_point;
    one_point.fill({5, 5});
    write("f.png", header_text(one_point, "", "f.png", false));
    write("g.png", header_text(points_, "", "../../etc/passwd", false));
    const ImportReport report = import_faces(faces_, folder_ / "out", {});
    EXPECT_EQ(report.faces, 2);
    ASSERT_EQ(report.left_out.size(), 5u);
    for (const auto& [i, what] : {std::pair{0, "b.png: its data of faceswap: is damaged at byte"},
                                  {1, "c.png: mask: cannot be decompressed"},
                                  {2, "d.png: has no landmarks_xy"},
                                  {3, "e.png: is of a video's frame clip; expected"},
                                  {4, "f.png: its landmarks are not those of a face"}})
        EXPECT_NE(report.left_out[std::size_t(i)].find(what), std::string::npos) << report.left_out[std::size_t(i)];
    EXPECT_EQ(load_faceset(folder_ / "out").sources.at(0).pictures, (std::vector<std::string>{"b.png", "passwd"}));
}

TEST_F(FaceswapFolder, is_told_from_plain_pictures)
{
    save_image(faces_ / "other.png", Image(16, 16, 3));
    write_text(faces_ / "damaged.png", "text");
    EXPECT_TRUE(holds_plain_pictures(faces_));
    write("z.png", header_text(points_, "", "b.png", false));
    EXPECT_FALSE(holds_plain_pictures(faces_));
    EXPECT_FALSE(holds_plain_pictures(BIFRONS_DFL));
    fs::create_directory(folder_ / "empty");
    EXPECT_FALSE(holds_plain_pictures(folder_ / "empty"));
}

TEST(Faceswap, data_are_found_in_whole_chunks_alone)
{
    const std::string begin = "\x89PNG\r\n\x1a\n", text(chunk("iTXt", std::string("faceswap\0\0\0\0\0{}", 15)));
    const auto found = [](const std::string& png) {
        return std::string(faceswap_data({reinterpret_cast<const std::uint8_t*>(png.data()), png.size()}));
    };
    EXPECT_EQ(found(begin + chunk("IHDR", "x") + text), "{}");
    EXPECT_EQ(found(begin + chunk("IDAT", "x") + text), "") << "behind the pixels";
    EXPECT_EQ(found(begin + chunk("iTXt", std::string("faceswap\0\1\0\0\0{}", 15))), "") << "compressed";
    EXPECT_EQ(found(begin + chunk("iTXt", std::string("faceswap\0\0\0en\0key\0{}", 20))), "{}");
    for (std::size_t cut = 0; cut < begin.size() + text.size() - 4; ++cut)
        EXPECT_EQ(found((begin + text).substr(0, cut)), "");
    EXPECT_EQ(found(begin + number32(0xFFFFFFFF) + "iTXtfaceswap"), "");
}

} // namespace
} // namespace bifrons::data
