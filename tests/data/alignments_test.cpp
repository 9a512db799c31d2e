// tests/data/alignments_test.cpp - faces that faceswap found are cut out of their footage.
#include "data/extract/extract.h"
#include "kernels/base/error.h"
#include "tests/data/clips.h"
#include "tests/data/faces.h"
#include "tests/data/folder.h"
#include "tests/support/dfl_model_folder.h"

#include <gtest/gtest.h>
#include <zlib.h>

namespace bifrons::data {
namespace {

using test::Folder;
using test::write_text;

std::string face_text(const Landmarks& points)
{
    std::string text = R"({"detected": [10, 20, 110, 130], "landmarks_2d": [)";
    for (std::size_t i = 0; i < 68; ++i)
        text += (i > 0 ? ", [" : "[") + std::to_string(points[i].x) + ", " + std::to_string(points[i].y) + "]";
    return text + "]}";
}

using test::pickled;

using Members = std::vector<std::pair<std::string, std::string>>;

/// As faceswap's alignments file has a face, pickled.
std::string face_pickle(const Landmarks& points)
{
    test::DflArray array{"", {68, 2}, {}};
    for (const Point& p : points) array.values.insert(array.values.end(), {float(p.x), float(p.y)});
    return pickled(Members{{"x", pickled(10.0)},
                           {"y", pickled(20.0)},
                           {"w", pickled(100.0)},
                           {"h", pickled(110.0)},
                           {"landmarks_xy", pickled(array)}});
}

/// A value, packed by zlib.
std::string fsa_of(const std::string& value)
{
    const std::string text = "\x80\x04" + value + ".";
    std::string packed(compressBound(text.size()), '\0');
    uLongf size = packed.size();
    compress(reinterpret_cast<Bytef*>(packed.data()), &size, reinterpret_cast<const Bytef*>(text.data()), text.size());
    return packed.substr(0, size);
}

/// {"__data__": {frame: {"faces": [face]}}}
std::string fsa(const std::string& frame, const std::string& face)
{
    const std::string frames = pickled(Members{{frame, pickled(Members{{"faces", "](" + face + "e"}})}});
    return fsa_of(pickled(Members{{"__data__", frames}}));
}

class Alignments : public ::testing::Test {
  protected:
    Alignments()
    {
        std::filesystem::create_directory(frames_);
        for (const char* name : {"a.png", "b.png", "c.png"}) save_image(frames_ / name, Image(200, 200, 3));
    }
    ExtractReport cut(const std::string& json, const char* footage = "frames")
    {
        write_text(folder_ / "faces.json", json);
        const AlignmentsFile alignments(folder_ / "faces.json");
        return extract({folder_ / footage}, folder_ / "out", {.alignments = &alignments, .side = 64});
    }

    Folder folder_;
    const std::filesystem::path frames_ = folder_ / "frames";
    const Landmarks one_ = test::mean_landmarks(80, 40, 50), other_ = test::mean_landmarks(60, 90, 60);
};

TEST_F(Alignments, say_where_the_faces_are)
{
    const ExtractReport report = cut("{\"b.png\": [" + face_text(one_) + ", " + face_text(other_) + "], \"c.jpg\": [" +
                                     face_text(other_) + "], \"elsewhere.png\": [" + face_text(one_) + "]}");
    EXPECT_TRUE(report.complete);
    EXPECT_EQ(report.frames, 3);
    EXPECT_EQ(report.counts.empty, 1);
    const Faceset set = load_faceset(folder_ / "out");
    EXPECT_EQ(set.detector, "alignments");
    ASSERT_EQ(set.faces.size(), 3u);
    EXPECT_EQ(set.faces[0].file, "images/frames_000001_0.png");
    EXPECT_EQ(set.faces[0].rect, (Rect{10, 20, 110, 130}));
    EXPECT_NEAR(set.faces[0].in_frame[30].x, one_[30].x, 1e-5);
    EXPECT_NEAR(set.faces[1].in_frame[30].x, other_[30].x, 1e-5);
    EXPECT_EQ(set.faces[2].frame, 2);
}

TEST_F(Alignments, are_read_from_faceswaps_own_file)
{
    EXPECT_EQ(cut(fsa("b.png", face_pickle(one_))).counts.faces, 1);
    const Faceset set = load_faceset(folder_ / "out");
    ASSERT_EQ(set.faces.size(), 1u);
    EXPECT_EQ(set.faces[0].frame, 1);
    EXPECT_EQ(set.faces[0].rect, (Rect{10, 20, 110, 130}));
    EXPECT_NEAR(set.faces[0].in_frame[30].x, one_[30].x, 1e-4);
}

TEST_F(Alignments, of_version_1_0_list_the_faces_alone)
{
    EXPECT_EQ(cut(fsa_of(pickled(Members{{"b.png", "](" + face_pickle(one_) + "e"}}))).counts.faces, 1);
}

TEST_F(Alignments, of_a_video_count_its_frames_from_1)
{
    make_clip(folder_ / "clip.mp4", "200x200", 3, {"-c:v", "libx264", "-pix_fmt", "yuv420p"}, false);
    EXPECT_EQ(cut("{\"clip_000001.png\": [" + face_text(one_) + "], \"clip_000003.png\": [" + face_text(other_) + "]}",
                  "clip.mp4")
                  .counts.faces,
              2);
    const Faceset set = load_faceset(folder_ / "out");
    ASSERT_EQ(set.faces.size(), 2u);
    EXPECT_EQ(set.faces[0].frame, 0);
    EXPECT_EQ(set.faces[1].frame, 2);
    EXPECT_NEAR(set.faces[1].in_frame[30].x, other_[30].x, 1e-5);
}

TEST_F(Alignments, of_one_source_are_all_of_one_file)
{
    const std::string json = "{\"b.png\": [" + face_text(one_) + "]}";
    EXPECT_EQ(cut(json).counts.faces, 1);
    EXPECT_EQ(cut(json).frames_now, 0) << "nothing is left to do";
    save_image(frames_ / "d.png", Image(200, 200, 3));
    const std::string other = "{\"b.png\": [" + face_text(other_) + "], \"d.png\": [" + face_text(one_) + "]}";
    BIFRONS_EXPECT_ERROR(cut(other), usage, "out: was extracted from frames with another alignments file than ");
    EXPECT_EQ(load_faceset(folder_ / "out").faces.size(), 1u);
    std::filesystem::create_directory(folder_ / "others");
    save_image(folder_ / "others/d.png", Image(200, 200, 3));
    EXPECT_EQ(cut(other, "others").counts.faces, 2) << "of other footage they may be";
}

TEST_F(Alignments, that_hold_nothing_of_a_source_do_not_keep_the_right_ones_out)
{
    EXPECT_EQ(cut("{\"b.png\": [" + face_text(one_) + "]}").counts.faces, 1);
    std::filesystem::create_directory(folder_ / "others");
    save_image(folder_ / "others/d.png", Image(200, 200, 3));
    EXPECT_EQ(cut("{\"x.png\": [" + face_text(other_) + "]}", "others").counts.faces, 1) << "those there were";
    EXPECT_EQ(cut("{\"d.png\": [" + face_text(other_) + "]}", "others").counts.faces, 2);
    EXPECT_EQ(load_faceset(folder_ / "out").faces[1].source, 1);
}

TEST_F(Alignments, find_frames_with_dots_in_their_names)
{
    save_image(frames_ / "b.0001.png", Image(200, 200, 3));
    const ExtractReport report =
        cut("{\"b.png\": [" + face_text(one_) + "], \"b.0001.png\": [" + face_text(other_) + "]}");
    EXPECT_EQ(report.counts.faces, 2);
    const Faceset set = load_faceset(folder_ / "out");
    ASSERT_EQ(set.faces.size(), 2u);
    const std::int64_t b = set.sources[0].pictures[std::size_t(set.faces[0].frame)] == "b.png" ? 0 : 1;
    EXPECT_NEAR(set.faces[std::size_t(b)].in_frame[30].x, one_[30].x, 1e-5);
    EXPECT_NEAR(set.faces[std::size_t(1 - b)].in_frame[30].x, other_[30].x, 1e-5);
}

TEST_F(Alignments, are_taken_for_more_frames_than_are_worked_on_together)
{
    std::string json;
    for (int i = 0; i < 18; ++i) {
        save_image(frames_ / ("d" + std::to_string(i) + ".png"), Image(200, 200, 3));
        json += (i > 0 ? ", \"d" : "{\"d") + std::to_string(i) + ".png\": [" + face_text(one_) + "]";
    }
    EXPECT_EQ(cut(json + "}").counts.faces, 18);
    EXPECT_EQ(load_faceset(folder_ / "out").faces.size(), 18u);
}

TEST_F(Alignments, bad_faces_cost_themselves_alone)
{
    const Landmarks far_away = test::mean_landmarks(80, 999'900, 50);
    const std::string json = "{\"a.png\": [{\"detected\": [1, 2, 3, 4], \"landmarks_2d\": [[1, 2]]}, " +
                             face_text(one_) + "], \"b.png\": [" + face_text(far_away) + "]}";
    write_text(folder_ / "faces.json", json);
    const std::vector<std::string> left_out = AlignmentsFile(folder_ / "faces.json").left_out();
    ASSERT_EQ(left_out.size(), 1u);
    EXPECT_NE(left_out[0].find("faces.json: a.png: face 0: has 1 landmarks"), std::string::npos) << left_out[0];
    const ExtractReport report = cut(json);
    EXPECT_EQ(report.counts.faces, 1);
    EXPECT_EQ(report.implausible, 1);
    EXPECT_EQ(load_faceset(folder_ / "out").faces.size(), 1u);
}

TEST_F(Alignments, of_the_right_footage_can_follow_those_of_another)
{
    BIFRONS_EXPECT_ERROR(cut("{\"z.png\": [" + face_text(one_) + "]}"), data, "none of which is one of the 3 frames");
    EXPECT_EQ(cut("{\"b.png\": [" + face_text(one_) + "]}").counts.faces, 1);
}

TEST_F(Alignments, of_other_footage_or_damaged_are_refused)
{
    BIFRONS_EXPECT_ERROR(cut("{\"z_9.png\": [" + face_text(one_) + "]}"), data,
                         "faces.json: has faces of z_9 and others, none of which is one of the 3 frames");
    BIFRONS_EXPECT_ERROR(cut("{\"b.png\": [" + face_text(one_).substr(0, 200)), data,
                         "faces.json: is damaged at byte 211");
    BIFRONS_EXPECT_ERROR(cut("{}"), data, "faces.json: lists no frames");
    BIFRONS_EXPECT_ERROR(cut("{\"b.png\": 3}"), data, "faces.json: b.png has no list of faces");
    BIFRONS_EXPECT_ERROR(cut("{\"b.png\": [{\"detected\": [1, 2, 3, 4], \"landmarks_2d\": [[1, 2]]}]}"), data,
                         "faces.json: b.png: face 0: has 1 landmarks; expected 68 or 98");
    const std::string whole = fsa("b.png", face_pickle(one_));
    BIFRONS_EXPECT_ERROR(cut("x\x9c pickled"), data, "faces.json: cannot be decompressed; it is damaged or cut off");
    BIFRONS_EXPECT_ERROR(cut(whole.substr(0, whole.size() - 9)), data, "damaged or cut off");
    BIFRONS_EXPECT_ERROR(cut(fsa("b.png", "cos\nsystem\n")), data, "os.system");
    BIFRONS_EXPECT_ERROR(cut(fsa("b.png", "}(" + pickled("x") + pickled(1.0) + "u")), data,
                         "faces.json: b.png: face 0: has neither detected nor x, y, w and h");
}

} // namespace
} // namespace bifrons::data
