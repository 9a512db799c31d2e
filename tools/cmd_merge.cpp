#include "data/jitter.h"
#include "data/sha256.h"
#include "engine/mapped_file.h"
#include "kernels/base/words.h"
#include "model/trained.h"
#include "tools/commands.h"
#include "tools/face_swap.h"
#include "tools/finder_options.h"
#include "tools/footage_options.h"
#include "tools/interrupt.h"
#include "tools/merge_output.h"
#include "tools/open_faceset.h"
#include "tools/open_model.h"
#include "tools/options.h"
#include "tools/people.h"
#include "tools/progress.h"

#include <cmath>
#include <filesystem>
#include <set>

namespace bifrons::tools {

namespace {

namespace fs = std::filesystem;

constexpr std::int64_t kSmooth = 3; // frames: 7 in all take most of the jitter and none of what the face does
constexpr const char* kComment = "synthetic: faces in this footage were replaced by a neural network (Bifrons)";

struct Options {
    std::string model, input, out, device = "auto", faceset, settings, save_settings, range, masks, output = "swapped",
                                   identity;
    std::vector<std::string> map;
    std::function<MergePlan(const std::string&, std::int64_t)> plan;
    std::optional<std::int64_t> fill, smooth;
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

/// A name that means a file of a kind that is not written. A folder may be named 2024.05 or cut.v2.
bool is_other_media(const fs::path& path)
{
    static const std::set<std::string> endings = {".apng", ".avi", ".avif", ".flv",  ".gif", ".heic",
                                                  ".m2ts", ".m4v", ".mpeg", ".mpg",  ".mts", ".mxf",
                                                  ".ogv",  ".tga", ".ts",   ".webm", ".wmv"};
    return endings.contains(data::lower_ending(path));
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
    BIFRONS_CHECK(usage, o.output != "face" || !one_file, o.out, ": --output face writes a folder; expected its name");
    BIFRONS_CHECK(usage, o.output != "layer" || !one_picture || out.extension() == ".png", o.out,
                  ": holds no alpha, which --output layer needs; expected .png");
    if (one_picture) return data::check_picture_destination(out, existing);
    if (one_file) return data::check_destination(out, existing);
    BIFRONS_CHECK(usage, fs::is_directory(out) || !is_other_media(out), o.out, ": unknown output format \"",
                  out.extension().string(), "\"; expected .mp4, .mov, .mkv, .png, .jpg, or the name of a folder");
    BIFRONS_CHECK(usage, o.overwrite || !fs::is_directory(out) || fs::is_empty(out), o.out,
                  ": the folder is not empty; expected a new or empty one. Choose another, or add --overwrite.");
}

/// Refuses to replace what an input's picture is a link to.
void check_apart(const Options& o, const data::FrameSource& source)
{
    const fs::path out = o.out;
    const bool one_file = data::has_video_name(out) || data::has_picture_name(out);
    std::set<fs::path> outputs = {fs::weakly_canonical(out)};
    for (const fs::path& file : source.files())
        if (!one_file) outputs.insert(fs::weakly_canonical(out / (file.stem().string() + ".png")));
    for (const fs::path& file : source.files()) {
        const fs::path input = fs::weakly_canonical(file);
        BIFRONS_CHECK(usage, !outputs.contains(input), file.string(), ": leads to ", input.string(),
                      ", which the output would replace. Choose another output.");
    }
}

/// What each thread that pastes opens: the network's GPU, or one thread of the processor.
std::string merging_device(const Options& o, const kernels::Device& network)
{
    if (network.kind() == kernels::DeviceKind::cpu) return "cpu:1";
    return o.device == "auto" ? kernels::choose_device().name : o.device;
}

/// "120-180" as numbers of frames.
void parse_range(const std::string& text, std::int64_t frames, SwapOptions& swap)
{
    if (text.empty()) return;
    long long from = -1, to = -1;
    char rest = 0;
    const bool good = std::sscanf(text.c_str(), "%lld-%lld%c", &from, &to, &rest) == 2;
    BIFRONS_CHECK(usage, good && from >= 0 && from <= to && to < frames, "--only-range: is \"", text,
                  "\"; expected FROM-TO within 0-", frames - 1);
    swap.from = from;
    swap.to = to;
}

SwapOptions swap_options(const Options& o, const kernels::Device& device, int threads, std::int64_t frames)
{
    SwapOptions swap{.merging_device = merging_device(o, device), .threads = threads};
    parse_range(o.range, frames, swap);
    return swap;
}

/// The footage's faces, as the faceset has them or as they are found.
data::FootageFaces find_faces(const Options& o, const data::FrameSource& footage, const data::Faceset* known,
                              const data::FinderOptions& options, std::shared_ptr<const data::LandmarkModel> landmarks,
                              Console& console)
{
    if (known) {
        data::FootageFaces faces = data::faces_of(*known, o.input, footage.count());
        if (faces.other_file)
            console.warn(str(o.input, ": is another file than the one of this name that ", o.faceset,
                             " was extracted from; its faces may lie elsewhere"));
        return faces;
    }
    data::FaceFinder finder(options, std::move(landmarks));
    Progress progress(console, "find faces", "frames", footage.count());
    return data::find_faces(*footage.again(), finder, [&](std::int64_t done) {
        if (interrupted()) throw Interrupted("interrupted while looking for faces; nothing was written");
        progress.update(done);
    });
}

/// Of all people's faces, one after the other.
std::optional<double> jitter_of(const data::Clip& clip)
{
    std::vector<std::optional<data::Landmarks>> points;
    for (const data::Track& track : data::tracks_of(clip)) {
        for (std::int64_t t = track.begin; t < track.end(); ++t) points.push_back(face_at(clip, track, t).points);
        points.push_back(std::nullopt);
    }
    return data::landmark_jitter(points);
}

/// Returns the number of frames in which a face was filled in.
std::int64_t steady(const Options& o, const data::VideoInfo* video, data::Clip& clip)
{
    const std::int64_t half_a_second = video ? std::llround(video->format.rate.value() / 2) : 0;
    const std::int64_t filled = data::fill_gaps(clip, o.fill.value_or(half_a_second));
    data::smooth_landmarks(clip, o.smooth.value_or(video ? kSmooth : 0));
    return filled;
}

data::SinkOptions sink_options(const Options& o, const data::FrameSource& source, const data::Image& first)
{
    data::SinkOptions sink = {.video = o.video()};
    sink.video.existing = o.overwrite ? data::Existing::replace : data::Existing::keep;
    if (const data::VideoInfo* video = source.video()) {
        sink.format = video->format;
        if (video->holds_more()) sink.video.source = o.input;
    } else {
        sink.format = {.H = first.H, .W = first.W, .rate = {std::llround(o.fps * 1000), 1000}};
    }
    sink.format = output_format(o.output, sink.format);
    return sink;
}

void tell(const Options& o, data::FrameSource& source, Console& console)
{
    for (const std::string& remark : source.remarks()) console.warn(str(o.input, ": ", remark));
}

/// What became of the frames.
struct Counts {
    std::int64_t frames = 0, faces = 0;
    std::int64_t without_face = 0; ///< frames that were left as they are
};

/// One model at work on the faces that are its.
class Swapper {
  public:
    Swapper(const Options& o, const std::string& path, kernels::Device& device,
            std::shared_ptr<const data::LandmarkModel> landmarks, const MergePlan& plan, const SwapOptions& options,
            Console& console)
        : Swapper(o, path, open_model(path, device, console), device, std::move(landmarks), plan, options, console)
    {
    }
    void take(data::Clip clip) { clip_ = std::move(clip); }
    std::vector<Drawn> operator()(const std::vector<data::Frame>& frames) { return swap_(frames, clip_); }
    std::string color() const { return swap_.chosen_color() ? data::name_of(*swap_.chosen_color()) : "as set"; }
    /// Of its file, as sha256sum prints it.
    const std::string& sha256() const { return sha256_.get(); }

  private:
    Swapper(const Options& o, const std::string& path, OpenedModel opened, kernels::Device& device,
            std::shared_ptr<const data::LandmarkModel> landmarks, const MergePlan& plan, const SwapOptions& options,
            Console& console)
        : sha256_(
              data::started_early([path = opened.file] { return data::sha256(MappedFile(path, "a model").bytes()); })),
          model_(std::move(opened.model)), memory_(device),
          map_(open_latent_map(path, o.latent_map, device, *model_, memory_, console)),
          swap_(device, model_->network(), data::face_type_of(model_->settings().face_type), model_->precision(),
                std::move(landmarks), plan, options, map_ ? &*map_ : nullptr)
    {
        if (model_->averaged()) console.say("using the averaged weights (ema)");
    }

    const std::shared_future<std::string> sha256_;
    const std::unique_ptr<model::TrainedModel> model_;
    Pool memory_;
    std::optional<model::CodeMap> map_;
    FaceSwap swap_;
    data::Clip clip_;
};
using Swappers = std::vector<std::unique_ptr<Swapper>>;

data::Provenance made_by(const Swappers& swappers)
{
    data::Provenance made{.comment = kComment, .tool = "Bifrons " BIFRONS_VERSION};
    for (const auto& swapper : swappers) made.model += (made.model.empty() ? "" : " ") + swapper->sha256();
    return made;
}

/// What all of them draw over the frames.
std::vector<Drawn> draw(const std::vector<data::Frame>& frames, Swappers& swappers, Counts& counts)
{
    std::vector<Drawn> all(frames.size());
    for (const std::unique_ptr<Swapper>& swapper : swappers) {
        std::vector<Drawn> own = (*swapper)(frames);
        for (std::size_t n = 0; n < all.size(); ++n) {
            std::move(own[n].faces.begin(), own[n].faces.end(), std::back_inserter(all[n].faces));
            std::move(own[n].layers.begin(), own[n].layers.end(), std::back_inserter(all[n].layers));
        }
    }
    for (const Drawn& drawn : all) {
        counts.frames += 1;
        counts.faces += std::int64_t(drawn.faces.size());
        counts.without_face += drawn.faces.empty();
    }
    return all;
}

/// Swaps all frames. While a block of them is drawn on, the next is read and the one before written.
Written swap_frames(const Options& o, data::FrameSource& source, std::int64_t expected, Swappers& swappers,
                    const MergePlan& plan, int threads, Counts& counts, Console& console)
{
    const auto read = [&] { return data::next_block(source); };
    std::vector<data::Frame> frames = read();
    if (frames.empty()) tell(o, source, console);
    BIFRONS_CHECK(data, !frames.empty(), o.input, ": holds no frames; expected one at least");
    data::SinkOptions sink = sink_options(o, source, frames[0].image);
    sink.video.made = made_by(swappers);
    sink.video.is_tried = source.video() != nullptr; // by check_encoder()
    const auto output = open_merge_output(o.output, o.out, sink, plan, threads);
    Progress progress(console, "merge", "frames", source.count());
    std::future<void> writing;
    while (!frames.empty()) {
        auto next = data::started_early(read);
        if (interrupted() && writing.valid()) writing.get();
        if (interrupted())
            throw Interrupted(str("interrupted after ", counts.frames, " frames; ",
                                  data::has_video_name(o.out) ? "nothing was written" : str("they are in ", o.out)));
        BIFRONS_CHECK(data, frames.back().index < expected, o.input, ": has more than the ", expected,
                      " frames it had at first; expected a file that does not change");
        std::vector<Drawn> drawn = draw(frames, swappers, counts);
        if (writing.valid()) writing.get();
        writing = data::started_early(
            [&output, frames = std::move(frames), drawn = std::move(drawn)]() mutable { output->take(frames, drawn); });
        progress.update(counts.frames, {{"faces", double(counts.faces)}});
        frames = next.get();
    }
    writing.get();
    return output->finish();
}

/// Gives each swapper the faces that are its. Returns how many are nobody's. who: null where there is one model.
std::int64_t hand_out(const data::FrameSource& footage, data::Clip clip, const People* who, Swappers& swappers,
                      Console& console)
{
    if (!who) {
        swappers[0]->take(std::move(clip));
        return 0;
    }
    const auto source = footage.again();
    Progress progress(console, "tell people apart", "frames", source->count());
    SortedFaces sorted = who->sort(*source, clip, [&](std::int64_t done) {
        if (interrupted()) throw Interrupted("interrupted while telling people apart; nothing was written");
        progress.update(done);
    });
    for (std::size_t p = 0; p < swappers.size(); ++p) swappers[p]->take(std::move(sorted.clips[p]));
    return sorted.strangers;
}

/// What became of the faces.
struct Outcome {
    Counts swapped;
    data::FootageFaces found;
    std::int64_t filled = 0;
    std::int64_t strangers = 0;                      ///< faces of nobody in --map
    std::int64_t own_masks = 0;                      ///< faces that the faceset has a mask of
    std::optional<double> jitter_found, jitter_used; ///< of landmarks, before and after they were steadied
    std::string color;
    Written written;
};

void show(const Options& o, const Outcome& r, double seconds, Console& console)
{
    const std::string ranges = data::filled_ranges(r.found.clip);
    const data::Carried& carried = r.written.carried;
    const std::string jitter = r.jitter_found && r.jitter_used
                                   ? str("landmark jitter: ", *r.jitter_used, " of the eyes' distance, ",
                                         *r.jitter_found, " before smoothing\n  ")
                                   : "";
    console.result(
        str(o.out, ": ", r.swapped.frames, " frames, ", r.swapped.faces, " faces replaced\n  ", r.swapped.without_face,
            " frames without a face left unchanged, ", r.found.ignored, " other faces ignored, ",
            r.strangers > 0 ? str(r.strangers, " of nobody in --map left alone, ") : "", r.found.low_score,
            " dropped for a low score, ", r.found.implausible, " for implausible landmarks\n  ", r.filled,
            " frames whose face was not found, taken from their neighbours", ranges.empty() ? "" : ": ", ranges, "\n  ",
            r.own_masks > 0 ? str(r.own_masks, " faces with a mask of their own\n  ") : "", jitter,
            "colour transfer: ", r.color, "\n  ", r.written.video.empty() ? "" : "video: " + r.written.video + "\n  ",
            "sound: ", carried.sound, carried.kept.empty() ? "" : "; kept: " + joined(carried.kept), "\n  ",
            duration_text(seconds), "\n"),
        {{"out", o.out},
         {"frames", r.swapped.frames},
         {"faces", r.swapped.faces},
         {"frames_without_face", r.swapped.without_face},
         {"ignored_faces", r.found.ignored},
         {"low_score_faces", r.found.low_score},
         {"implausible_faces", r.found.implausible},
         {"strangers", r.strangers},
         {"filled_frames", r.filled},
         {"filled", ranges},
         {"own_masks", r.own_masks},
         {"color", r.color},
         {"video", r.written.video},
         {"sound", carried.sound},
         {"kept", carried.kept},
         {"lost", carried.lost},
         {"seconds", seconds}});
}

/// What frames of this video lose on the way.
void warn_of_losses(const Options& o, const data::VideoInfo& video, Console& console)
{
    const int kept = data::has_video_name(o.out) ? 10 : 8;
    if (video.format.bits > kept)
        console.warn(str(o.input, ": has ", video.format.bits, " bits per channel; the output has ", kept));
}

/// Frames that hold two moments each are not written as if they held one.
void check_fields(const Options& o, const data::FrameSource& source, Console& console)
{
    const bool combed = source.video() && source.video()->fields != data::Fields::none;
    BIFRONS_CHECK(usage, !combed || o.reader().deinterlace == data::Deinterlace::always, o.input,
                  ": is interlaced, so each frame shows two moments, combed into each other; expected progressive "
                  "video. Add --deinterlace.");
    if (combed) console.warn(str(o.out, ": becomes progressive, as interlaced video is not written"));
}

/// Throws now what the writer would throw after the faces were found.
void check_encoder(const Options& o, const data::FrameSource& source)
{
    if (!data::has_video_name(o.out)) return;
    const data::SinkOptions sink = sink_options(o, source, data::Image(64, 64, 3)); // pictures are not yet read
    data::try_video(o.out, sink.format, sink.video);
}

/// One for each person, or the only one.
std::vector<std::string> models_of(const Options& o, const std::vector<Person>& people)
{
    BIFRONS_CHECK(usage, o.model.empty() != people.empty(),
                  people.empty() ? "--model is required, or --map for several people"
                                 : "--model and --map are both given; expected one of them");
    if (people.empty()) return {o.model};
    std::vector<std::string> models;
    for (const Person& person : people) models.push_back(person.model);
    return models;
}

void merge(const Options& o, Console& console)
{
    const double begin = Progress::steady_seconds();
    check_output(o);
    data::ReaderOptions reader = o.reader();
    reader.deep = data::has_video_name(o.out);
    const auto source = data::open_frames(o.input, reader);
    check_fields(o, *source, console);
    tell(o, *source, console);
    BIFRONS_CHECK(usage, !data::has_picture_name(o.out) || source->count() == 1, o.out,
                  ": one picture cannot hold the input's ", source->count(), " frames; expected a folder or a video");
    if (data::has_video_name(o.out))
        source->check_sizes();
    else
        source->check_names();
    check_apart(o, *source);
    if (source->video()) warn_of_losses(o, *source->video(), console);
    const MergePlan plan = o.plan(o.settings, source->count());
    if (!o.save_settings.empty())
        plan.save(o.save_settings, o.overwrite ? data::Existing::replace : data::Existing::keep);
    check_encoder(o, *source);
    std::vector<Person> people;
    for (const std::string& pair : o.map) people.push_back(person_of(pair));
    const auto device = open_device(o.device, console);
    data::FinderOptions finder = o.finder(console);
    finder.search_near = true;
    if (!people.empty()) finder.faces = data::Faces::all;
    const auto landmarks = data::make_landmark_model(finder.landmarks);
    std::optional<ImportedMasks> masks;
    if (!o.masks.empty()) masks.emplace(o.masks, *source);
    SwapOptions swap = swap_options(o, *device, finder.threads, source->count());
    swap.masks = masks ? &*masks : nullptr;
    std::optional<data::Faceset> known;
    if (!o.faceset.empty()) known = open_faceset(o.faceset, console);
    std::optional<FaceMasks> face_masks;
    if (known) swap.face_masks = &face_masks.emplace(*known);
    if (source->video() && !data::hdr_of(source->video()->format.tags).empty())
        swap.tone_mapping.emplace(source->video()->format.tags);
    Swappers swappers;
    for (const std::string& path : models_of(o, people))
        swappers.push_back(std::make_unique<Swapper>(o, path, *device, landmarks, plan, swap, console));
    std::optional<model::IdentityNetwork> network;
    std::optional<People> who;
    if (!people.empty()) {
        network.emplace(*device, SafetensorsFile(o.identity.empty() ? identity_file() : o.identity));
        who.emplace(*network, people, finder, landmarks);
    }
    Outcome outcome;
    outcome.found = find_faces(o, *source, known ? &*known : nullptr, finder, landmarks, console);
    outcome.jitter_found = jitter_of(outcome.found.clip);
    outcome.filled = steady(o, source->video(), outcome.found.clip);
    outcome.jitter_used = jitter_of(outcome.found.clip);
    outcome.strangers = hand_out(*source, outcome.found.clip, who ? &*who : nullptr, swappers, console);
    outcome.written = swap_frames(o, *source, std::int64_t(outcome.found.clip.size()), swappers, plan, finder.threads,
                                  outcome.swapped, console);
    std::vector<std::string> colors;
    for (const auto& swapper : swappers) colors.push_back(swapper->color());
    outcome.color = joined(colors);
    tell(o, *source, console);
    for (const std::string& lost : outcome.written.carried.lost) console.warn(str(o.out, ": lacks ", lost));
    if (masks && masks->missing() > 0)
        console.warn(
            str(o.masks, ": has no mask for ", masks->missing(), " of the frames; there nothing was left out"));
    if (face_masks) outcome.own_masks = face_masks->used();
    if (face_masks && !face_masks->damage().empty())
        console.warn(str(o.faceset, ": masks that cannot be used: ", face_masks->damage().size(),
                         "; the landmarks' hull took their place. ", face_masks->damage().front()));
    if (outcome.swapped.faces == 0)
        console.warn(str(o.input, ": no face found; the output shows the input's frames unchanged"));
    show(o, outcome, Progress::steady_seconds() - begin, console);
}

} // namespace

Work declare_merge(CLI::App& app)
{
    const auto o = std::make_shared<Options>();
    text(app, "--model", o->model, "FOLDER", "model folder, one of its checkpoints, or a .dfm file");
    texts(app, "--map", o->map, "PICTURE=MODEL",
          "instead of --model, for several people: replace the person that the picture shows by this model's source; "
          "once for each");
    text(app, "--identity", o->identity, "FILE",
         "with --map: dlib's face-recognition network (safetensors); default: from the models folder");
    required(text(app, "--input", o->input, "PATH", "destination footage: a video, a picture or a folder of pictures"));
    required(text(app, "-o,--out", o->out, "PATH", "a video (.mp4, .mov, .mkv), a picture (.png, .jpg) or a folder"));
    o->plan = merge_options(app);
    text(app, "--settings", o->settings, "FILE",
         "TOML file of the options from --mask to --blend, with [[frames]] for ranges of frames");
    text(app, "--save-settings", o->save_settings, "FILE", "write these options to such a file");
    text(app, "--only-range", o->range, "FROM-TO", "replace faces in these frames only, counted from 0");
    text(app, "--mask-folder", o->masks, "FOLDER",
         "pictures named and sized like the frames: white where the face may be replaced, black where something is in "
         "front of it");
    choice(app, "--output", o->output, merge_outputs(),
           "what to write: the swapped frames, each original beside its swapped frame, the mask, what was pasted as a "
           "layer with alpha, or the faces as the network made them, with each one's matrix");
    number(app, "--latent-map", o->latent_map, 0.0, 1.0,
           "strength of the latent mapping that `bifrons map` fitted; 0 = off");
    text(
        app, "--faceset", o->faceset, "FACESET",
        "use the faces that `bifrons extract` found in this footage, or `bifrons import` took over, instead of looking "
        "for them again; a face that has a mask of its own is replaced inside it instead of inside the landmarks' "
        "hull");
    number<std::int64_t>(app, "--fill", o->fill, 0, 10000,
                         "fill gaps of up to this many frames in which the face was not found, between those before "
                         "and after (default half a second of a video, 0 for pictures)");
    number<std::int64_t>(app, "--smooth", o->smooth, 0, 100,
                         str("smooth landmarks over this many frames before and after; 0: off (default ", kSmooth,
                             " for a video, 0 for pictures)"));
    o->finder = finder_options(app);
    o->reader = reader_options(app);
    o->video = video_options(app);
    number(app, "--fps", o->fps, 0.001, 1000.0, "frame rate of a video made from pictures");
    flag(app, "--overwrite", o->overwrite, "replace existing files");
    device_option(app, o->device);
    return [o](Console& console) { merge(*o, console); };
}

} // namespace bifrons::tools
