#include "data/faceset.h"
#include "data/media/frames.h"
#include "data/warp.h"
#include "engine/json.h"
#include "tools/commands.h"
#include "tools/comparison.h"
#include "tools/interrupt.h"
#include "tools/options.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <numbers>

namespace bifrons::tools {

namespace {

namespace fs = std::filesystem;

struct Options {
    std::string out = "bifrons-demo", pictures;
    double minutes = 5;
    std::int64_t steps = 100000;
};

constexpr int kFrames = 75; // three seconds
constexpr int kSide = 320;  // px of the clips
constexpr std::int64_t kFirstSteps = 10, kMeasuredSteps = 40;

/// The portraits, as their Debian packages name them.
constexpr const char* kSource = "astronaut.png";
constexpr const char* kDestination = "grace_hopper_512x512.jpg";

/// Where tools/demo.sh puts them, beside the program, or where an installation has them.
fs::path default_pictures()
{
    std::error_code ignored;
    const fs::path folder = fs::read_symlink("/proc/self/exe", ignored).parent_path(),
                   installed = folder.parent_path() / "share/bifrons/demo-pictures";
    return fs::exists(installed) ? installed : folder / "demo-pictures";
}

/// What the camera sees of a portrait at time t in 0..1: it drifts around the face, turns a little and zooms.
data::Affine camera(const data::Image& portrait, double t)
{
    const double turn = 2 * std::numbers::pi * t;
    const double side =
        0.72 * double(portrait.W) * (1 + 0.10 * std::sin(3 * turn)); // px of the portrait under the frame
    const double angle = 0.15 * std::sin(2 * turn);
    const double x = double(portrait.W) * (0.46 + 0.05 * std::sin(turn)),
                 y = double(portrait.H) * (0.38 + 0.03 * std::cos(turn));
    const double scale = kSide / side, c = scale * std::cos(angle), s = scale * std::sin(angle),
                 middle = (kSide - 1) / 2.0;
    return {{c, -s, middle - c * x + s * y, s, c, middle - s * x - c * y}};
}

/// A clip made by moving the camera over a portrait; kept if an earlier run made it.
void make_clip(const fs::path& portrait_path, const fs::path& clip, Console& console)
{
    if (fs::exists(clip)) return;
    console.say(str("making ", clip.string(), " from ", portrait_path.filename().string()));
    const data::Image portrait = data::load_image(portrait_path);
    const auto sink = data::create_frames(clip, {.format = {.H = kSide, .W = kSide}});
    for (int i = 0; i < kFrames; ++i)
        sink->write({.index = i, .image = data::warp(portrait, camera(portrait, double(i) / kFrames), kSide, kSide)});
    sink->finish();
}

/// Runs one of the program's own commands, as a user would type it.
void run_command(const std::vector<std::string>& words, Console& console)
{
    std::vector<const char*> argv = {"bifrons"};
    std::string line = "$ bifrons";
    for (const std::string& word : words) {
        argv.push_back(word.c_str());
        line += " " + word;
    }
    if (console.json()) argv.push_back("--json");
    console.say("\n" + line);
    const int code = run(int(argv.size()), argv.data());
    if (interrupted()) throw Interrupted("interrupted. Run the same command again to continue.");
    BIFRONS_CHECK(failed, code == 0, "`bifrons ", words[0], "` failed with exit code ", code);
}

/// Seconds that a step of this model takes here: by its history, after the first steps, which take longer.
double step_seconds(const fs::path& model)
{
    double seconds = 0, steps = 0;
    std::ifstream history(model / "history.jsonl");
    for (std::string line; std::getline(history, line);) {
        const Json entry = json_or_discarded(line);
        if (entry.is_discarded() || entry["event"] != "steps" || entry["step"] <= kFirstSteps ||
            entry["step"] > kMeasuredSteps)
            continue;
        seconds += entry["seconds"].get<double>();
        steps += entry["steps"].get<double>();
    }
    BIFRONS_CHECK(failed, steps > 0, (model / "history.jsonl").string(), ": has no steps up to ", kMeasuredSteps,
                  ". Remove ", model.string(), " and start again.");
    return seconds / steps;
}

/// Trains for as many steps as fit into the time, with the schedules of the preset drawn to that length, and no longer
/// than that time where the machine turns out slower.
void train(const Options& o, const std::string& src, const std::string& dst, const std::string& model, Console& console)
{
    const auto run_train = [&](std::int64_t steps, const std::vector<std::string>& more) {
        std::vector<std::string> words = {"train", "--src",    src,        "--dst",   dst,       "--model",
                                          model,   "--preset", "cpu-fast", "--steps", str(steps)};
        words.insert(words.end(), more.begin(), more.end());
        run_command(words, console);
    };
    std::int64_t steps = o.steps;
    if (o.steps > kMeasuredSteps) {
        run_train(kMeasuredSteps, {});
        const double seconds = 0.95 * 60 * o.minutes; // the schedules shall reach their end
        steps = std::clamp(std::int64_t(seconds / step_seconds(model)), kMeasuredSteps, o.steps);
    }
    run_train(steps, {"--minutes", str(o.minutes), "--set", str("lr_decay_steps=", steps), "--set",
                      str("random_warp_steps=", steps / 4), "--set", "preview_every=200", "--set", "save_every=400"});
}

/// The middle face of a faceset, swapped, beside what it was.
void save_comparison(const fs::path& faceset, const fs::path& before, const fs::path& after, const fs::path& picture)
{
    const data::Faceset set = data::load_faceset(faceset);
    const data::FaceRecord& face = set.faces[set.faces.size() / 2];
    data::save_image(
        picture, comparison(before, after, face.frame, face.in_frame),
        {.existing = data::Existing::replace,
         .made = {.comment = "synthetic: the face of the second picture and of the close-up was replaced by a "
                             "neural network (Bifrons)",
                  .tool = "Bifrons " BIFRONS_VERSION}});
}

void demo(const Options& o, Console& console)
{
    const fs::path out = o.out, pictures = o.pictures.empty() ? default_pictures() : fs::path(o.pictures);
    for (const char* name : {kSource, kDestination})
        BIFRONS_CHECK(
            data, fs::exists(pictures / name), (pictures / name).string(),
            ": does not exist. tools/demo.sh downloads the two portraits; or give their folder with --pictures.");
    fs::create_directories(out);
    const auto path = [&](const char* name) { return (out / name).string(); };
    make_clip(pictures / kSource, out / "src.mp4", console);
    make_clip(pictures / kDestination, out / "dst.mp4", console);
    run_command({"extract", path("src.mp4"), "-o", path("src-faces"), "--detector", "hog"}, console);
    run_command({"extract", path("dst.mp4"), "-o", path("dst-faces"), "--detector", "hog"}, console);
    console.say(
        "\nEach side of the demo is one portrait, with one view and one expression: what training warns of is true of "
        "them.\nFootage of a person who moves and speaks does not have these faults.");
    train(o, path("src-faces"), path("dst-faces"), path("model"), console);
    run_command({"merge", "--model", path("model"), "--input", path("dst.mp4"), "-o", path("swapped.mp4"), "--detector",
                 "hog", "--sharpen", "0.8", "--noise", "1", "--overwrite"},
                console);
    save_comparison(out / "dst-faces", out / "dst.mp4", out / "swapped.mp4", out / "comparison.jpg");
    console.result(str("\nswapped video        ", path("swapped.mp4"), "\nbefore and after     ",
                       path("comparison.jpg"), "\npreview sheet        ", path("model/preview.png"), "\n"),
                   {{"video", path("swapped.mp4")},
                    {"comparison", path("comparison.jpg")},
                    {"preview", path("model/preview.png")}});
}

} // namespace

Work declare_demo(CLI::App& app)
{
    const auto options = std::make_shared<Options>();
    text(app, "--out", options->out, "FOLDER", "folder of all the demo's files; an interrupted run continues there");
    number<double>(app, "--minutes", options->minutes, 0.01, 1e6, "maximum training time, minutes");
    number<std::int64_t>(app, "--steps", options->steps, 1, 1000000,
                         "maximum training steps; below 300 the faces are blurred");
    text(app, "--pictures", options->pictures, "FOLDER", "folder with astronaut.png and grace_hopper_512x512.jpg");
    return [options](Console& console) { demo(*options, console); };
}

} // namespace bifrons::tools
