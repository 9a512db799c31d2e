// tests/data/pack_test.cpp - a faceset becomes one file and comes out the same; hostile packs leave nothing.
#include "data/pack.h"

#include "data/faceset_json.h"
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

std::string text_of(const fs::path& file)
{
    const std::vector<std::uint8_t> bytes = read_file(file);
    return {bytes.begin(), bytes.end()};
}

/// A header of tar and the bytes behind it, filled up.
std::string member(const std::string& name, const std::string& bytes, char kind = '0', std::size_t says = 0)
{
    std::string header(512, '\0');
    const auto put = [&](std::size_t at, const std::string& text) { header.replace(at, text.size(), text); };
    char octal[13];
    std::snprintf(octal, sizeof octal, "%011zo", says > 0 ? says : bytes.size());
    put(0, name);
    put(100, "0000644");
    put(108, "0000000");
    put(116, "0000000");
    put(124, octal);
    put(136, "00000000000");
    put(148, "        ");
    header[156] = kind;
    if (kind == '2') put(157, "/etc/passwd");
    put(257, std::string("ustar\00000", 8));
    unsigned sum = 0;
    for (const char c : header) sum += std::uint8_t(c);
    std::snprintf(octal, sizeof octal, "%06o", sum);
    put(148, octal);
    header[154] = '\0';
    return header + bytes + std::string((512 - bytes.size() % 512) % 512, '\0');
}

/// Two faces, one with a mask and with a long name that is no UTF-8, and one in the trash.
class Pack : public ::testing::Test {
  protected:
    Pack()
    {
        Faceset set{.folder = folder_ / "faces", .side = 64, .detector = "hog"};
        fs::create_directories(set.folder / "images");
        fs::create_directories(set.folder / "masks");
        set.sources.push_back({.name = "a", .path = "a.mp4", .frames = 3, .done = 3, .complete = true});
        const std::string names[] = {"a", std::string(150, 'b') + "\xff", "c"};
        for (int i = 0; i < 3; ++i) {
            FaceRecord face{.file = str("images/", names[i], ".png"), .frame = i};
            face.in_frame = test::mean_landmarks(20, 24, 24);
            face.matrix = face_from_frame(face.in_frame, set.type, set.side);
            face.in_face = face.matrix(face.in_frame);
            write_text(set.folder / face.file, std::string(std::size_t(1000 * i + 1), char('a' + i)));
            if (i == 1) write_text(set.folder / (face.mask = "masks/m.png"), "mask");
            set.faces.push_back(face);
        }
        save_faceset(set);
        drop_faces(set, {2});
        manifest_ = text_of(set.folder / "faceset.json");
    }
    PackReport pack()
    {
        return pack_faceset(load_faceset(folder_ / "faces"), folder_ / "faces.pack", Existing::keep, {});
    }
    PackReport unpack(const WorkOptions& options = {})
    {
        return unpack_faceset(folder_ / "faces.pack", folder_ / "new" / "copy", options);
    }
    /// Unpacks these bytes: what is thrown, after which there is nothing.
    std::string fault(const std::string& bytes)
    {
        write_text(folder_ / "faces.pack", bytes);
        std::string what = "none";
        try {
            unpack();
        } catch (const Error& error) {
            EXPECT_EQ(error.kind(), ErrorKind::data) << error.what();
            what = error.what();
        }
        EXPECT_TRUE(!fs::exists(folder_ / "new") || test::entries(folder_ / "new") == 0) << what;
        return what;
    }

    Folder folder_;
    std::string manifest_;
};

TEST_F(Pack, comes_out_as_it_went_in)
{
    const PackReport report = pack();
    EXPECT_EQ(report.faces, 2);
    EXPECT_EQ(report.bytes, std::int64_t(fs::file_size(folder_ / "faces.pack")));
    const std::string bytes = text_of(folder_ / "faces.pack");
    EXPECT_EQ(bytes.substr(0, 18), "faces/faceset.json");
    EXPECT_EQ(bytes.substr(257, 5), "ustar");
    std::int64_t done = 0;
    EXPECT_EQ(unpack({.progress =
                          [&](std::int64_t d, std::int64_t of) {
                              EXPECT_EQ(of, 3);
                              done = d;
                          }})
                  .faces,
              2);
    EXPECT_EQ(done, 3);
    const fs::path copy = folder_ / "new/copy";
    EXPECT_EQ(text_of(copy / "faceset.json"), manifest_);
    const Faceset set = load_faceset(copy);
    ASSERT_EQ(set.faces.size(), 2u);
    for (const FaceRecord& face : set.faces)
        EXPECT_EQ(text_of(copy / face.file), text_of(folder_ / "faces" / face.file));
    EXPECT_EQ(text_of(copy / "masks/m.png"), "mask");
    EXPECT_EQ(test::entries(copy), 3) << "images, masks and the manifest";
    EXPECT_EQ(test::entries(folder_ / "new"), 1);
    EXPECT_EQ(fs::status(copy).permissions(), fs::status(folder_ / "new").permissions());
}

TEST_F(Pack, is_read_where_it_lies)
{
    EXPECT_FALSE(is_pack(folder_ / "faces.pack"));
    pack();
    EXPECT_TRUE(is_pack(folder_ / "faces.pack"));
    EXPECT_FALSE(is_pack(folder_ / "faces"));
    EXPECT_FALSE(is_pack(folder_ / "faces/images/a.png"));
    const Faceset folder = load_faceset(folder_ / "faces");
    fs::remove_all(folder_ / "faces");
    std::int64_t read = 0;
    const Faceset set = load_pack(folder_ / "faces.pack", [&](std::int64_t now, std::int64_t) { read = now; });
    EXPECT_GT(read, std::int64_t(manifest_.size() / 2));
    EXPECT_EQ(manifest_of(set), manifest_);
    ASSERT_EQ(set.faces.size(), 2u);
    EXPECT_EQ(stored_file(set, set.faces[0].file), std::vector<std::uint8_t>(1, 'a'));
    EXPECT_EQ(stored_file(set, set.faces[1].file), std::vector<std::uint8_t>(1001, 'b'));
    EXPECT_EQ(stored_file(set, "masks/m.png").size(), 4u);
    BIFRONS_EXPECT_ERROR(load_face(set, 0), data, "faces.pack/images/a.png: cannot be read as a picture");
    EXPECT_EQ(test::entries(folder_.path()), 1) << "nothing was unpacked";
}

TEST_F(Pack, keeps_what_exists)
{
    pack();
    BIFRONS_EXPECT_ERROR(pack(), usage, "faces.pack: already exists");
    fs::create_directories(folder_ / "new/copy");
    write_text(folder_ / "new/copy/file", "x");
    BIFRONS_EXPECT_ERROR(unpack(), usage, "expected a new or an empty folder");
    fs::remove(folder_ / "new/copy/file");
    fs::create_directory_symlink(folder_ / "new/copy", folder_ / "link");
    fs::create_directory_symlink(folder_ / "none", folder_ / "to-nothing");
    for (const char* link : {"link", "link/", "to-nothing"})
        BIFRONS_EXPECT_ERROR(unpack_faceset(folder_ / "faces.pack", folder_ / link, {}), usage, "and no link");
    EXPECT_EQ(unpack().faces, 2);
    fs::remove(folder_ / "faces/masks/m.png");
    fs::remove(folder_ / "faces.pack");
    BIFRONS_EXPECT_ERROR(pack(), data, "m.png: does not exist");
    EXPECT_FALSE(fs::exists(folder_ / "faces.pack"));
}

TEST_F(Pack, a_cancel_leaves_nothing)
{
    std::atomic<bool> cancel = true;
    EXPECT_THROW(
        pack_faceset(load_faceset(folder_ / "faces"), folder_ / "faces.pack", Existing::keep, {.cancel = &cancel}),
        Cancelled);
    EXPECT_EQ(test::entries(folder_.path()), 1);
    pack();
    EXPECT_THROW(unpack({.cancel = &cancel}), Cancelled);
    EXPECT_FALSE(std::filesystem::exists(folder_ / "new"));
}

TEST_F(Pack, hostile_and_damaged_ones_are_refused_in_a_sentence_and_leave_nothing)
{
    const std::string end(1024, '\0'), begin = member("x/faceset.json", manifest_), one = member("x/images/a.png", "a");
    pack();
    const std::string whole = text_of(folder_ / "faces.pack");
    EXPECT_NE(fault(whole.substr(0, 700)).find("cut off"), std::string::npos) << "in the manifest";
    EXPECT_NE(fault(begin + one + end).find("lacks 2 files, the first images/bbb"), std::string::npos);
    const std::size_t last = whole.find_last_not_of('\0'); // behind it there is nothing but the tar's end
    for (std::size_t cut = begin.size(); cut <= last; cut += 512) EXPECT_NE(fault(whole.substr(0, cut)), "none") << cut;
    EXPECT_NE(fault("text").find("faces.pack: is not a pack"), std::string::npos);
    EXPECT_NE(fault("").find("faces.pack: "), std::string::npos);
    EXPECT_NE(fault(one + end).find("does not begin with faceset.json"), std::string::npos);
    EXPECT_NE(fault(begin + member("x/../../escaped", "a") + end).find("holds ../../escaped, which"),
              std::string::npos);
    EXPECT_NE(fault(begin + member("/escaped", "a") + end).find("holds escaped, which"), std::string::npos);
    EXPECT_NE(fault(begin + one + one + end).find("holds images/a.png twice"), std::string::npos);
    EXPECT_NE(fault(begin + member("x/images/a.png", "", '2') + end).find("x/images/a.png is a link"),
              std::string::npos);
    EXPECT_NE(fault(begin + member("x/images/a.png", "a", '0', 077777777777) + end).find("8589934591 bytes, which"),
              std::string::npos);
    std::string bad = manifest_;
    bad.replace(bad.find("images/a.png"), 12, "../a/../aaaa");
    EXPECT_NE(fault(member("x/faceset.json", bad) + one + end)
                  .find("face 0: 'file' is \"../a/../aaaa\"; expected a name inside the faceset"),
              std::string::npos);
    EXPECT_FALSE(fs::exists(folder_ / "escaped"));
}

} // namespace
} // namespace bifrons::data
