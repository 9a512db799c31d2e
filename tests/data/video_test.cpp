// tests/data/video_test.cpp - video through ffmpeg: what goes round comes round, and what bad files say.
#include "data/media/input.h"
#include "tests/data/clips.h"

#include "kernels/base/error.h"

#include <gtest/gtest.h>

#include <sys/resource.h>

#include <csignal>

namespace bifrons::data {
namespace {

using test::Folder;
using test::write_text;
namespace fs = std::filesystem;

struct Passed {
    std::string sound = {};
    double luma = 0;   ///< largest shift of a frame's mean luma
    double colour = 0; ///< largest shift of a frame's mean blue, green or red
};

/// Reads and writes again, and compares.
Passed pass_through(const fs::path& in, const fs::path& out, const VideoOptions& options)
{
    const std::vector<Image> before = frames_of(in);
    VideoWriter writer(out, probe(in).format, options);
    for (const Image& frame : before) writer.write(frame);
    Passed passed = {.sound = writer.finish().sound};
    const std::vector<Image> after = frames_of(out);
    EXPECT_EQ(after.size(), before.size());
    for (std::size_t i = 0; i < std::min(before.size(), after.size()); ++i) {
        EXPECT_EQ(after[i].W, before[i].W);
        EXPECT_EQ(after[i].H, before[i].H);
        const auto x = means(before[i]), y = means(after[i]);
        passed.luma = std::max(passed.luma, std::abs(y[3] - x[3]));
        for (std::size_t c = 0; c < 3; ++c) passed.colour = std::max(passed.colour, std::abs(y[c] - x[c]));
    }
    return passed;
}

TEST(Video, ProbeTellsSizeRateFramesAndSound)
{
    const Folder folder;
    make_clip(folder / "a.mp4", "64x48", 10, {"-r", "30000/1001", "-c:a", "aac", "-pix_fmt", "yuv420p"});
    const VideoInfo info = probe(folder / "a.mp4");
    EXPECT_EQ(info.format.W, 64);
    EXPECT_EQ(info.format.H, 48);
    EXPECT_EQ(info.format.rate.num, 30000);
    EXPECT_EQ(info.format.rate.den, 1001);
    EXPECT_EQ(info.frames, 12);
    EXPECT_EQ(info.codec, "h264");
    EXPECT_EQ(info.codecs(StreamKind::sound), std::vector<std::string>{"aac"});
    EXPECT_FALSE(info.format.variable_rate);
    EXPECT_EQ(frames_of(folder / "a.mp4").size(), 12u);
}

TEST(Video, FramesAreCountedWhereTheFileDoesNotSay)
{
    const Folder folder;
    for (const char* name : {"a.mpg", "a.mkv", "a.avi", "a.ts"}) {
        make_clip(folder / name, "64x48", 20, {});
        EXPECT_EQ(probe(folder / name).frames, 20) << name;
        EXPECT_EQ(frames_of(folder / name).size(), 20u) << name;
        EXPECT_NEAR(probe(folder / name).format.rate.value(), 25, 1e-9) << name;
    }
}

TEST(Video, LosslessPassThroughKeepsLuma)
{
    const Folder folder;
    struct Case {
        const char* size;
        std::vector<std::string> options;
    };
    const Case cases[] = {
        {"96x64", {"-pix_fmt", "yuv420p"}},
        {"95x63", {"-pix_fmt", "yuv444p"}},
        {"98x64", {"-c:v", "ffv1", "-pix_fmt", "yuv420p"}},
        {"96x64", {"-pix_fmt", "yuv420p", "-colorspace", "bt709", "-vf", "scale=out_color_matrix=bt709"}},
        {"96x64", {"-pix_fmt", "yuv420p", "-color_range", "pc", "-vf", "scale=out_range=pc"}},
        {"96x64", {"-c:v", "mjpeg", "-q:v", "2", "-pix_fmt", "yuvj420p"}}};
    for (const Case& c : cases) {
        make_clip(folder / "in.mkv", c.size, 5, c.options);
        const Passed passed = pass_through(folder / "in.mkv", folder / "out.mkv",
                                           {.existing = Existing::replace, .crf = 0, .preset = "ultrafast"});
        EXPECT_LE(passed.luma, 0.6) << c.size << " " << c.options.back();
        EXPECT_LE(passed.colour, 1) << c.size << " " << c.options.back();
        fs::remove(folder / "in.mkv");
    }
}

TEST(Video, ColourTagsAndCommentAreKept)
{
    const Folder folder;
    make_clip(folder / "in.mp4", "64x48", 3,
              {"-pix_fmt", "yuv420p", "-vf",
               "scale=out_color_matrix=bt709,setparams=range=tv:colorspace=bt709:color_primaries=bt709:"
               "color_trc=bt709"});
    for (const char* name : {"out.mp4", "out.mov", "out.mkv"}) {
        pass_through(folder / "in.mp4", folder / name,
                     {.preset = "ultrafast", .source = folder / "in.mp4", .made = {.comment = "synthetic: a test"}});
        const ColorTags tags = probe(folder / name).format.tags;
        EXPECT_EQ(tags.matrix, "bt709") << name;
        EXPECT_EQ(tags.primaries, "bt709") << name;
        EXPECT_EQ(tags.transfer, "bt709") << name;
        EXPECT_EQ(tags.range, "tv") << name;
        EXPECT_NE(ffprobe(folder / name, "format_tags").find("synthetic: a test"), std::string::npos) << name;
    }
}

// A red of 200: Y = 16 + 219 * weight * 200 / 255, weight 0.2126 (BT.709) or 0.299 (BT.601).
TEST(Video, TheMatrixIsTheTaggedOneElseThatOfTheSize)
{
    const Folder folder;
    struct Case {
        std::int64_t H, W;
        const char* matrix;
        double luma;
    };
    for (const Case& c :
         {Case{32, 48, "bt709", 52.5}, {32, 48, "smpte170m", 67.4}, {32, 48, "", 67.4}, {720, 1280, "", 52.5}}) {
        Image red(c.H, c.W, 3);
        for (std::size_t i = 2; i < red.pixels.size(); i += 3) red.pixels[i] = 200;
        VideoWriter writer(folder / "red.mkv", {.H = c.H, .W = c.W, .tags = {.matrix = c.matrix}},
                           {.existing = Existing::replace, .crf = 0, .preset = "ultrafast"});
        writer.write(red);
        writer.finish();
        const Output raw = run({"ffmpeg", "-v", "error", "-i", (folder / "red.mkv").string(), "-pix_fmt", "yuv420p",
                                "-f", "rawvideo", "pipe:1"});
        ASSERT_EQ(raw.text.size(), std::size_t(c.H * c.W * 3 / 2));
        EXPECT_NEAR(std::uint8_t(raw.text[0]), c.luma, 1) << c.H << c.matrix;
        const auto back = means(frames_of(folder / "red.mkv")[0]);
        EXPECT_NEAR(back[0], 0, 2);
        EXPECT_NEAR(back[1], 0, 2);
        EXPECT_NEAR(back[2], 200, 2);
    }
}

TEST(Video, SoundIsCopiedWhereSafeElseEncoded)
{
    const Folder folder;
    struct Case {
        const char *in, *codec, *out, *expected;
    };
    for (const Case& c : {Case{"a.mp4", "aac", "1.mp4", "copied"},
                          {"a.mpg", "mp2", "2.mp4", "aac"},
                          {"a.mpg", "mp2", "3.mkv", "copied"},
                          {"b.mkv", "flac", "4.mov", "aac"},
                          {"b.mkv", "flac", "5.mkv", "copied"},
                          {"c.mkv", "pcm_s16le", "6.mp4", "aac"}}) {
        if (!fs::exists(folder / c.in)) make_clip(folder / c.in, "64x48", 25, {"-c:a", c.codec});
        const std::string sound =
            pass_through(folder / c.in, folder / c.out, {.preset = "ultrafast", .source = folder / c.in}).sound;
        EXPECT_EQ(sound, c.expected) << c.in << " -> " << c.out;
        EXPECT_EQ(probe(folder / c.out).codecs(StreamKind::sound).size(), 1u) << c.in << " -> " << c.out;
    }
}

TEST(Video, NoSoundAndSoundThatCannotBeDecoded)
{
    const Folder folder;
    make_clip(folder / "quiet.mp4", "64x48", 5, {"-pix_fmt", "yuv420p"}, false);
    std::string sound =
        pass_through(folder / "quiet.mp4", folder / "1.mp4", {.preset = "ultrafast", .source = folder / "quiet.mp4"})
            .sound;
    EXPECT_EQ(sound, "none");
    // An unknown codec: rename the one in the Matroska header.
    make_clip(folder / "in.mkv", "64x48", 5, {"-c:a", "flac"});
    auto bytes = read_file(folder / "in.mkv");
    std::string text(bytes.begin(), bytes.end());
    const std::size_t at = text.find("A_FLAC");
    ASSERT_NE(at, std::string::npos);
    write_text(folder / "odd.mkv", text.replace(at, 6, "A_WHAT"));
    sound =
        pass_through(folder / "odd.mkv", folder / "2.mp4", {.preset = "ultrafast", .source = folder / "odd.mkv"}).sound;
    EXPECT_EQ(sound, "lost");
    EXPECT_EQ(probe(folder / "2.mp4").frames, 5);
    EXPECT_EQ(test::entries(folder.path()), 5);
}

/// Makes players turn an .mp4 by a quarter, by the matrix of its track header: each ffmpeg has another option for it.
void turn(const fs::path& clip)
{
    constexpr std::size_t kMatrix = 44;                                           // bytes from the header's name
    constexpr std::uint8_t kOne[] = {0, 1, 0, 0}, kMinusOne[] = {255, 255, 0, 0}; // 16.16
    const auto read = read_file(clip);
    std::string bytes(read.begin(), read.end());
    const std::size_t at = bytes.find("tkhd") + kMatrix;
    std::fill_n(bytes.begin() + std::ptrdiff_t(at), 20, '\0');
    std::copy_n(kOne, 4, bytes.begin() + std::ptrdiff_t(at + 4));
    std::copy_n(kMinusOne, 4, bytes.begin() + std::ptrdiff_t(at + 12));
    write_text(clip, bytes);
}

TEST(Video, RotationIsCarriedOut)
{
    const Folder folder;
    make_clip(folder / "a.mp4", "64x48", 2, {"-pix_fmt", "yuv420p"}, false);
    fs::copy_file(folder / "a.mp4", folder / "turned.mp4");
    turn(folder / "turned.mp4");
    const VideoInfo info = probe(folder / "turned.mp4");
    EXPECT_EQ(info.format.W, 48);
    EXPECT_EQ(info.format.H, 64);
    const Image flat = frames_of(folder / "a.mp4")[0], turned = frames_of(folder / "turned.mp4")[0];
    ASSERT_EQ(turned.H, 64);
    double clockwise = 0, counter = 0;
    for (int y = 0; y < 64; ++y)
        for (int x = 0; x < 48; ++x) {
            clockwise += std::abs(int(turned.at(y, x)[1]) - int(flat.at(47 - x, y)[1]));
            counter += std::abs(int(turned.at(y, x)[1]) - int(flat.at(x, 63 - y)[1]));
        }
    EXPECT_LT(clockwise, 3.0 * 64 * 48); // the first column of the matrix turns right to down
    EXPECT_GT(counter, 10.0 * 64 * 48);
}

TEST(Video, BadFilesSayWhatTheyAre)
{
    const Folder folder;
    make_clip(folder / "good.mp4", "320x240", 60, {"-pix_fmt", "yuv420p", "-movflags", "+faststart"});
    make_clip(folder / "tail.mp4", "320x240", 60, {"-pix_fmt", "yuv420p"});
    const auto bytes = read_file(folder / "good.mp4");
    const auto tail = read_file(folder / "tail.mp4");
    const std::string good(bytes.begin(), bytes.end());

    BIFRONS_EXPECT_ERROR(probe(folder / "none.mp4"), data, "does not exist");
    BIFRONS_EXPECT_ERROR(probe(folder.path()), data, "not a regular file");
    write_text(folder / "empty.mp4", "");
    BIFRONS_EXPECT_ERROR(probe(folder / "empty.mp4"), data, "is empty");
    write_text(folder / "words.mp4", "these are only words, and they do not move\n");
    BIFRONS_EXPECT_ERROR(probe(folder / "words.mp4"), data, "words.mp4: cannot be read as video");
    write_text(folder / "words.nfo", "these are only words, and they do not move\n");
    BIFRONS_EXPECT_ERROR(probe(folder / "words.nfo"), data, "words.nfo");
    write_text(folder / "notail.mp4", std::string(tail.begin(), tail.end() - std::ptrdiff_t(tail.size() / 2)));
    BIFRONS_EXPECT_ERROR(probe(folder / "notail.mp4"), data, "notail.mp4");
    write_text(folder / "half.mp4", good.substr(0, good.size() / 2));
    BIFRONS_EXPECT_ERROR(VideoReader(folder / "half.mp4", {.strict = true}), data, "truncated");
    make_clip(folder / "sound.wav", "64x48", 5, {"-map", "1:a"});
    BIFRONS_EXPECT_ERROR(probe(folder / "sound.wav"), data, "holds no video");
    write_text(folder / "list.mp4", "ffconcat version 1.0\nfile /etc/hostname\n");
    BIFRONS_EXPECT_ERROR(probe(folder / "list.mp4"), data, "list.mp4");
}

TEST(Video, FileNamesAreOnlyNames)
{
    const Folder folder;
    const fs::path before = fs::current_path();
    fs::current_path(folder.path());
    const std::vector<fs::path> names = {"-i.mkv", "a b; touch c.mkv", "$(x)'\".mkv", "http:x.mkv", "%03d.mkv"};
    for (const fs::path& name : names) {
        make_clip("in.mkv", "64x48", 2, {}, false);
        fs::rename("in.mkv", name);
        EXPECT_NO_THROW(pass_through(name, name.string() + ".mkv", {.preset = "ultrafast"})) << name;
    }
    EXPECT_EQ(test::entries(folder.path()), 10);
    fs::current_path(before);
}

TEST(Video, NothingIsOverwrittenOrLeftBehind)
{
    const Folder folder;
    write_text(folder / "a.mp4", "precious");
    const VideoFormat format = {.H = 16, .W = 16};
    BIFRONS_EXPECT_ERROR(VideoWriter(folder / "a.mp4", format, {}), usage, "--overwrite");
    BIFRONS_EXPECT_ERROR(VideoWriter(folder / "a.avi", format, {}), usage, ".avi");
    BIFRONS_EXPECT_ERROR(VideoWriter(folder / "no" / "a.mp4", format, {}), data, "not a folder");
    fs::create_directory(folder / "dir.mp4");
    BIFRONS_EXPECT_ERROR(VideoWriter(folder / "dir.mp4", format, {.existing = Existing::replace}), data,
                         "not a regular file");
    {
        VideoWriter unfinished(folder / "a.mp4", format, {.existing = Existing::replace});
        unfinished.write(Image(16, 16, 3));
        BIFRONS_EXPECT_ERROR(unfinished.write(Image(16, 18, 3)), shape, "expected [16,16,3]");
    }
    const auto bytes = read_file(folder / "a.mp4");
    EXPECT_EQ(std::string(bytes.begin(), bytes.end()), "precious");
    EXPECT_EQ(test::entries(folder.path()), 2);
}

TEST(Video, OutputThatDoesNotFitIsReportedAndLeavesTheOldFile)
{
    const Folder folder;
    write_text(folder / "a.mp4", "precious");
    // A limit on file size stands in for a full disk: ffmpeg's write fails in the same way.
    rlimit before = {};
    ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
    const auto handler = std::signal(SIGXFSZ, SIG_IGN);
    const rlimit tight = {4096, before.rlim_max};
    const auto write_much = [&] {
        ::setrlimit(RLIMIT_FSIZE, &tight);
        VideoWriter writer(folder / "a.mp4", {.H = 64, .W = 64},
                           {.existing = Existing::replace, .crf = 0, .preset = "ultrafast"});
        ::setrlimit(RLIMIT_FSIZE, &before);
        Image noise(64, 64, 3);
        for (int frame = 0; frame < 50; ++frame) {
            for (std::uint8_t& v : noise.pixels) v = std::uint8_t(std::rand());
            writer.write(noise);
        }
        writer.finish();
    };
    BIFRONS_EXPECT_ERROR(write_much(), failed, "a.mp4: cannot be written");
    BIFRONS_EXPECT_ERROR(write_much(), failed, "Check the free space.");
    std::signal(SIGXFSZ, handler);
    const auto bytes = read_file(folder / "a.mp4");
    EXPECT_EQ(std::string(bytes.begin(), bytes.end()), "precious");
    EXPECT_EQ(test::entries(folder.path()), 1);
}

/// PATH is another for as long as this lives.
class Path {
  public:
    explicit Path(const std::string& value) : before_(std::getenv("PATH")) { ::setenv("PATH", value.c_str(), 1); }
    ~Path() { ::setenv("PATH", before_.c_str(), 1); }

  private:
    std::string before_;
};

TEST(Video, APlaylistOpensNoOtherFile)
{
    const Folder folder;
    make_clip(folder / "private.ts", "64x48", 2, {});
    make_clip(folder / "private.mp4", "64x48", 2, {});
    write_text(folder / "hls.mp4", "#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\nfile://" +
                                       (folder / "private.ts").string() + "\n#EXT-X-ENDLIST\n");
    write_text(folder / "concat.mp4", "ffconcat version 1.0\nfile private.mp4\n");
    for (const char* name : {"hls.mp4", "concat.mp4"}) {
        BIFRONS_EXPECT_ERROR(probe(folder / name), data, str(name, ": is a playlist"));
        BIFRONS_EXPECT_ERROR(frames_of(folder / name), data, "expected a file that holds its own video");
        for (const char* program : {"ffmpeg", "ffprobe"}) {
            Words command = {program, "-v", "error"};
            append(command, input_options(folder / name));
            if (program == std::string("ffmpeg")) append(command, {"-f", "null", "-"});
            EXPECT_TRUE(is_refused_format(run(command).complaint)) << program << " " << name;
        }
    }
    EXPECT_EQ(probe(folder / "private.mp4").frames, 2);
}

TEST(Video, AMissingOrFailingProgramIsNamed)
{
    const Folder folder;
    make_clip(folder / "a.mkv", "64x48", 2, {});
    {
        const Path empty(folder.path().string());
        BIFRONS_EXPECT_ERROR(probe(folder / "a.mkv"), failed, "apt install ffmpeg");
    }
    fs::create_directory(folder / "bin");
    write_text(folder / "bin" / "ffmpeg", "#!/bin/sh\necho broken on purpose >&2\nexit 7\n");
    fs::permissions(folder / "bin" / "ffmpeg", fs::perms::owner_all);
    const Path broken((folder / "bin").string() + ":" + std::getenv("PATH"));
    BIFRONS_EXPECT_ERROR(frames_of(folder / "a.mkv"), data, "broken on purpose");
    const auto write = [&] {
        VideoWriter writer(folder / "out.mkv", {.H = 480, .W = 640}, {});
        for (int i = 0; i < 20; ++i) writer.write(Image(480, 640, 3));
        writer.finish();
    };
    BIFRONS_EXPECT_ERROR(write(), failed, "broken on purpose");
    write_text(folder / "bin" / "ffmpeg", "#!/bin/sh\nkill -9 $$\n");
    BIFRONS_EXPECT_ERROR(write(), failed, "was ended by signal 9, Killed");
    // One that ends well and writes nothing.
    write_text(folder / "bin" / "ffmpeg", "#!/bin/sh\nexec cat >/dev/null\n");
    BIFRONS_EXPECT_ERROR(write(), failed, "0 of 20 frames are in the file");
    // One that ends well before it has read anything.
    write_text(folder / "bin" / "ffmpeg", "#!/bin/sh\nexit 0\n");
    BIFRONS_EXPECT_ERROR(write(), failed, "frames and gave no reason");
    write_text(folder / "bin" / "ffmpeg",
               "#!/bin/sh\necho 'Error while processing: Cannot allocate memory' >&2\nexit 1\n");
    BIFRONS_EXPECT_ERROR(frames_of(folder / "a.mkv"), failed, "ffmpeg: lacks memory or threads");
    // ffmpeg 4.4.
    write_text(folder / "bin" / "ffmpeg", "#!/bin/sh\necho \"Unrecognized option 'fps_mode'.\" >&2\n"
                                          "echo 'Error splitting the argument list: Option not found' >&2\nexit 1\n");
    BIFRONS_EXPECT_ERROR(write(), failed, "ffmpeg: is too old (Unrecognized option 'fps_mode'.");
    BIFRONS_EXPECT_ERROR(frames_of(folder / "a.mkv"), failed, "expected version 5.1 or newer");
    EXPECT_FALSE(fs::exists(folder / "out.mkv"));
}

TEST(Video, RealClipsKeepLumaAndSound)
{
    for (const char* name : {"grid/pwij3p.mpg", "clips/henry_viii_pan.mp4"}) {
        const fs::path clip = test::assets() / "faces" / name;
        BIFRONS_NEEDS_ASSET(clip);
        const Folder folder;
        const Passed passed = pass_through(clip, folder / "out.mp4", {.crf = 0, .preset = "ultrafast", .source = clip});
        RecordProperty(std::string("luma_shift_") + fs::path(name).stem().string(), std::to_string(passed.luma));
        std::printf("%s: mean luma moves by %.3f, mean colour by %.3f at most\n", name, passed.luma, passed.colour);
        EXPECT_LE(passed.luma, 0.6) << name;
        EXPECT_EQ(passed.sound, probe(clip).codecs(StreamKind::sound).empty() ? "none" : "aac");
    }
}

} // namespace
} // namespace bifrons::data
