// tests/data/faceset_trash_test.cpp - faces leave a faceset and come back; and what a process leaves that was killed.
#include "data/faceset_trash.h"

#include "kernels/base/error.h"
#include "tests/data/faces.h"
#include "tests/data/folder.h"

#include <gtest/gtest.h>

namespace bifrons::data {
namespace {

using test::Folder;
using test::write_text;
namespace fs = std::filesystem;

/// Six faces, of which those with an odd number have masks. Their pictures hold their number.
class Trash : public ::testing::Test {
  protected:
    Trash()
    {
        fs::create_directories(folder_ / "faces/images");
        fs::create_directories(folder_ / "faces/masks");
        Faceset set{.folder = folder_ / "faces", .side = 64, .detector = "hog"};
        set.sources.push_back({.name = "a", .path = "a.mp4", .frames = 6, .done = 6, .complete = true});
        for (int i = 0; i < 6; ++i) {
            FaceRecord face{.file = str("images/a_", i, "_0.png"), .frame = i};
            face.in_frame = test::mean_landmarks(20, 24, 24);
            face.matrix = face_from_frame(face.in_frame, set.type, set.side);
            face.in_face = face.matrix(face.in_frame);
            write_text(set.folder / face.file, std::to_string(i));
            if (i % 2 == 1) write_text(set.folder / (face.mask = str("masks/a_", i, "_0.png")), std::to_string(i));
            set.faces.push_back(face);
        }
        save_faceset(set);
    }
    Faceset set() const { return load_faceset(folder_ / "faces"); }
    Faceset trash() const { return load_trash(set()); }
    static std::string text(const fs::path& file)
    {
        const std::vector<std::uint8_t> bytes = read_file(file);
        return {bytes.begin(), bytes.end()};
    }
    /// "0 2": the faces' frames. Each has its own picture, and its own mask.
    static std::string frames(const Faceset& set)
    {
        std::string list;
        for (const FaceRecord& face : set.faces) {
            list += (list.empty() ? "" : " ") + std::to_string(face.frame);
            EXPECT_EQ(text(set.folder / face.file), std::to_string(face.frame));
            EXPECT_EQ(!face.mask.empty(), face.frame % 2 == 1);
            if (face.mask.empty()) continue;
            EXPECT_EQ(text(set.folder / face.mask), std::to_string(face.frame));
        }
        EXPECT_EQ(set.missing, std::vector<std::string>{});
        return list;
    }
    void drop(const std::vector<std::size_t>& faces)
    {
        Faceset all = set();
        drop_faces(all, faces);
    }
    void restore(const std::vector<std::size_t>& faces)
    {
        Faceset all = set(), dropped = load_trash(all);
        restore_faces(all, dropped, faces);
    }
    void move(const std::string& from, const std::string& to) const
    {
        fs::create_directories((folder_ / to).parent_path());
        fs::rename(folder_ / from, folder_ / to);
    }

    Folder folder_;
};

TEST_F(Trash, faces_go_with_records_and_masks_and_come_back_to_the_same_file)
{
    const std::string before = text(folder_ / "faces/faceset.json");
    drop({4, 1});
    EXPECT_EQ(frames(set()), "0 2 3 5");
    EXPECT_EQ(frames(trash()), "1 4");
    EXPECT_FALSE(fs::exists(folder_ / "faces/masks/a_1_0.png"));
    drop({0});
    EXPECT_EQ(frames(trash()), "0 1 4");
    restore({1, 2});
    EXPECT_EQ(frames(set()), "1 2 3 4 5");
    EXPECT_EQ(frames(trash()), "0");
    restore({0});
    EXPECT_EQ(text(folder_ / "faces/faceset.json"), before);
    EXPECT_EQ(frames(set()), "0 1 2 3 4 5");
    EXPECT_EQ(frames(trash()), "");
}

TEST_F(Trash, killed_at_any_moment_each_face_is_in_one_of_both)
{
    const std::string all = text(folder_ / "faces/faceset.json");
    drop({1, 2});
    const std::string left = text(folder_ / "faces/faceset.json"),
                      in_trash = text(folder_ / "faces/trash/faceset.json");
    restore({0, 1});

    // A drop, before it moved a picture, after it moved one, before it moved its mask, and before it saved.
    write_text(folder_ / "faces/trash/faceset.json", in_trash);
    EXPECT_EQ(frames(set()), "0 1 2 3 4 5");
    EXPECT_EQ(frames(trash()), "");
    move("faces/images/a_1_0.png", "faces/trash/images/a_1_0.png");
    EXPECT_EQ(frames(set()), "0 2 3 4 5");
    EXPECT_EQ(trash().faces.size(), 1u);
    restore({0}); // its mask never left
    EXPECT_EQ(frames(set()), "0 1 2 3 4 5");
    EXPECT_EQ(frames(trash()), "");
    write_text(folder_ / "faces/trash/faceset.json", in_trash);
    for (const char* file : {"images/a_1_0.png", "masks/a_1_0.png", "images/a_2_0.png"})
        move(str("faces/", file), str("faces/trash/", file));
    EXPECT_EQ(frames(set()), "0 3 4 5");
    EXPECT_EQ(frames(trash()), "1 2");

    // A restore, likewise: both files list both faces, and the first one's mask is back.
    write_text(folder_ / "faces/faceset.json", left);
    EXPECT_EQ(frames(set()), "0 3 4 5");
    write_text(folder_ / "faces/faceset.json", all);
    EXPECT_EQ(frames(set()), "0 3 4 5");
    EXPECT_EQ(frames(trash()), "1 2");
    move("faces/trash/masks/a_1_0.png", "faces/masks/a_1_0.png");
    EXPECT_EQ(frames(set()), "0 3 4 5");
    move("faces/trash/images/a_1_0.png", "faces/images/a_1_0.png");
    EXPECT_EQ(frames(set()), "0 1 3 4 5");
    EXPECT_EQ(frames(trash()), "2");
    restore({0});
    EXPECT_EQ(frames(set()), "0 1 2 3 4 5");
    EXPECT_EQ(frames(trash()), "");
}

TEST_F(Trash, nothing_is_replaced)
{
    drop({1});
    write_text(folder_ / "faces/images/a_1_0.png", "somebody's");
    restore({0});
    EXPECT_EQ(text(folder_ / "faces/images/a_1_0.png"), "somebody's");
    EXPECT_EQ(set().faces.at(1).file, "images/a_1_0-2.png");
    EXPECT_EQ(frames(set()), "0 1 2 3 4 5");
    write_text(folder_ / "faces/trash/images/a_2_0.png", "somebody's");
    drop({2});
    EXPECT_EQ(text(folder_ / "faces/trash/images/a_2_0.png"), "somebody's");
    EXPECT_EQ(frames(trash()), "2");
}

TEST_F(Trash, links_and_the_trash_of_others_are_refused)
{
    fs::create_directory(folder_ / "elsewhere");
    fs::create_directory_symlink(folder_ / "elsewhere", folder_ / "faces/trash");
    BIFRONS_EXPECT_ERROR(drop({1}), data, "trash: is a link");
    EXPECT_EQ(test::entries(folder_ / "elsewhere"), 0);
    EXPECT_EQ(frames(set()), "0 1 2 3 4 5");
    fs::remove(folder_ / "faces/trash");
    drop({1});
    Faceset others = trash();
    others.sources[0].name = "b";
    save_faceset(others);
    BIFRONS_EXPECT_ERROR(trash(), data, "trash: holds faces of another faceset");
    others.sources[0].name = "a";
    others.side = 32;
    for (FaceRecord& face : others.faces) { // as large as the side says
        face.matrix = face_from_frame(face.in_frame, others.type, others.side);
        face.in_face = face.matrix(face.in_frame);
    }
    save_faceset(others);
    BIFRONS_EXPECT_ERROR(trash(), data, "trash: holds faces of another faceset");
}

TEST_F(Trash, is_known_as_one)
{
    drop({1});
    EXPECT_TRUE(is_trash(folder_ / "faces/trash"));
    EXPECT_TRUE(is_trash(folder_ / "faces/trash/"));
    EXPECT_FALSE(is_trash(folder_ / "faces"));
}

} // namespace
} // namespace bifrons::data
