// tests/data/import_test.cpp - DeepFaceLab's faces become a faceset that loses nothing. The files are of
// make_dfl_faces.py.
#include "data/import/import.h"

#include "data/import/deepfacelab.h"
#include "kernels/base/error.h"
#include "tests/data/folder.h"

#include <gtest/gtest.h>

#include <cmath>

namespace bifrons::data {
namespace {

using test::Folder;
using test::write_text;
namespace fs = std::filesystem;

fs::path example(const std::string& name)
{
    return fs::path(BIFRONS_DFL) / name;
}

/// A folder of the three faces.
class Import : public ::testing::Test {
  protected:
    Import()
    {
        fs::create_directory(aligned_);
        for (const char* name : {"00001_0.jpg", "00002_0.jpg", "00003_0.jpg"}) fs::copy(example(name), aligned_);
    }
    std::string bytes(const fs::path& path) const
    {
        const std::vector<std::uint8_t> all = read_file(path);
        return {all.begin(), all.end()};
    }
    /// What import_faces throws.
    std::string fault(const fs::path& from, ErrorKind kind = ErrorKind::data)
    {
        try {
            import_faces(from, folder_ / "out", {});
        } catch (const Error& error) {
            EXPECT_EQ(error.kind(), kind) << error.what();
            return error.what();
        }
        return "none";
    }

    Folder folder_;
    const fs::path aligned_ = folder_ / "aligned";
};

TEST_F(Import, pictures_landmarks_and_frames_are_those_of_the_files)
{
    std::int64_t last = 0, of = 0;
    const ImportReport report =
        import_faces(aligned_, folder_ / "out", {.work = {.progress = [&](std::int64_t done, std::int64_t all) {
                                                     last = done;
                                                     of = all;
                                                 }}});
    EXPECT_TRUE(report.complete);
    EXPECT_EQ(report.faces, 3);
    EXPECT_EQ(report.masks, 2);
    EXPECT_EQ(report.left_out, std::vector<std::string>{});
    EXPECT_EQ(last, 6);
    EXPECT_EQ(of, 6);

    const Faceset set = load_faceset(folder_ / "out");
    EXPECT_EQ(set.type, FaceType::whole_face);
    EXPECT_EQ(set.side, 64);
    EXPECT_EQ(set.detector, "DeepFaceLab");
    ASSERT_EQ(set.faces.size(), 3u);
    EXPECT_EQ(set.sources.at(0).pictures, (std::vector<std::string>{"00001.png", "00002.png", "00003.png"}));
    EXPECT_TRUE(set.sources[0].complete);
    for (int n = 1; n <= 3; ++n) {
        const FaceRecord& face = set.faces[std::size_t(n - 1)];
        EXPECT_EQ(face.frame, n - 1);
        EXPECT_EQ(face.file, "images/0000" + std::to_string(n) + "_0.jpg");
        EXPECT_EQ(bytes(set.folder / face.file), bytes(example("0000" + std::to_string(n) + "_0.jpg")));
        // The first jaw point, of make_dfl_faces.py: ((0.5 + 0.42 cos 1.02 pi) 0.6 + 0.2) 64.
        const double x = ((0.5 + 0.42 * std::cos(1.02 * M_PI)) * 0.6 + 0.2) * 64;
        EXPECT_NEAR(face.in_face[0].x, x, 1e-9);
        EXPECT_NEAR(face.in_frame[0].x, 2 * x + 100 * n, 1e-6);
        EXPECT_NEAR(face.matrix.m[0], 0.5, 1e-9);
        EXPECT_NEAR(face.matrix.m[2], -50 * n, 1e-6);
        EXPECT_NEAR(face.size, 128, 1e-6);
        EXPECT_EQ(face.rect.left, 100 * n);
        EXPECT_GT(face.sharpness, 0);
    }
}

TEST_F(Import, masks_of_both_kinds_are_kept_and_train)
{
    import_faces(aligned_, folder_ / "out", {});
    const Faceset set = load_faceset(folder_ / "out");
    EXPECT_EQ(set.faces.at(0).mask, "");
    // XSeg's mask is of half the size: columns 10-21 and lines 8-23 are white there.
    const Image trained = load_mask(set, 1);
    EXPECT_EQ(*trained.at(32, 32), 255);
    EXPECT_EQ(*trained.at(32, 16), 0);
    EXPECT_EQ(*trained.at(32, 48), 0);
    EXPECT_EQ(*trained.at(12, 32), 0);
    // A square of 16-47 x 20-51 without 24-39 x 28-43.
    const Image drawn = load_mask(set, 2);
    EXPECT_EQ(*drawn.at(24, 20), 255);
    EXPECT_EQ(*drawn.at(35, 32), 0);
    EXPECT_EQ(*drawn.at(10, 32), 0);
    EXPECT_EQ(*drawn.at(47, 44), 255);

    const FaceArrays arrays = load_faces(set, {0, 1, 2}, FaceType::whole_face, 64);
    const auto trains = [&](std::size_t n, Point in_picture) {
        const FaceRecord& face = set.faces[n];
        const Affine wanted = face_from_frame(face.in_frame, set.type, arrays.side);
        const Point p = wanted(face.matrix.inverse()(in_picture));
        return arrays.masks[(n * 64 + std::size_t(std::lround(p.y))) * 64 + std::size_t(std::lround(p.x))];
    };
    EXPECT_EQ(trains(0, {31, 35}), 255); // the landmarks' hull
    EXPECT_EQ(trains(1, {32, 32}), 255);
    EXPECT_EQ(trains(1, {32, 12}), 0);
    EXPECT_EQ(trains(2, {31, 35}), 0);
    EXPECT_EQ(trains(2, {20, 24}), 255);
}

TEST_F(Import, a_pack_is_as_its_files)
{
    const ImportReport report = import_faces(example("faceset.pak"), folder_ / "out", {});
    EXPECT_EQ(report.faces, 2);
    const Faceset set = load_faceset(folder_ / "out");
    ASSERT_EQ(set.faces.size(), 2u);
    EXPECT_EQ(bytes(set.folder / set.faces[0].file), bytes(example("00001_0.jpg")));
    EXPECT_EQ(bytes(set.folder / set.faces[1].file), bytes(example("00002_0.jpg")));
    EXPECT_EQ(set.faces[1].mask, "masks/00002_0.png");
}

TEST_F(Import, damaged_and_foreign_files_cost_themselves_alone)
{
    const std::string good = bytes(example("00002_0.jpg"));
    write_text(aligned_ / "a.jpg", good.substr(0, 2000)); // in the middle of its data
    write_text(aligned_ / "b.jpg", "text");               // no picture
    std::string other = good;
    other.replace(other.find("whole_face"), 10, "mark_only_"); // no type that trains
    write_text(aligned_ / "c.jpg", other);
    other = good;
    other.replace(other.find("landmarks"), 9, "lndmarks_");
    write_text(aligned_ / "d.jpg", other);
    other = good;
    other.replace(other.find("whole_face"), 10, "half_face\n");
    write_text(aligned_ / "e.jpg", other);
    write_text(aligned_ / "notes.txt", "no face");
    const ImportReport report = import_faces(aligned_, folder_ / "out", {});
    EXPECT_EQ(report.faces, 3);
    EXPECT_EQ(report.other_files, 1);
    ASSERT_EQ(report.left_out.size(), 5u);
    EXPECT_NE(report.left_out[0].find("a.jpg: "), std::string::npos) << report.left_out[0];
    EXPECT_NE(report.left_out[1].find("b.jpg: "), std::string::npos) << report.left_out[1];
    EXPECT_NE(report.left_out[2].find("its face type is mark_only_"), std::string::npos) << report.left_out[2];
    EXPECT_NE(report.left_out[3].find("has no landmarks"), std::string::npos) << report.left_out[3];
    EXPECT_EQ(load_faceset(folder_ / "out").faces.size(), 3u);
}

TEST_F(Import, nothing_that_exists_is_lost)
{
    fs::create_directory(folder_ / "out");
    write_text(folder_ / "out/images", "mine");
    EXPECT_NE(fault(aligned_, ErrorKind::usage).find("holds other files"), std::string::npos);
    EXPECT_EQ(bytes(folder_ / "out/images"), "mine");
    fs::remove_all(folder_ / "out");

    import_faces(aligned_, folder_ / "out", {});
    EXPECT_NE(fault(aligned_, ErrorKind::usage).find("holds a faceset already"), std::string::npos);
    EXPECT_EQ(load_faceset(folder_ / "out").faces.size(), 3u);
    fs::remove(aligned_ / "00003_0.jpg");
    EXPECT_EQ(import_faces(aligned_, folder_ / "out", {.overwrite = true}).faces, 2);
    EXPECT_EQ(load_faceset(folder_ / "out").faces.size(), 2u);
}

TEST_F(Import, input_and_output_lie_apart)
{
    import_faces(aligned_, folder_ / "out", {});
    BIFRONS_EXPECT_ERROR(import_faces(folder_ / "out/images", folder_ / "out", {.overwrite = true}), usage,
                         "lies in the output folder");
    BIFRONS_EXPECT_ERROR(import_faces(folder_ / "out/images", folder_ / "out/", {.overwrite = true}), usage,
                         "lies in the output folder");
    BIFRONS_EXPECT_ERROR(import_faces(aligned_, aligned_ / "faces", {}), usage, "the output folder lies in the input");
    BIFRONS_EXPECT_ERROR(import_faces(aligned_, folder_ / "out", {.overwrite = true, .masks = folder_ / "out/masks"}),
                         usage, "lies in the output folder");
    EXPECT_FALSE(fs::exists(aligned_ / "faces"));
    EXPECT_EQ(load_faceset(folder_ / "out").faces.size(), 3u);
}

/// Grey, with a white left part.
Image left_part(std::int64_t side, std::int64_t width)
{
    Image mask(side, side, 1);
    for (std::int64_t y = 0; y < side; ++y) std::fill_n(mask.at(y, 0), width, std::uint8_t(255));
    return mask;
}

TEST_F(Import, masks_of_a_folder_come_before_those_of_the_faces)
{
    const fs::path masks = folder_ / "masks";
    fs::create_directory(masks);
    save_image(masks / "00001_0.png", left_part(64, 20));
    save_image(masks / "00002_0_mask.png", left_part(128, 40));
    save_image(masks / "unknown.png", left_part(64, 20));
    const ImportReport report = import_faces(aligned_, folder_ / "out", {.masks = masks});
    EXPECT_EQ(report.faces, 3);
    EXPECT_EQ(report.masks, 3) << "two of the folder, and the third face's own";
    EXPECT_EQ(report.from_folder.taken, 2);
    EXPECT_EQ(report.from_folder.resized, 1);
    EXPECT_EQ(report.from_folder.missing, std::vector<std::string>{"00003_0.jpg"});
    const Faceset set = load_faceset(folder_ / "out");
    EXPECT_EQ(load_mask(set, 0).pixels, left_part(64, 20).pixels);
    const Image second = load_mask(set, 1);
    EXPECT_EQ(*second.at(32, 16), 255);
    EXPECT_EQ(*second.at(32, 24), 0) << "white in XSeg's mask";
    EXPECT_EQ(*load_mask(set, 2).at(24, 20), 255);

    // Where DeepFaceLab exports them: beside the faces, which are no masks, and not taken for faces either.
    fs::copy(masks / "00002_0_mask.png", aligned_);
    save_image(aligned_ / "00003_0_mask.jpg", left_part(64, 20));
    const ImportReport beside = import_faces(aligned_, folder_ / "beside", {.masks = aligned_});
    EXPECT_EQ(beside.faces, 3);
    EXPECT_EQ(beside.left_out.size(), 0u);
    EXPECT_EQ(beside.from_folder.taken, 2);
    EXPECT_EQ(beside.from_folder.missing, std::vector<std::string>{"00001_0.jpg"});
}

TEST_F(Import, a_mask_that_cannot_be_used_costs_itself_alone)
{
    const fs::path masks = folder_ / "masks";
    fs::create_directory(masks);
    write_text(masks / "00001_0.png", "no picture");
    save_image(masks / "00002_0.png", Image(36, 64, 1));
    BIFRONS_EXPECT_ERROR(import_faces(aligned_, folder_ / "out", {.masks = folder_ / "absent"}), data, "absent");
    const ImportReport report = import_faces(aligned_, folder_ / "out", {.masks = masks});
    EXPECT_EQ(report.faces, 3);
    EXPECT_EQ(report.masks, 2) << "the faces' own";
    ASSERT_EQ(report.from_folder.damaged.size(), 2u);
    EXPECT_NE(report.from_folder.damaged[0].find("00001_0.png: "), std::string::npos);
    EXPECT_NE(report.from_folder.damaged[1].find("00002_0.png: is 64x36; expected a square"), std::string::npos)
        << report.from_folder.damaged[1];
    fs::remove(masks / "00001_0.png");
    fs::remove(masks / "00002_0.png");
    save_image(masks / "other.png", left_part(64, 20));
    BIFRONS_EXPECT_ERROR(import_faces(aligned_, folder_ / "new", {.masks = masks}), usage,
                         "has no picture that is named like a face; expected names like 00001_0.png");
    EXPECT_FALSE(fs::exists(folder_ / "new"));
}

TEST_F(Import, a_faceset_without_faces_replaces_nothing)
{
    import_faces(aligned_, folder_ / "faces", {});
    import_faces(aligned_, folder_ / "out", {});
    Faceset set = load_faceset(folder_ / "faces");
    set.faces.clear();
    save_faceset(set);
    const fs::path masks = folder_ / "masks";
    fs::create_directory(masks);
    save_image(masks / "00001_0.png", left_part(64, 20));
    BIFRONS_EXPECT_ERROR(import_faces(folder_ / "faces", folder_ / "out", {.overwrite = true, .masks = masks}), data,
                         "holds no faces");
    EXPECT_EQ(load_faceset(folder_ / "out").faces.size(), 3u);
}

TEST_F(Import, a_faceset_is_copied_with_masks)
{
    import_faces(aligned_, folder_ / "faces", {});
    Faceset set = load_faceset(folder_ / "faces");
    set.detector = "hog";
    set.sources.push_back({.name = "more", .path = "more.mp4", .frames = 9, .done = 4});
    save_faceset(set);
    const fs::path masks = folder_ / "masks";
    fs::create_directory(masks);
    save_image(masks / "00001_0.png", left_part(64, 20));
    BIFRONS_EXPECT_ERROR(import_faces(folder_ / "faces", folder_ / "out", {}), usage, "is a faceset already");
    const ImportReport report = import_faces(folder_ / "faces", folder_ / "out", {.masks = masks});
    EXPECT_TRUE(report.complete);
    EXPECT_EQ(report.faces, 3);
    EXPECT_EQ(report.masks, 3);
    EXPECT_EQ(report.from_folder.missing, (std::vector<std::string>{"00002_0.jpg", "00003_0.jpg"}));
    const Faceset copy = load_faceset(folder_ / "out");
    EXPECT_EQ(copy.detector, "hog");
    EXPECT_EQ(copy.sources.at(1).done, 4);
    ASSERT_EQ(copy.faces.size(), 3u);
    EXPECT_EQ(copy.faces[2].in_frame[40].x, set.faces[2].in_frame[40].x);
    EXPECT_EQ(bytes(copy.folder / copy.faces[2].file), bytes(example("00003_0.jpg")));
    EXPECT_EQ(load_mask(copy, 0).pixels, left_part(64, 20).pixels);
    EXPECT_EQ(load_mask(copy, 2).pixels, load_mask(set, 2).pixels);
    EXPECT_EQ(load_faceset(folder_ / "faces").faces[0].mask, "") << "the original has changed";

    fs::remove(folder_ / "faces/images/00002_0.jpg");
    const ImportReport less = import_faces(folder_ / "faces", folder_ / "out", {.overwrite = true, .masks = masks});
    EXPECT_EQ(less.faces, 2);
    ASSERT_EQ(less.left_out.size(), 1u);
    EXPECT_NE(less.left_out[0].find("00002_0.jpg: is gone"), std::string::npos) << less.left_out[0];
}

TEST_F(Import, an_interrupted_one_starts_again)
{
    std::atomic<bool> cancel = false;
    const ImportReport report = import_faces(
        aligned_, folder_ / "out",
        {.work = {.progress = [&](std::int64_t done, std::int64_t) { cancel = done >= 4; }, .cancel = &cancel}});
    EXPECT_FALSE(report.complete);
    EXPECT_EQ(import_faces(aligned_, folder_ / "out", {}).faces, 3);
}

TEST_F(Import, what_is_no_faceset_is_refused)
{
    EXPECT_NE(fault(folder_ / "absent").find("does not exist"), std::string::npos);
    fs::create_directory(folder_ / "empty");
    EXPECT_NE(fault(folder_ / "empty").find("holds no JPEG"), std::string::npos);
    const std::string pack = bytes(example("faceset.pak"));
    write_text(folder_ / "a.pak", pack.substr(0, 100));
    EXPECT_NE(fault(folder_ / "a.pak").find("ends too early"), std::string::npos);
    write_text(folder_ / "b.pak", "text that is no pack");
    EXPECT_NE(fault(folder_ / "b.pak").find("is not a faceset.pak"), std::string::npos);
    EXPECT_FALSE(fs::exists(folder_ / "out"));
    // Without its last face.
    write_text(folder_ / "c.pak", pack.substr(0, pack.size() - 5000));
    const ImportReport report = import_faces(folder_ / "c.pak", folder_ / "out", {});
    EXPECT_EQ(report.faces, 1);
    ASSERT_EQ(report.left_out.size(), 1u);
    EXPECT_NE(report.left_out[0].find("00002_0.jpg"), std::string::npos);
}

} // namespace
} // namespace bifrons::data
