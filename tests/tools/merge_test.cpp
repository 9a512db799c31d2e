#include "data/media/frames.h"
#include "data/sha256.h"
#include "data/warp.h"
#include "engine/checkpoint.h"
#include "model/export/onnx.h"
#include "tests/data/folder.h"
#include "tests/support/devices.h"
#include "tests/tools/made_inputs.h"
#include "tests/tools/run_program.h"

#include <algorithm>
#include <csignal>

#include <sys/wait.h>
#include <unistd.h>

using namespace bifrons;
using namespace bifrons::test;
namespace fs = std::filesystem;

namespace {

/// Moving bars without a face, with a tone.
void make_clip(const fs::path& path, const std::string& seconds)
{
    const data::Output made = data::run(
        {"ffmpeg",     "-v",       "error",   "-f",       "lavfi", "-i",    "testsrc=size=160x120:rate=30000/1001",
         "-f",         "lavfi",    "-i",      "sine=440", "-t",    seconds, "-c:v",
         "libx264",    "-pix_fmt", "yuv420p", "-qp",      "0",     "-c:a",  "aac",
         path.string()});
    ASSERT_EQ(made.status, 0) << made.complaint;
}

Result merge(const fs::path& model, const fs::path& input, const fs::path& out, std::vector<std::string> more = {})
{
    std::vector<std::string> words = {"merge", "--json", "--model", model, "--input", input, "-o", out};
    words.insert(words.end(), more.begin(), more.end());
    return bifrons_run(words);
}

double mean_difference(const data::Image& a, const data::Image& b)
{
    double sum = 0;
    for (std::size_t i = 0; i < a.pixels.size(); ++i) sum += std::abs(int(a.pixels[i]) - int(b.pixels[i]));
    return sum / double(a.pixels.size());
}

TEST(MergeCommand, a_video_without_faces_keeps_frames_rate_and_sound)
{
    const Folder folder;
    make_model(folder / "model");
    make_clip(folder / "in.mp4", "0.7");
    const fs::path out = folder / "out.mp4";
    const Result r = merge(folder / "model", folder / "in.mp4", out, {"--crf", "0"});
    ASSERT_EQ(r.code, 0) << r.out;
    data::VideoReader before(folder / "in.mp4"), after(out);
    EXPECT_EQ(r.json()["frames"], before.info().frames);
    EXPECT_EQ(r.json()["faces"], 0);
    EXPECT_EQ(r.json()["frames_without_face"], before.info().frames);
    EXPECT_EQ(r.json()["sound"], "copied");
    EXPECT_EQ(after.info().frames, before.info().frames);
    EXPECT_EQ(after.info().format.rate.value(), before.info().format.rate.value());
    EXPECT_EQ(after.info().codecs(data::StreamKind::sound), before.info().codecs(data::StreamKind::sound));
    data::Image x, y;
    while (before.next(x)) {
        ASSERT_TRUE(after.next(y));
        // 0.6 is what rounding to YUV and back leaves of a level; chroma is filtered to half size on top of that.
        const auto luma = [](const data::Image& image) {
            data::Image grey(image.H, image.W, 1);
            for (std::int64_t i = 0; i < image.H * image.W; ++i) {
                const std::uint8_t* bgr = &image.pixels[std::size_t(3 * i)];
                grey.pixels[std::size_t(i)] = std::uint8_t(0.114 * bgr[0] + 0.587 * bgr[1] + 0.299 * bgr[2] + 0.5);
            }
            return grey;
        };
        EXPECT_LE(mean_difference(luma(x), luma(y)), 0.6);
    }
    const data::Output tag =
        data::run({"ffprobe", "-v", "error", "-show_entries", "format_tags=comment", out.string()});
    EXPECT_NE(tag.text.find("synthetic: "), std::string::npos) << tag.text;
}

TEST(MergeCommand, faces_change_and_what_is_far_from_them_does_not)
{
    const fs::path clip = assets() / "faces/grid/swwp2s.mpg";
    BIFRONS_NEEDS_ASSET(clip);
    const Folder folder;
    make_model(folder / "model");
    fs::create_directory(folder / "in");
    const auto source = data::open_frames(clip);
    data::Frame frame;
    for (int i = 0; i < 5 && source->next(frame); ++i) data::save_image(folder / "in" / (str(i, ".png")), frame.image);
    data::save_image(folder / "in" / "5.png", data::Image(288, 360, 3)); // black: no face
    const Result r = merge(folder / "model", folder / "in", folder / "out");
    ASSERT_EQ(r.code, 0) << r.out;
    EXPECT_EQ(r.json()["faces"], 5);
    EXPECT_EQ(r.json()["frames_without_face"], 1);
    EXPECT_EQ(entries(folder / "out"), 6);
    const auto newest = load_latest_checkpoint(folder / "model", [](const std::string&) {});
    const auto swapped = data::read_file(folder / "out" / "0.png");
    EXPECT_NE(std::string(swapped.begin(), swapped.end()).find(data::sha256(data::read_file(newest->file.path()))),
              std::string::npos)
        << "the picture names its model";
    for (int i = 0; i < 6; ++i) {
        const data::Image before = data::load_image(folder / "in" / str(i, ".png")),
                          after = data::load_image(folder / "out" / str(i, ".png"));
        if (i == 5) {
            EXPECT_EQ(after.pixels, before.pixels);
            continue;
        }
        EXPECT_GT(mean_difference(before, after), 0.1);
        for (std::int64_t x = 0; x < before.W * 3; ++x) // the top row is background
            EXPECT_EQ(after.pixels[std::size_t(x)], before.pixels[std::size_t(x)]);
    }
}

/// The first frames of a clip; those of `without` show a grey square over the face.
void copy_clip(const fs::path& from, const fs::path& to, std::int64_t frames, const std::vector<std::int64_t>& without)
{
    const auto source = data::open_frames(from);
    data::SinkOptions options{.format = source->video()->format, .video = {.crf = 0}};
    const auto sink = data::create_frames(to, options);
    for (data::Frame frame; frame.index + 1 < frames && source->next(frame);) {
        if (std::find(without.begin(), without.end(), frame.index) != without.end())
            for (std::int64_t y = 60; y < 270; ++y)
                for (std::int64_t x = 90; x < 270; ++x) std::fill_n(frame.image.at(y, x), 3, std::uint8_t(128));
        sink->write(frame);
    }
    sink->finish();
}

TEST(MergeCommand, gaps_are_filled_ranges_kept_and_extracted_faces_used)
{
    const fs::path clip = assets() / "faces/grid/swwp2s.mpg";
    BIFRONS_NEEDS_ASSET(clip);
    const Folder folder;
    make_model(folder / "model");
    copy_clip(clip, folder / "in.mp4", 14, {5, 6});
    const auto frames_of = [](const fs::path& path) {
        std::vector<data::Image> images;
        const auto source = data::open_frames(path);
        for (data::Frame frame; source->next(frame);) images.push_back(frame.image);
        return images;
    };
    const std::vector<data::Image> before = frames_of(folder / "in.mp4");
    ASSERT_EQ(before.size(), 14u);

    const Result filled = merge(folder / "model", folder / "in.mp4", folder / "filled");
    ASSERT_EQ(filled.code, 0) << filled.out;
    EXPECT_EQ(filled.json()["faces"], 14);
    EXPECT_EQ(filled.json()["filled_frames"], 2);
    EXPECT_EQ(filled.json()["filled"], "5-6");
    const std::vector<data::Image> swapped = frames_of(folder / "filled");
    for (std::size_t t = 0; t < 14; ++t) EXPECT_GT(mean_difference(swapped[t], before[t]), 0) << t;

    const Result open = merge(folder / "model", folder / "in.mp4", folder / "open", {"--fill", "0", "--smooth", "0"});
    EXPECT_EQ(open.json()["faces"], 12);
    EXPECT_EQ(open.json()["filled_frames"], 0);
    const std::vector<data::Image> as_found = frames_of(folder / "open");
    EXPECT_EQ(as_found[5].pixels, before[5].pixels);

    const Result extracted = bifrons_run({"extract", folder / "in.mp4", "-o", folder / "faces"});
    ASSERT_EQ(extracted.code, 0) << extracted.err;
    const Result again = merge(folder / "model", folder / "in.mp4", folder / "again",
                               {"--fill", "0", "--smooth", "0", "--faceset", folder / "faces"});
    ASSERT_EQ(again.code, 0) << again.err;
    EXPECT_EQ(frames_of(folder / "again")[9].pixels, as_found[9].pixels) << "the same faces, not looked for again";
    const Result other = merge(folder / "model", clip, folder / "other", {"--faceset", folder / "faces"});
    EXPECT_EQ(other.code, 3);
    EXPECT_NE(other.out.find("holds no faces of swwp2s.mpg"), std::string::npos) << other.out;

    const Result some = merge(folder / "model", folder / "in.mp4", folder / "some",
                              {"--only-range", "2-3", "--output", "side-by-side"});
    ASSERT_EQ(some.code, 0) << some.err;
    EXPECT_EQ(some.json()["faces"], 2);
    const std::vector<data::Image> pairs = frames_of(folder / "some");
    ASSERT_EQ(pairs[2].W, 2 * before[2].W);
    double left = 0, right = 0;
    for (std::int64_t y = 0; y < before[2].H; ++y)
        for (std::int64_t i = 0; i < 3 * before[2].W; ++i) {
            const int original = before[2].at(y, 0)[i];
            left += std::abs(original - pairs[2].at(y, 0)[i]);
            right += std::abs(original - pairs[2].at(y, before[2].W)[i]);
        }
    EXPECT_EQ(left, 0);
    EXPECT_GT(right, 1000);

    const Result mask = merge(folder / "model", folder / "in.mp4", folder / "mask", {"--output", "mask"});
    ASSERT_EQ(mask.code, 0) << mask.err;
    const data::Image weights = frames_of(folder / "mask")[0];
    EXPECT_EQ(*weights.at(0, 0), 0);
    EXPECT_GT(*std::max_element(weights.pixels.begin(), weights.pixels.end()), 100); // an untrained mask is grey
    EXPECT_EQ(merge(folder / "model", folder / "in.mp4", folder / "bad", {"--only-range", "5-14"}).code, 2);
}

TEST(MergeCommand, people_get_the_models_that_are_theirs)
{
    const fs::path grid = assets() / "faces/grid", network = assets() / "models/face_identity_resnet34.safetensors";
    BIFRONS_NEEDS_ASSET(grid / "brbk7n.mpg");
    BIFRONS_NEEDS_ASSET(network);
    const Folder folder;
    make_model(folder / "model");
    const data::Output made =
        data::run({"ffmpeg", "-v", "error", "-i", (grid / "swwp2s.mpg").string(), "-i", (grid / "brbk7n.mpg").string(),
                   "-filter_complex", "hstack", "-frames:v", "4", "-c:v", "ffv1", (folder / "two.mkv").string()});
    ASSERT_EQ(made.status, 0) << made.complaint;
    const auto save_first = [&](const char* clip, const fs::path& picture) {
        data::Frame frame;
        ASSERT_TRUE(data::open_frames(grid / clip)->next(frame));
        data::save_image(picture, frame.image);
    };
    save_first("pwij3p.mpg", folder / "left.png"); // the man of swwp2s in another clip
    save_first("sbia1a.mpg", folder / "other.png");
    const auto run = [&](const std::string& out, std::vector<std::string> more) {
        std::vector<std::string> words = {"merge", "--json",     "--input",    folder / "two.mkv",
                                          "-o",    folder / out, "--identity", network};
        words.insert(words.end(), more.begin(), more.end());
        return bifrons_run(words);
    };
    /// Whether the halves of the last frame changed.
    const auto changed = [&](const std::string& out) {
        data::Frame frame;
        const auto source = data::open_frames(folder / "two.mkv");
        for (int i = 0; i < 4; ++i) EXPECT_TRUE(source->next(frame));
        const data::Image after = data::load_image(folder / out / "two_000003.png");
        std::pair<bool, bool> sides;
        for (std::int64_t y = 0; y < after.H; ++y)
            for (std::int64_t i = 0; i < 3 * after.W; ++i)
                if (after.at(y, 0)[i] != frame.image.at(y, 0)[i]) (i < 3 * 360 ? sides.first : sides.second) = true;
        return sides;
    };
    const std::string model = folder / "model";
    const Result one = run("one", {"--map", (folder / "left.png").string() + "=" + model, "--map",
                                   (folder / "other.png").string() + "=" + model});
    ASSERT_EQ(one.code, 0) << one.out << one.err;
    EXPECT_EQ(one.json()["faces"], 4);
    EXPECT_EQ(one.json()["strangers"], 4);
    EXPECT_EQ(changed("one"), std::pair(true, false)) << "whoever is on the right is nobody's";
    const Result all = run("all", {"--model", model, "--faces", "all"});
    ASSERT_EQ(all.code, 0) << all.out << all.err;
    EXPECT_EQ(all.json()["faces"], 8);
    EXPECT_EQ(changed("all"), std::pair(true, true));
    const auto refused = [&](std::vector<std::string> more, int code, const std::string& part) {
        const Result r = run("bad", std::move(more));
        EXPECT_EQ(r.code, code) << r.out;
        EXPECT_NE(r.out.find(part), std::string::npos) << r.out;
        EXPECT_FALSE(fs::exists(folder / "bad"));
    };
    refused({}, 2, "--model is required");
    refused({"--map", "left.png"}, 2, "expected PICTURE=MODEL");
    refused({"--map", "none.png=" + model}, 3, "none.png: does not exist");
    refused({"--model", model, "--map", (folder / "left.png").string() + "=" + model}, 2, "expected one of them");
    const Result without = bifrons_run({"merge", "--input", folder / "two.mkv", "-o", folder / "bad", "--map",
                                        (folder / "left.png").string() + "=" + model});
    EXPECT_EQ(without.code, 2);
    EXPECT_NE(without.err.find("`bifrons models` says how to get it"), std::string::npos) << without.err;
}

/// Of the first frame, with alpha.
data::Image with_alpha(const fs::path& path, std::int64_t H, std::int64_t W)
{
    const data::Output raw = data::run({"ffmpeg", "-v", "error", "-i", path.string(), "-frames:v", "1", "-f",
                                        "rawvideo", "-pix_fmt", "bgra", "pipe:1"});
    data::Image image(H, W, 4);
    EXPECT_EQ(raw.text.size(), image.pixels.size()) << path;
    std::copy_n(raw.text.begin(), std::min(raw.text.size(), image.pixels.size()), image.pixels.begin());
    return image;
}

/// Largest and mean difference from the frame when the layer is laid over the original.
std::pair<double, double> layer_error(const data::Image& layer, const data::Image& original, const data::Image& swapped)
{
    double largest = 0, sum = 0;
    for (std::size_t i = 0; i < original.pixels.size(); ++i) {
        const std::uint8_t* bgra = &layer.pixels[i / 3 * 4];
        const double was = original.pixels[i];
        const double off = std::abs(std::round(was + bgra[3] / 255.0 * (bgra[i % 3] - was)) - swapped.pixels[i]);
        largest = std::max(largest, off), sum += off;
    }
    return {largest, sum / double(original.pixels.size())};
}

TEST(MergeCommand, a_layer_over_the_original_is_the_swapped_frame)
{
    const fs::path clip = assets() / "faces/grid/swwp2s.mpg";
    BIFRONS_NEEDS_ASSET(clip);
    const Folder folder;
    make_model(folder / "model");
    data::Frame frame;
    ASSERT_TRUE(data::open_frames(clip)->next(frame));
    const data::Image& original = frame.image;
    fs::create_directory(folder / "in");
    data::save_image(folder / "in" / "a.png", original);
    const auto make = [&](const std::string& kind, const std::string& name, std::vector<std::string> more) {
        more.insert(more.end(), {"--output", kind});
        const Result r = merge(folder / "model", folder / "in", folder / name, more);
        EXPECT_EQ(r.code, 0) << name << r.out << r.err;
        return folder / name;
    };
    const std::vector<std::string> half = {"--color", "rct", "--opacity", "0.8"};
    const data::Image swapped = data::load_image(make("swapped", "swapped", half) / "a.png");
    ASSERT_GT(mean_difference(swapped, original), 0.1);
    // Colour, weight and result are rounded: two numbers within a level round to two that differ by one at most.
    EXPECT_LE(layer_error(with_alpha(make("layer", "layer", half) / "a.png", 288, 360), original, swapped).first, 1);
    // ProRes loses a little, and its YUV rounds again.
    const data::Image coded =
        with_alpha(make("layer", "layer.mov", {"--color", "rct", "--opacity", "0.8", "--codec", "prores"}), 288, 360);
    const auto [largest, mean] = layer_error(coded, original, swapped);
    EXPECT_LE(largest, 12);
    EXPECT_LE(mean, 0.1);
    EXPECT_EQ(data::probe(folder / "layer.mov").pixel_format, "yuva444p12le");

    // The face as the network made it, laid into the frame by its matrix, is what is pasted without any change.
    const fs::path plain = make("layer", "plain", {"--color", "none", "--mask", "hull", "--shift-x", "3"});
    const fs::path faces = make("face", "faces", {"--shift-x", "3"});
    const nlohmann::json list = nlohmann::json::parse(data::read_file(faces / "faces.json"));
    ASSERT_EQ(list.size(), 1u);
    EXPECT_EQ(list[0]["file"], "a_0.png");
    EXPECT_EQ(list[0]["name"], "a");
    EXPECT_EQ(list[0]["frame"], 0);
    data::Affine matrix;
    for (std::size_t i = 0; i < 6; ++i) matrix.m[i] = list[0]["frame_from_face"][i];
    const data::Image face = data::load_image(faces / "a_0.png"), placed = data::warp(face, matrix, 288, 360),
                      layer = with_alpha(plain / "a.png", 288, 360);
    std::int64_t whole = 0;
    for (std::size_t i = 0; i < placed.pixels.size(); ++i) {
        if (layer.pixels[i / 3 * 4 + 3] < 255) continue;
        ASSERT_NEAR(layer.pixels[i / 3 * 4 + i % 3], placed.pixels[i], 2);
        ++whole;
    }
    EXPECT_GT(whole, 1000);
    EXPECT_EQ(entries(faces), 2);
    EXPECT_EQ(merge(folder / "model", folder / "in", folder / "bad.mp4", {"--output", "face"}).code, 2);
    EXPECT_EQ(merge(folder / "model", folder / "in", folder / "bad.jpg", {"--output", "layer"}).code, 2);
    EXPECT_EQ(merge(folder / "model", folder / "in", folder / "bad.mp4", {"--output", "layer"}).code, 2);
}

TEST(MergeCommand, imported_masks_keep_what_is_in_front)
{
    const fs::path clip = assets() / "faces/grid/swwp2s.mpg";
    BIFRONS_NEEDS_ASSET(clip);
    const Folder folder;
    make_model(folder / "model");
    copy_clip(clip, folder / "in.mp4", 2, {});
    data::Image mask(288, 360, 3); // the left half of the face may be replaced
    for (std::int64_t y = 0; y < mask.H; ++y) std::fill_n(mask.at(y, 0), 3 * 180, std::uint8_t(255));
    fs::create_directory(folder / "masks");
    data::save_image(folder / "masks" / "in_000000.png", mask);
    const Result r = merge(folder / "model", folder / "in.mp4", folder / "out", {"--mask-folder", folder / "masks"});
    ASSERT_EQ(r.code, 0) << r.out << r.err;
    EXPECT_NE(r.out.find("has no mask for 1 of the frames"), std::string::npos) << r.out;
    const auto source = data::open_frames(folder / "in.mp4");
    data::Frame frame;
    for (const char* name : {"in_000000.png", "in_000001.png"}) {
        ASSERT_TRUE(source->next(frame));
        const data::Image after = data::load_image(folder / "out" / name);
        double left = 0, right = 0;
        for (std::int64_t y = 0; y < mask.H; ++y)
            for (std::int64_t i = 0; i < 3 * mask.W; ++i)
                (i < 3 * 180 ? left : right) += std::abs(int(after.at(y, 0)[i]) - int(frame.image.at(y, 0)[i]));
        EXPECT_GT(left, 1000) << name;
        EXPECT_EQ(right == 0, frame.index == 0) << name;
    }
    data::save_image(folder / "masks" / "in_000001.png", data::Image(288, 352, 3));
    const Result small =
        merge(folder / "model", folder / "in.mp4", folder / "bad", {"--mask-folder", folder / "masks"});
    EXPECT_EQ(small.code, 2);
    EXPECT_NE(small.out.find("in_000001.png: is 352x288; expected its frame's 360x288"), std::string::npos)
        << small.out;
    EXPECT_FALSE(fs::exists(folder / "bad"));
    fs::create_directory(folder / "others");
    data::save_image(folder / "others" / "a.png", mask);
    EXPECT_EQ(merge(folder / "model", folder / "in.mp4", folder / "bad", {"--mask-folder", folder / "others"}).code, 2);
}

TEST(MergeCommand, faces_of_a_faceset_are_replaced_inside_their_own_masks)
{
    const fs::path clip = assets() / "faces/grid/swwp2s.mpg";
    BIFRONS_NEEDS_ASSET(clip);
    const Folder folder;
    make_model(folder / "model");
    copy_clip(clip, folder / "in.mp4", 3, {});
    ASSERT_EQ(bifrons_run({"extract", folder / "in.mp4", "-o", folder / "faces"}).code, 0);
    data::Faceset set = data::load_faceset(folder / "faces");
    ASSERT_EQ(set.faces.size(), 3u);
    // Of the first face the picture's left half, of the second nothing that can be read; the third has none.
    data::Image half(set.side, set.side, 1);
    for (std::int64_t y = 0; y < half.H; ++y) std::fill_n(half.at(y, 0), half.W / 2, std::uint8_t(255));
    fs::create_directory(folder / "faces/masks");
    data::save_image(folder / "faces/masks/0.png", half);
    write_text(folder / "faces/masks/1.png", "no picture");
    set.faces[0].mask = "masks/0.png";
    set.faces[1].mask = "masks/1.png";
    data::save_faceset(set);
    const Result r = merge(folder / "model", folder / "in.mp4", folder / "out",
                           {"--faceset", folder / "faces", "--mask", "hull", "--smooth", "0", "--threads", "1"});
    ASSERT_EQ(r.code, 0) << r.out << r.err;
    EXPECT_EQ(r.json()["faces"], 3);
    EXPECT_EQ(r.json()["own_masks"], 1);
    EXPECT_NE(r.out.find("masks that cannot be used: 1; the landmarks' hull took their place"), std::string::npos);
    EXPECT_NE(r.out.find("masks/1.png: "), std::string::npos) << r.out;
    const auto source = data::open_frames(folder / "in.mp4");
    data::Frame frame;
    for (std::size_t n = 0; n < 3; ++n) {
        ASSERT_TRUE(source->next(frame));
        const data::Image after = data::load_image(folder / "out" / (frame.name + ".png"));
        std::int64_t left = 0, right = 0;
        for (std::int64_t y = 0; y < after.H; ++y)
            for (std::int64_t x = 0; x < after.W; ++x) {
                if (std::equal(after.at(y, x), after.at(y, x) + 3, frame.image.at(y, x))) continue;
                const double at = set.faces[n].matrix(data::Point{double(x), double(y)}).x;
                ++(at < double(set.side) / 2 + 20 ? left : right); // interpolation spreads a model's 2 px, of 8 each
            }
        EXPECT_GT(left, 500) << n;
        EXPECT_EQ(right == 0, n == 0) << n;
    }
}

TEST(MergeCommand, a_dfm_swaps_as_its_model_does)
{
    const fs::path clip = assets() / "faces/grid/swwp2s.mpg";
    BIFRONS_NEEDS_ASSET(clip);
    if (!model::writes_onnx()) GTEST_SKIP() << "built without libonnx";
    const Folder folder;
    make_model(folder / "model");
    ASSERT_EQ(bifrons_run({"export", folder / "model", "-o", folder / "x.dfm"}).code, 0);
    data::Frame frame;
    ASSERT_TRUE(data::open_frames(clip)->next(frame));
    data::save_image(folder / "in.png", frame.image);
    for (const char* name : {"model", "x.dfm"}) {
        const Result r = merge(folder / name, folder / "in.png", folder / (std::string(name) + ".png"));
        ASSERT_EQ(r.code, 0) << r.out;
        EXPECT_EQ(r.json()["faces"], 1);
    }
    const data::Image swapped = data::load_image(folder / "model.png");
    EXPECT_GT(mean_difference(frame.image, swapped), 0.1);
    EXPECT_EQ(data::load_image(folder / "x.dfm.png").pixels, swapped.pixels);
    const Result mapped = merge(folder / "x.dfm", folder / "in.png", folder / "out.png", {"--latent-map", "1"});
    EXPECT_EQ(mapped.code, 2);
    EXPECT_NE(mapped.out.find("a .dfm has no latent mapping; expected a model folder"), std::string::npos)
        << mapped.out;
}

TEST(MergeCommand, kernels_paste_what_the_processor_pastes)
{
    const fs::path clip = assets() / "faces/grid/swwp2s.mpg";
    BIFRONS_NEEDS_ASSET(clip);
    if (const std::string why = absent("sim"); !why.empty()) GTEST_SKIP() << why;
    const Folder folder;
    make_model(folder / "model");
    data::Frame frame;
    ASSERT_TRUE(data::open_frames(clip)->next(frame));
    data::save_image(folder / "in.png", frame.image);
    const auto pasted = [&](const std::string& device) {
        const fs::path out = folder / (device + ".png");
        const Result r = merge(folder / "model", folder / "in.png", out, {"--device", device, "--beta", "0.5"});
        EXPECT_EQ(r.code, 0) << r.out << r.err;
        return data::load_image(out);
    };
    const data::Image want = pasted("cpu"), got = pasted("sim");
    EXPECT_GT(mean_difference(frame.image, want), 0.1);
    // Networks in f32 on either, then colours and light: far less than a level, but for what is rounded; and but for
    // the brows of the drawn face, whose landmarks are found by trees: a decision of theirs may turn on a rounded bit.
    std::size_t apart = 0;
    for (std::size_t i = 0; i < want.pixels.size(); ++i)
        apart += std::abs(int(got.pixels[i]) - int(want.pixels[i])) > 1;
    EXPECT_LE(apart, want.pixels.size() / 500);
    EXPECT_LE(mean_difference(got, want), 0.02);
}

TEST(MergeCommand, refuses_before_it_works_and_leaves_what_exists)
{
    const Folder folder;
    make_model(folder / "model");
    make_clip(folder / "in.mp4", "0.2");
    fs::create_directories(folder / "full");
    write_text(folder / "full" / "mine.txt", "mine");
    write_text(folder / "there.mp4", "precious");
    const auto refused = [&](const fs::path& model, const fs::path& out, int code, const std::string& part) {
        const Result r = merge(model, folder / "in.mp4", out);
        EXPECT_EQ(r.code, code) << r.out;
        EXPECT_NE(r.out.find(part), std::string::npos) << r.out;
    };
    refused(folder / "model", folder / "there.mp4", 2, "there.mp4");
    refused(folder / "model", folder / "full", 2, "is not empty");
    refused(folder / "model", folder / "in.mp4", 2, "is where the input is");
    refused(folder / "model", folder / "out.avi", 2, "unknown output format");
    refused(folder / "model", folder / "out.png", 2, "one picture cannot hold");
    refused(folder / "model", folder / "out.bmp", 2, "unknown picture format");
    refused(folder / "absent", folder / "out.mp4", 3, "absent: does not exist");
    refused(folder / "full", folder / "out.mp4", 3, "holds no checkpoint");
    EXPECT_EQ(merge(folder / "model", folder / "absent.mp4", folder / "out.mp4").code, 3);
    EXPECT_EQ(data::read_file(folder / "there.mp4").size(), 8u);
    EXPECT_EQ(entries(folder.path()), 4) << "nothing was written";
}

TEST(MergeCommand, two_pictures_of_one_name_are_refused_where_one_would_replace_the_other)
{
    const Folder folder;
    make_model(folder / "model");
    fs::create_directory(folder / "in");
    for (const char* name : {"a.png", "a.jpg"}) data::save_image(folder / "in" / name, data::Image(120, 160, 3));
    const Result r = merge(folder / "model", folder / "in", folder / "out");
    EXPECT_EQ(r.code, 2) << r.out;
    EXPECT_NE(r.out.find("in/a.png: has the same name as a.jpg"), std::string::npos) << r.out;
    EXPECT_FALSE(fs::exists(folder / "out"));
    const Result video = merge(folder / "model", folder / "in", folder / "out.mp4");
    EXPECT_EQ(video.code, 0) << video.out;
    EXPECT_EQ(video.json()["frames"], 2);
}

TEST(MergeCommand, pictures_that_are_links_into_the_output_are_not_replaced)
{
    const Folder folder;
    make_model(folder / "model");
    fs::create_directory(folder / "in");
    fs::create_directory(folder / "out.v2"); // a dot makes no file of it
    data::save_image(folder / "out.v2" / "a.png", data::Image(120, 160, 3));
    fs::create_symlink(folder / "out.v2" / "a.png", folder / "in" / "a.png");
    const auto before = data::read_file(folder / "out.v2" / "a.png");
    const Result r = merge(folder / "model", folder / "in", folder / "out.v2", {"--overwrite"});
    EXPECT_EQ(r.code, 2) << r.out;
    EXPECT_NE(r.out.find("in/a.png: leads to"), std::string::npos) << r.out;
    EXPECT_EQ(data::read_file(folder / "out.v2" / "a.png"), before);
    data::save_image(folder / "in" / "b.png", data::Image(120, 100, 3));
    const Result video = merge(folder / "model", folder / "in", folder / "out.MP4");
    EXPECT_EQ(video.code, 2) << video.out;
    EXPECT_NE(video.out.find("b.png: is 100x120, and a.png is 160x120"), std::string::npos) << video.out;
    fs::remove(folder / "in" / "b.png");
    EXPECT_EQ(merge(folder / "model", folder / "in", folder / "out.MP4").code, 0);
    EXPECT_EQ(merge(folder / "model", folder / "in", folder / "new.v3").code, 0);
    EXPECT_TRUE(fs::exists(folder / "new.v3" / "a.png"));
}

TEST(MergeCommand, a_face_of_high_dynamic_range_is_seen_and_pasted_as_its_picture_shows_it)
{
    const fs::path clip = assets() / "faces/grid/swwp2s.mpg";
    BIFRONS_NEEDS_ASSET(clip);
    const Folder folder;
    make_model(folder / "model");
    data::Frame frame;
    ASSERT_TRUE(data::open_frames(clip)->next(frame));
    fs::create_directory(folder / "in");
    data::save_image(folder / "in" / "a.png", frame.image);
    const data::VideoFormat hdr = {
        .H = frame.image.H,
        .W = frame.image.W,
        .tags = {.range = "tv", .matrix = "bt2020nc", .primaries = "bt2020", .transfer = "smpte2084"},
        .chroma = "444",
        .bits = 10};
    data::ImageF own = data::to_float(frame.image);
    data::ToneMapping(hdr.tags).undo(own);
    data::DeepImage deep(own.H, own.W, 3);
    std::transform(own.pixels.begin(), own.pixels.end(), deep.pixels.begin(),
                   [](float value) { return std::uint16_t(std::lround(65535 * value)); });
    data::VideoWriter writer(folder / "in.mkv", hdr, {.codec = "ffv1"});
    writer.write(deep);
    writer.finish();

    const std::vector<std::string> as_set = {"--color", "rct", "--smooth", "0", "--fill", "0"};
    std::vector<std::string> lossless = as_set;
    lossless.insert(lossless.end(), {"--codec", "ffv1"});
    ASSERT_EQ(merge(folder / "model", folder / "in", folder / "out", as_set).code, 0);
    const Result r = merge(folder / "model", folder / "in.mkv", folder / "out.mkv", lossless);
    ASSERT_EQ(r.code, 0) << r.out;
    EXPECT_EQ(r.json()["faces"], 1);
    const data::VideoInfo written = data::probe(folder / "out.mkv");
    EXPECT_EQ(written.format.tags.transfer, "smpte2084");
    EXPECT_EQ(written.pixel_format, "yuv444p10le");
    data::Image got;
    ASSERT_TRUE(data::VideoReader(folder / "out.mkv").next(got));
    const data::Image want = data::load_image(folder / "out" / "a.png");
    ASSERT_GT(mean_difference(want, frame.image), 0.1);
    EXPECT_LT(mean_difference(got, want), 0.7) << "ten bits of PQ are about a level";
    std::size_t other = 0; // where the mask fades, as both transfers mix differently
    for (std::size_t i = 0; i < want.pixels.size(); ++i) other += std::abs(got.pixels[i] - want.pixels[i]) > 4;
    EXPECT_LT(double(other), 0.005 * double(want.pixels.size()));
}

TEST(MergeCommand, says_that_ten_bits_become_eight)
{
    const Folder folder;
    make_model(folder / "model");
    for (const char* pixels : {"yuv420p", "yuv420p10le"}) {
        const fs::path clip = folder / (std::string(pixels) + ".mkv");
        const data::Output made =
            data::run({"ffmpeg", "-v", "error", "-f", "lavfi", "-i", "testsrc=size=160x120:rate=25", "-frames:v", "1",
                       "-c:v", "ffv1", "-pix_fmt", pixels, clip.string()});
        ASSERT_EQ(made.status, 0) << made.complaint;
        const Result r = merge(folder / "model", clip, folder / (std::string(pixels) + ".png"));
        EXPECT_EQ(r.code, 0) << r.out;
        EXPECT_EQ(r.out.find("has 10 bits per channel; the output has 8") != std::string::npos,
                  std::string(pixels) == "yuv420p10le")
            << r.out;
    }
}

TEST(MergeCommand, says_that_alpha_is_left_out)
{
    const Folder folder;
    make_model(folder / "model");
    const data::Output made =
        data::run({"ffmpeg", "-v", "error", "-f", "lavfi", "-i", "testsrc=size=160x120:rate=25", "-frames:v", "1",
                   "-c:v", "ffv1", "-pix_fmt", "yuva420p", (folder / "in.mkv").string()});
    ASSERT_EQ(made.status, 0) << made.complaint;
    const Result r = merge(folder / "model", folder / "in.mkv", folder / "out.png");
    EXPECT_EQ(r.code, 0) << r.out;
    EXPECT_NE(r.out.find("has an alpha channel, which is left out"), std::string::npos) << r.out;
}

TEST(MergeCommand, an_animated_webp_is_merged_as_a_clip)
{
    const Folder folder;
    make_model(folder / "model");
    const data::Output made =
        data::run({"ffmpeg", "-v", "error", "-f", "lavfi", "-i", "testsrc=size=160x120:rate=10", "-frames:v", "4",
                   "-c:v", "libwebp_anim", "-lossless", "1", (folder / "in.webp").string()});
    ASSERT_EQ(made.status, 0) << made.complaint;
    const Result r = merge(folder / "model", folder / "in.webp", folder / "out.mkv", {"--crf", "0"});
    if (r.out.find("built without libwebp") != std::string::npos) GTEST_SKIP() << r.out;
    ASSERT_EQ(r.code, 0) << r.out;
    EXPECT_EQ(r.json()["frames"], 4);
    EXPECT_EQ(r.json()["sound"], "none");
    const data::VideoInfo info = data::probe(folder / "out.mkv");
    EXPECT_EQ(info.frames, 4);
    EXPECT_EQ(info.format.rate.value(), 10);
}

TEST(MergeCommand, interlaced_video_needs_the_option)
{
    const Folder folder;
    make_model(folder / "model");
    const data::Output made =
        data::run({"ffmpeg", "-v", "error", "-f", "lavfi", "-i", "testsrc=size=160x120:rate=50:duration=0.4,interlace",
                   "-flags", "+ilme+ildct", "-c:v", "mpeg2video", (folder / "in.mpg").string()});
    ASSERT_EQ(made.status, 0) << made.complaint;
    const Result r = merge(folder / "model", folder / "in.mpg", folder / "out.mp4");
    EXPECT_EQ(r.code, 2) << r.out;
    EXPECT_NE(r.out.find("Add --deinterlace."), std::string::npos) << r.out;
    EXPECT_FALSE(fs::exists(folder / "out.mp4"));
    const Result deinterlaced = merge(folder / "model", folder / "in.mpg", folder / "out.mp4", {"--deinterlace"});
    EXPECT_EQ(deinterlaced.code, 0) << deinterlaced.out;
    EXPECT_EQ(deinterlaced.json()["frames"], 10);
    EXPECT_NE(deinterlaced.out.find("out.mp4: becomes progressive"), std::string::npos) << deinterlaced.out;
}

TEST(MergeCommand, a_codec_that_does_not_fit_is_refused_before_the_work)
{
    const Folder folder;
    make_model(folder / "model");
    make_clip(folder / "in.mp4", "0.2");
    const Result r = merge(folder / "model", folder / "in.mp4", folder / "out.mp4", {"--codec", "prores"});
    EXPECT_EQ(r.code, 1) << r.out;
    EXPECT_NE(r.out.find("ffmpeg cannot write prores with yuv422p10le here"), std::string::npos) << r.out;
    EXPECT_EQ(entries(folder.path()), 2);
}

TEST(MergeCommand, an_interrupt_leaves_no_video)
{
    const Folder folder;
    make_model(folder / "model");
    make_clip(folder / "in.mp4", "20");
    const std::string model = folder / "model", input = folder / "in.mp4", out = folder / "out.mp4";
    const pid_t child = fork();
    if (child == 0) {
        execl(BIFRONS_PROGRAM, "bifrons", "merge", "--model", model.c_str(), "--input", input.c_str(), "-o",
              out.c_str(), nullptr);
        _exit(1);
    }
    for (int i = 0; i < 600 && entries(folder.path()) < 3; ++i) usleep(20000); // until the video is begun
    ASSERT_EQ(kill(child, SIGINT), 0);
    int status = 0;
    waitpid(child, &status, 0);
    EXPECT_EQ(WEXITSTATUS(status), 130);
    EXPECT_EQ(entries(folder.path()), 2) << "model and input alone";
}

} // namespace
