#include "tools/commands.h"
#include "tools/face_swap.h"
#include "tools/finder_options.h"
#include "tools/footage_options.h"
#include "tools/interrupt.h"
#include "tools/open_model.h"
#include "tools/options.h"
#include "tools/progress.h"

#include <cmath>
#include <filesystem>

namespace bifrons::tools {

namespace {

namespace fs = std::filesystem;

constexpr std::size_t kBlock = 16; // frames in work together
constexpr const char* kComment = "synthetic: faces in this footage were replaced by a neural network (Bifrons)";

struct Options {
    std::string model, input, out, device = "auto", mask, color, blend;
    data::MergeOptions merge = {};
    std::function<data::FinderOptions(Console&)> finder;
    std::function<data::ReaderOptions()> reader;
    std::function<data::VideoOptions()> video;
    double fps = 25, latent_map = 0;
    bool overwrite = false;
};

bool same(const fs::path& a, const fs::path& b)
{
    std::error_code ignored;
    return fs::equivalent(a, b, ignored);
}

fs::path folder_of(const fs::path& path)
{
    return path.has_parent_path() ? path.parent_path() : fs::path(".");
}

/// Refuses an output that would replace a frame of the input, or anything else that was not meant to be.
void check_output(const Options& o)
{
    const fs::path in = o.input, out = o.out;
    const bool one_picture = data::has_picture_name(out), one_file = one_picture || data::has_video_name(out);
    const bool over_input = same(in, out) || (one_file ? fs::is_directory(in) && same(in, folder_of(out))
                                                       : !fs::is_directory(in) && same(folder_of(in), out));
    BIFRONS_CHECK(usage, !over_input, o.out,
                  ": is where the input is, whose frames could be overwritten; expected another folder");
    const data::Existing existing = o.overwrite ? data::Existing::replace : data::Existing::keep;
    if (one_picture) return data::check_picture_destination(out, existing);
    if (one_file) return data::check_destination(out, existing);
    BIFRONS_CHECK(usage, fs::is_directory(out) || !out.has_extension(), o.out, ": unknown output format \"",
                  out.extension().string(), "\"; expected .mp4, .mov, .mkv, .png, .jpg, or the name of a folder");
    BIFRONS_CHECK(usage, o.overwrite || !fs::is_directory(out) || fs::is_empty(out), o.out,
                  ": the folder is not empty; expected a new or empty one. Choose another, or add --overwrite.");
}

data::MergeOptions merge_options(const Options& o)
{
    data::MergeOptions merge = o.merge;
    merge.mask = data::mask_kind_of(o.mask);
    merge.color = data::color_kind_of(o.color);
    merge.blend = data::blend_kind_of(o.blend);
    return merge;
}

/// What each thread that pastes opens: the network's GPU, or one thread of the processor.
std::string merging_device(const Options& o, const kernels::Device& network)
{
    if (network.kind() == kernels::DeviceKind::cpu) return "cpu:1";
    return o.device == "auto" ? kernels::choose_device().name : o.device;
}

std::vector<data::Frame> next_block(data::FrameSource& source)
{
    std::vector<data::Frame> frames;
    for (data::Frame frame; frames.size() < kBlock && source.next(frame);) frames.push_back(std::move(frame));
    return frames;
}

data::SinkOptions sink_options(const Options& o, const data::FrameSource& source, const data::Image& first)
{
    data::SinkOptions sink = {.video = o.video()};
    sink.video.existing = o.overwrite ? data::Existing::replace : data::Existing::keep;
    sink.video.comment = kComment;
    if (const data::VideoInfo* video = source.video()) {
        sink.format = video->format;
        sink.video.source = o.input;
    } else {
        sink.format = {.H = first.H, .W = first.W, .rate = {std::llround(o.fps * 1000), 1000}};
    }
    return sink;
}

/// What the output holds beside the frames.
struct Written {
    std::string video = {}; ///< how its pictures are coded; empty for picture files
    data::Carried carried = {};
};

/// Swaps all frames.
Written swap_frames(const Options& o, data::FrameSource& source, FaceSwap& swap, Console& console)
{
    std::vector<data::Frame> frames = next_block(source);
    BIFRONS_CHECK(data, !frames.empty(), o.input, ": holds no frames; expected one at least");
    const auto sink = data::create_frames(o.out, sink_options(o, source, frames[0].image));
    Progress progress(console, "merge", "frames", source.count());
    for (; !frames.empty(); frames = next_block(source)) {
        if (interrupted())
            throw Interrupted(str("interrupted after ", swap.counts().frames, " frames; ",
                                  data::has_video_name(o.out) ? "nothing was written" : str("they are in ", o.out)));
        swap(frames);
        for (const data::Frame& frame : frames) sink->write(frame);
        progress.update(swap.counts().frames, {{"faces", double(swap.counts().faces)}});
    }
    data::Carried carried = sink->finish();
    return {sink->description(), std::move(carried)};
}

std::string joined(const std::vector<std::string>& words)
{
    std::string text;
    for (const std::string& word : words) text += (text.empty() ? "" : ", ") + word;
    return text;
}

void show(const Options& o, const SwapCounts& counts, const Written& written, double seconds, Console& console)
{
    const data::Carried& carried = written.carried;
    console.result(str(o.out, ": ", counts.frames, " frames, ", counts.faces, " faces replaced\n  ",
                       counts.without_face, " frames without a face left unchanged, ", counts.ignored,
                       " other faces ignored, ", counts.low_score, " dropped for a low score\n  ",
                       written.video.empty() ? "" : "video: " + written.video + "\n  ", "sound: ", carried.sound,
                       carried.kept.empty() ? "" : "; kept: " + joined(carried.kept), "\n  ", duration_text(seconds),
                       "\n"),
                   {{"out", o.out},
                    {"frames", counts.frames},
                    {"faces", counts.faces},
                    {"frames_without_face", counts.without_face},
                    {"ignored_faces", counts.ignored},
                    {"low_score_faces", counts.low_score},
                    {"video", written.video},
                    {"sound", carried.sound},
                    {"kept", carried.kept},
                    {"lost", carried.lost},
                    {"seconds", seconds}});
}

/// What frames of this video lose on the way.
void warn_of_losses(const std::string& name, const data::VideoInfo& video, Console& console)
{
    if (video.bits > 8)
        console.warn(str(name, ": has ", video.bits, " bits per channel; frames are processed and written with 8"));
}

/// Frames that hold two moments each are not written as if they held one.
void check_fields(const Options& o, const data::FrameSource& source)
{
    const bool combed = source.video() && source.video()->fields != data::Fields::none;
    BIFRONS_CHECK(usage, !combed || o.reader().deinterlace == data::Deinterlace::always, o.input,
                  ": is interlaced, so each frame shows two moments, combed into each other; expected progressive "
                  "video. Add --deinterlace.");
}

void tell(const Options& o, data::FrameSource& source, Console& console)
{
    for (const std::string& remark : source.remarks()) console.warn(str(o.input, ": ", remark));
}

void merge(const Options& o, Console& console)
{
    const double begin = Progress::steady_seconds();
    check_output(o);
    const auto source = data::open_frames(o.input, o.reader());
    check_fields(o, *source);
    tell(o, *source, console);
    BIFRONS_CHECK(usage, !data::has_picture_name(o.out) || source->count() == 1, o.out,
                  ": one picture cannot hold the input's ", source->count(), " frames; expected a folder or a video");
    if (!data::has_video_name(o.out)) source->check_names();
    if (source->video()) warn_of_losses(o.input, *source->video(), console);
    const Checkpoint checkpoint = open_checkpoint(o.model, console);
    const auto device = open_device(o.device, console);
    const model::TrainedModel model(*device, checkpoint);
    if (model.averaged()) console.say("using the averaged weights (ema)");
    Pool memory(*device);
    const std::optional<model::CodeMap> map = open_latent_map(o.model, o.latent_map, *device, model, memory, console);
    FaceSwap swap(*device, model, o.finder(console), merge_options(o), merging_device(o, *device),
                  map ? &*map : nullptr);
    const Written written = swap_frames(o, *source, swap, console);
    tell(o, *source, console);
    for (const std::string& lost : written.carried.lost) console.warn(str(o.out, ": lacks ", lost));
    if (swap.counts().faces == 0)
        console.warn(str(o.input, ": no face found; the output shows the input's frames unchanged"));
    show(o, swap.counts(), written, Progress::steady_seconds() - begin, console);
}

} // namespace

Work declare_merge(CLI::App& app)
{
    const auto o = std::make_shared<Options>();
    data::MergeOptions& m = o->merge;
    o->mask = name_of(m.mask);
    o->color = data::name_of(m.color);
    o->blend = name_of(m.blend);
    required(text(app, "--model", o->model, "FOLDER", "model folder, or one of its checkpoints"));
    required(text(app, "--input", o->input, "PATH", "destination footage: a video, a picture or a folder of pictures"));
    required(text(app, "-o,--out", o->out, "PATH", "a video (.mp4, .mov, .mkv), a picture (.png, .jpg) or a folder"));
    choice(app, "--mask", o->mask, {"hull", "predicted", "product"},
           "region to replace: hull of the landmarks, mask predicted by the model, or product of both");
    number(app, "--erode", m.erode_px, -100.0, 100.0,
           "shrink the mask by this, px of a 256 px face; negative grows it");
    number(app, "--feather", m.feather_px, 0.0, 100.0, "width of the mask's soft edge, px of a 256 px face");
    choice(app, "--color", o->color, {"none", "rct", "lct", "mkl", "idt", "sot"},
           "colour transfer to the face: mean and deviation (rct), covariance too (lct, mkl), distribution "
           "(idt, sot)");
    number(app, "--alpha", m.alpha, 0.0, 1.0, "strength of the colour transfer");
    number(app, "--beta", m.beta, 0.0, 1.0, "strength of the light adjustment: the frame's shading on the face");
    number(app, "--sharpen", m.sharpen, 0.0, 1.0,
           "sharpen the face up to this share of the sharpness of the frame's own face; 0: off");
    choice(app, "--blend", o->blend, {"none", "feather", "poisson"},
           "how the edge is blended: not at all, by a soft mask, or by Poisson (seamless cloning)");
    number(app, "--latent-map", o->latent_map, 0.0, 1.0,
           "strength of the latent mapping that `bifrons map` fitted; 0 = off");
    o->finder = finder_options(app);
    o->reader = reader_options(app);
    o->video = video_options(app);
    number(app, "--fps", o->fps, 0.001, 1000.0, "frame rate of a video made from pictures");
    flag(app, "--overwrite", o->overwrite, "replace existing files");
    device_option(app, o->device);
    return [o](Console& console) { merge(*o, console); };
}

} // namespace bifrons::tools
