// tests/data/export_test.cpp - a faceset's way to DeepFaceLab and back.
#include "data/export/export.h"

#include "data/export/pickle_writer.h"
#include "data/import/import.h"
#include "data/import/pickle.h"
#include "data/media/process.h"
#include "data/picture/picture_reader.h"
#include "engine/folder_lock.h"
#include "kernels/base/error.h"
#include "tests/data/faces.h"
#include "tests/data/folder.h"

#include <nlohmann/json.hpp>

#include <random>

namespace bifrons::data {
namespace {

using test::Folder;
using test::write_text;
namespace fs = std::filesystem;

constexpr std::int64_t kSide = 64;

/// A faceset of a video and of pictures: a PNG with a mask, a JPEG, a PNG of a picture.
class Export : public ::testing::Test {
  protected:
    Export()
    {
        fs::create_directories(set_.folder / "images");
        set_.sources = {{.name = "bob", .path = "bob.mp4", .frames = 30, .done = 30, .complete = true},
                        {.name = "stills",
                         .path = "stills",
                         .frames = 2,
                         .done = 2,
                         .complete = true,
                         .pictures = {"first.png", "second.jpeg"}}};
        add("images/bob_000012_0.png", 0, 12);
        add("images/bob_000013_0.jpg", 0, 13);
        add("images/stills_000001_0.png", 1, 1);
        set_.faces[0].mask = "mask.png";
        save_image(set_.folder / "mask.png", mask_);
        save_faceset(set_);
    }
    void add(const std::string& file, std::int64_t source, std::int64_t frame)
    {
        FaceRecord face{.file = file, .source = source, .frame = frame, .rect = {10.25, 20, 110, 130.5}, .score = 0.7};
        face.in_frame = test::turned(0.1, 1, 3.7, 9.3 + double(frame))(test::mean_landmarks(50.3, 24, 24));
        face.matrix = face_from_frame(face.in_frame, set_.type, set_.side);
        face.in_face = face.matrix(face.in_frame);
        face.size = double(set_.side) / face.matrix.scale();
        face.pose = pose_of(face.in_frame);
        Image picture(kSide, kSide, 3);
        for (std::size_t i = 0; i < picture.pixels.size(); ++i)
            picture.pixels[i] = std::uint8_t(120 + 90 * std::sin(0.002 * double(i) + double(frame)));
        save_image(set_.folder / file, picture);
        face.checksum = checksum_of(read_file(set_.folder / file));
        set_.faces.push_back(face);
    }
    static Image checkered()
    {
        Image mask(kSide, kSide, 1);
        for (std::int64_t y = 0; y < kSide; ++y)
            for (std::int64_t x = 0; x < kSide; ++x) *mask.at(y, x) = std::uint8_t(x < 40 ? 255 - y : y);
        return mask;
    }
    ExportReport run(const ExportOptions& options = {}) { return export_to_deepfacelab(set_, out_, options); }

    Folder folder_;
    const fs::path out_ = folder_ / "aligned";
    const Image mask_ = checkered();
    Faceset set_{.folder = folder_ / "faces", .side = kSide, .detector = "hog"};
};

std::string text_of(const fs::path& file)
{
    const std::vector<std::uint8_t> bytes = read_file(file);
    return {bytes.begin(), bytes.end()};
}

/// A JPEG's bytes without the segment APP15.
std::string without_app15(std::string jpeg)
{
    const std::size_t at = jpeg.find("\xFF\xEF");
    const std::size_t length = std::size_t(std::uint8_t(jpeg[at + 2]) << 8 | std::uint8_t(jpeg[at + 3]));
    return jpeg.erase(at, 2 + length);
}

TEST_F(Export, comes_back_as_it_was)
{
    const ExportReport report = run();
    EXPECT_TRUE(report.complete);
    EXPECT_EQ(report.faces, 3);
    EXPECT_EQ(report.masks, 1);
    EXPECT_EQ(report.encoded, 2);
    EXPECT_EQ(report.shrunk_masks, 0);
    EXPECT_EQ(test::entries(out_), 3);
    EXPECT_EQ(without_app15(text_of(out_ / "bob_000013_0.jpg")), text_of(set_.folder / "images/bob_000013_0.jpg"));

    const ImportReport back = import_faces(out_, folder_ / "back", {});
    EXPECT_EQ(back.faces, 3);
    EXPECT_EQ(back.left_out.size(), 0u);
    const Faceset set = load_faceset(folder_ / "back");
    EXPECT_EQ(set.type, set_.type);
    EXPECT_EQ(set.side, kSide);
    EXPECT_EQ(set.sources.at(0).pictures,
              (std::vector<std::string>{"bob_000012.png", "bob_000013.png", "second.jpeg"}));
    ASSERT_EQ(set.faces.size(), 3u);
    for (std::size_t n = 0; n < 3; ++n) {
        const FaceRecord &was = set_.faces[n], &is = set.faces[n];
        EXPECT_EQ(fs::path(is.file).stem(), fs::path(was.file).stem());
        EXPECT_EQ(is.frame, std::int64_t(n));
        EXPECT_EQ(is.rect, was.rect);
        for (std::size_t i = 0; i < 68; ++i) {
            EXPECT_NEAR(is.in_frame[i].x, was.in_frame[i].x, 1e-9);
            EXPECT_NEAR(is.in_frame[i].y, was.in_frame[i].y, 1e-9);
            EXPECT_NEAR(is.in_face[i].x, was.in_face[i].x, 1e-12);
        }
        for (std::size_t i = 0; i < 6; ++i) EXPECT_NEAR(is.matrix.m[i], was.matrix.m[i], 1e-9) << i;
        const Image before = load_face(set_, n), after = load_face(set, n);
        int largest = 0;
        for (std::size_t i = 0; i < before.pixels.size(); ++i)
            largest = std::max(largest, std::abs(int(before.pixels[i]) - int(after.pixels[i])));
        EXPECT_LE(largest, n == 1 ? 0 : 6) << "pictures that are no JPEG are coded with loss";
    }
    EXPECT_EQ(load_mask(set, 0).pixels, mask_.pixels);
    EXPECT_EQ(set.faces[1].mask, "");
}

TEST_F(Export, polygons_that_a_person_drew_stay)
{
    const fs::path aligned = folder_ / "from", faces = folder_ / "imported", again = folder_ / "again";
    fs::create_directory(aligned);
    fs::copy(fs::path(BIFRONS_DFL) / "00003_0.jpg", aligned);
    import_faces(aligned, faces, {});
    const ExportReport report = export_to_deepfacelab(load_faceset(faces), again, {});
    EXPECT_EQ(report.encoded, 0);
    EXPECT_EQ(report.masks, 1);
    EXPECT_EQ(without_app15(text_of(again / "00003_0.jpg")), without_app15(text_of(aligned / "00003_0.jpg")));
    const auto corners = [](const fs::path& file) {
        const std::vector<std::uint8_t> bytes = read_file(file);
        const std::unique_ptr<PictureReader> picture = open_picture(bytes, file.string()); // whose bytes the values are
        const Pickle pickle(picture->app15, file.string());
        const PickledValue* const drawn = pickle.value().find("seg_ie_polys");
        std::vector<double> all;
        if (!drawn) return all;
        for (const PickledValue* polygon : drawn->find("polys")->members) {
            all.push_back(polygon->find("type")->number);
            for (const double number : polygon->find("pts")->numbers("")) all.push_back(number);
        }
        return all;
    };
    EXPECT_EQ(corners(again / "00003_0.jpg").size(), 18u);
    EXPECT_EQ(corners(again / "00003_0.jpg"), corners(aligned / "00003_0.jpg"));
}

TEST_F(Export, a_mask_that_is_too_long_is_stored_smaller)
{
    set_.side = 512;
    std::mt19937 random(1);
    Image noise(512, 512, 1);
    for (std::uint8_t& pixel : noise.pixels) pixel = std::uint8_t(random());
    save_image(set_.folder / "mask.png", noise, {.existing = Existing::replace});
    save_image(set_.folder / set_.faces[0].file, Image(512, 512, 3), {.existing = Existing::replace});
    set_.faces.resize(1);
    EXPECT_EQ(run().shrunk_masks, 1);
    const std::vector<std::uint8_t> jpeg = read_file(out_ / "bob_000012_0.jpg");
    const std::unique_ptr<PictureReader> picture = open_picture(jpeg, ""); // whose bytes the values are
    const Pickle pickle(picture->app15, "");
    const std::string_view stored = pickle.value().find("xseg_mask")->array.data;
    EXPECT_LE(stored.size(), 50000u);
    EXPECT_EQ(decode_image({stored.begin(), stored.end()}, "mask").W, 128);
}

TEST_F(Export, a_damaged_face_costs_itself_alone)
{
    write_text(set_.folder / set_.faces[1].file, "no picture");
    fs::remove(set_.folder / "mask.png");
    const ExportReport report = run();
    EXPECT_TRUE(report.complete);
    EXPECT_EQ(report.faces, 1);
    ASSERT_EQ(report.left_out.size(), 2u);
    EXPECT_NE(report.left_out[0].find("mask.png"), std::string::npos) << report.left_out[0];
    EXPECT_NE(report.left_out[1].find("bob_000013_0.jpg"), std::string::npos) << report.left_out[1];
    write_text(set_.folder / set_.faces[2].file, "no picture");
    BIFRONS_EXPECT_ERROR(run({.overwrite = true}), data, "holds no usable face; ");
}

TEST_F(Export, places_and_what_exists_are_respected)
{
    BIFRONS_EXPECT_ERROR(export_to_deepfacelab(set_, set_.folder / "dfl", {}), usage, "lies in the input");
    BIFRONS_EXPECT_ERROR(export_to_deepfacelab(set_, folder_.path(), {.overwrite = true}), usage,
                         "lies in the output folder");
    Faceset empty = set_;
    empty.faces.clear();
    BIFRONS_EXPECT_ERROR(export_to_deepfacelab(empty, out_, {}), data, "holds no face");
    EXPECT_FALSE(fs::exists(out_));

    fs::create_directory(out_);
    write_text(out_ / "mine.txt", "mine");
    write_text(out_ / "bob_000012_0.jpg", "an earlier one");
    BIFRONS_EXPECT_ERROR(run(), usage, "is not empty");
    EXPECT_EQ(text_of(out_ / "bob_000012_0.jpg"), "an earlier one");
    EXPECT_EQ(run({.overwrite = true}).faces, 3);
    EXPECT_EQ(text_of(out_ / "mine.txt"), "mine");
    EXPECT_EQ(text_of(out_ / "bob_000012_0.jpg").substr(0, 2), "\xFF\xD8");
    {
        const FolderLock lock(out_.string());
        BIFRONS_EXPECT_ERROR(run({.overwrite = true}), failed, "is writing there");
    }
    {
        const FolderLock lock(set_.folder.string());
        BIFRONS_EXPECT_ERROR(run({.overwrite = true}), failed, "is writing there");
    }
    fs::copy(set_.folder, folder_ / "other", fs::copy_options::recursive);
    BIFRONS_EXPECT_ERROR(export_to_deepfacelab(set_, folder_ / "other", {.overwrite = true}), usage, "holds a faceset");
}

TEST_F(Export, stops_when_it_is_told_to)
{
    std::atomic<bool> cancel = true;
    const ExportReport report = run({.work = {.cancel = &cancel}});
    EXPECT_FALSE(report.complete);
    EXPECT_FALSE(fs::exists(out_));
}

/// What Python makes of a pickle, as JSON: numpy's arrays as type, shape and numbers.
constexpr const char* kRead = R"(
import json, pickle, sys, numpy
def plain(v):
    if isinstance(v, numpy.ndarray): return [str(v.dtype), list(v.shape), v.ravel().tolist()]
    if isinstance(v, dict): return {k: plain(x) for k, x in v.items()}
    return [plain(x) for x in v] if isinstance(v, list) else v
data = open(sys.argv[1], 'rb').read()
print(json.dumps(plain(pickle.loads(data))))
)";

TEST(PickleWriter, python_and_our_reader_read_what_it_writes)
{
    const std::vector<double> doubles = {0.1, -2.5, 3, 4, 5, 1e300};
    const std::vector<float> floats = {0.5f, -1};
    const std::vector<std::uint8_t> bytes = {0, 10, 255};
    const std::string text = pickle_of(
        pickled_dict({{"text", pickled(std::string_view("\u00e9\n'"))},
                      {"numbers", pickled_list({pickled(0.1), pickled(-1e-300), pickled(std::int32_t(-70000))})},
                      {"empty", pickled_list({})},
                      {"double", pickled_array(doubles, {2, 3})},
                      {"float", pickled_array(floats, {1, 2})},
                      {"bytes", pickled_array(bytes, {3})}}));

    const Pickle ours({reinterpret_cast<const std::uint8_t*>(text.data()), text.size()}, "ours");
    EXPECT_EQ(ours.value().find("text")->text, "\u00e9\n'");
    EXPECT_EQ(ours.value().find("numbers")->numbers(""), (std::vector<double>{0.1, -1e-300, -70000}));
    EXPECT_EQ(ours.value().find("double")->numbers(""), doubles);
    EXPECT_EQ(ours.value().find("double")->array.shape, (std::vector<std::int64_t>{2, 3}));
    EXPECT_EQ(ours.value().find("float")->numbers(""), (std::vector<double>{0.5, -1}));
    EXPECT_EQ(ours.value().find("bytes")->numbers(""), (std::vector<double>{0, 10, 255}));

    const Folder folder;
    write_text(folder / "pickle", text);
    if (data::run({"python3", "-c", "import numpy"}).status != 0) GTEST_SKIP() << "python3 has no numpy";
    const Output read = data::run({"python3", "-c", kRead, (folder / "pickle").string()});
    ASSERT_EQ(read.status, 0) << read.complaint;
    const nlohmann::json json = nlohmann::json::parse(read.text);
    EXPECT_EQ(json["text"], "\u00e9\n'");
    EXPECT_EQ(json["numbers"], (nlohmann::json{0.1, -1e-300, -70000}));
    EXPECT_EQ(json["empty"], nlohmann::json::array());
    EXPECT_EQ(json["double"], (nlohmann::json{"float64", {2, 3}, doubles}));
    EXPECT_EQ(json["float"], (nlohmann::json{"float32", {1, 2}, floats}));
    EXPECT_EQ(json["bytes"], (nlohmann::json{"uint8", {3}, {0, 10, 255}}));
}

} // namespace
} // namespace bifrons::data
