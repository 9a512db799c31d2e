#include "data/model_files.h"
#include "tools/commands.h"
#include "tools/evaluation.h"
#include "tools/interrupt.h"
#include "tools/open_faceset.h"
#include "tools/open_model.h"
#include "tools/options.h"
#include "tools/progress.h"
#include "tools/training_data.h"
#if BIFRONS_HAS_MEDIA
#include "tools/finder_options.h"
#include "tools/footage_jitter.h"
#include "tools/source_frames.h"
#endif

#include <filesystem>
#include <iomanip>

namespace bifrons::tools {

namespace {

struct Options {
    std::string model, src, dst, identity, lpips, footage, input, merged, device = "auto";
    std::int64_t samples = 64;
    double latent_map = 0;
    bool self_swap = false;
#if BIFRONS_HAS_MEDIA
    std::function<data::FinderOptions(Console&)> finder;
#endif
};

/// The report as it grows: a table, an object, what was not measured and why, and which faces were left out.
class Report {
  public:
    void title(const std::string& text) { table_ << text << "\n"; }
    void heading(const std::vector<std::string>& columns) { row("", columns); }

    template <class... Cells>
    void line(const std::string& name, const Cells&... cells)
    {
        row("  " + name, {cells...});
    }
    void add(const std::string& key, Json values) { json_[key] = std::move(values); }
    void not_measured(const std::string& what, const std::string& why)
    {
        missing_ += str("    ", what, ": ", why, "\n");
        json_["not_measured"][what] = why;
    }
    void left_out(const std::string& key, const Evaluation::Faces& faces)
    {
        Json files = Json::array();
        for (const std::size_t index : faces.left_out) files.push_back(faces.set.faces[index].file);
        json_["left_out"][key] = files;
        if (files.empty()) return;
        left_out_ += str("    ", faces.set.folder.string(), ", ", files.size(), ":");
        for (const std::string file : files) left_out_ += " " + file;
        left_out_ += "\n";
    }
    void show(Console& console) const
    {
        const auto part = [](const char* heading, const std::string& lines) {
            return lines.empty() ? "" : str("  ", heading, "\n", lines);
        };
        console.result(table_.str() +
                           part("left out: the hull lies outside the picture, or the picture is damaged", left_out_) +
                           part("not measured", missing_),
                       json_);
    }

  private:
    void row(const std::string& name, const std::vector<std::string>& cells)
    {
        table_ << std::left << std::setw(34) << name << std::right;
        for (const std::string& cell : cells) table_ << std::setw(14) << cell;
        table_ << "\n";
    }

    std::ostringstream table_;
    std::string missing_, left_out_;
    Json json_ = {{"not_measured", Json::object()}};
};

std::string fixed(double value, int digits)
{
    std::ostringstream text;
    text << std::fixed << std::setprecision(digits) << value;
    return text.str();
}

Json json_of(const Quality& q)
{
    Json json = {{"psnr", q.psnr}, {"ssim", q.ssim}, {"sharpness", q.sharpness}};
    if (q.lpips) json["lpips"] = *q.lpips;
    return json;
}

Json json_of(const Distances& d)
{
    return {{"to_src", d.to_src}, {"to_dst", d.to_dst}};
}

void add_line(Report& report, const std::string& name, const Quality& q)
{
    report.line(name, fixed(q.psnr, 2), fixed(q.ssim, 4), fixed(q.sharpness, 3), q.lpips ? fixed(*q.lpips, 4) : "-");
}

void add_quality(Report& report, const std::string& name, const std::string& key, const Quality& q)
{
    add_line(report, name, q);
    report.add(key, json_of(q));
}

void add_identity(Report& report, const IdentityReport& identity)
{
    report.heading({"to source", "to dest."});
    const auto line = [&](const std::string& name, const Distances& d) {
        report.line(name, fixed(d.to_src, 3), fixed(d.to_dst, 3));
    };
    line("identity of the source", identity.src);
    line("identity of the destination", identity.dst);
    line("identity of the swap", identity.swap);
    report.add("identity",
               {{"src", json_of(identity.src)}, {"dst", json_of(identity.dst)}, {"swap", json_of(identity.swap)}});
}

/// The networks that measure; null where a file was not given or does not exist, which the report says.
struct Networks {
    std::unique_ptr<model::IdentityNetwork> identity;
    std::unique_ptr<model::Lpips> lpips;
};

/// Why a network's file cannot be used; empty if it can.
std::string missing(const std::string& option, const std::string& path, const std::string& what)
{
    const std::string remedy = what + " as safetensors, see docs/trainer.md";
    if (path.empty()) return option + " FILE was not given: " + remedy;
    return std::filesystem::exists(path) ? "" : path + ": does not exist; expected " + remedy;
}

/// The file that was named, or that of the models folder.
std::string given_or_found(const std::string& given, const std::string& model)
{
    return given.empty() ? data::find_model_file(data::model_file(model).file).string() : given;
}

Networks open_networks(const Options& o, kernels::Device& device, Report& report)
{
    Networks networks;
    const std::string identity = given_or_found(o.identity, "identity"), lpips = given_or_found(o.lpips, "lpips");
    if (const std::string why = missing("--identity", identity, "dlib's face-recognition network"); !why.empty())
        report.not_measured("identity", why);
    else
        networks.identity = std::make_unique<model::IdentityNetwork>(device, SafetensorsFile(identity));
    if (const std::string why = missing("--lpips", lpips, "SqueezeNet 1.1 with LPIPS heads"); !why.empty())
        report.not_measured("lpips", why);
    else
        networks.lpips = std::make_unique<model::Lpips>(device, lpips);
    return networks;
}

/// Shows progress, and stops on an interrupt.
class Counted {
  public:
    Counted(Console& console, const std::string& what, const std::string& unit, std::int64_t total)
        : progress_(console, what, unit, total)
    {
    }
    void operator()()
    {
        if (interrupted()) throw Interrupted("interrupted; nothing was saved");
        progress_.update(++done_);
    }

  private:
    Progress progress_;
    std::int64_t done_ = 0;
};

#if BIFRONS_HAS_MEDIA
Json json_of(const std::optional<double>& value)
{
    return value ? Json(*value) : Json(nullptr);
}

void add_jitter(Report& report, const Options& o, Console& console)
{
    if (o.merged.empty())
        return report.not_measured("jitter", "--input and --merged were not given: footage and its merged result");
    Counted counted(console, "jitter", "frames", data::open_frames(o.input)->count());
    const FootageJitter jitter = footage_jitter(o.input, o.merged, o.finder(console), [&] { counted(); });
    report.heading({"footage", "merged", "ratio"});
    const auto line = [&](const std::string& name, const std::optional<double>& input,
                          const std::optional<double>& merged, int digits) {
        if (!input || !merged) return report.line(name, std::string("no face"));
        report.line(name, fixed(*input, digits), fixed(*merged, digits), fixed(*merged / *input, 2));
    };
    line("landmark jitter, eye distances", jitter.input.landmarks, jitter.merged.landmarks, 4);
    line("colour jitter, levels", jitter.input.colour, jitter.merged.colour, 3);
    report.add(
        "jitter",
        {{"frames", jitter.frames},
         {"landmarks", {{"input", json_of(jitter.input.landmarks)}, {"merged", json_of(jitter.merged.landmarks)}}},
         {"colour", {{"input", json_of(jitter.input.colour)}, {"merged", json_of(jitter.merged.colour)}}}});
}

SourceFrames frames_of(const Options& o)
{
    std::vector<std::filesystem::path> folders;
    if (!o.footage.empty()) folders.emplace_back(o.footage);
    return SourceFrames(folders);
}

/// Empty if faces can be measured in their frames, else why not.
std::string why_not_in_frame(const Evaluation& evaluation, const Options& o)
{
    for (const Evaluation::Faces* faces : {&evaluation.src(), &evaluation.dst()})
        if (const std::string path = frames_of(o).missing(faces->set, faces->looked_at); !path.empty())
            return str(path, ", where ", faces->set.folder.string(),
                       " was extracted from, does not exist; --footage names its folder");
    return "";
}

/// What is measured in the frames that the faces were found in.
void add_in_frame(Report& report, Evaluation& evaluation, model::Lpips* lpips, const Options& o)
{
    const Quality src = evaluation.src_in_frame(frames_of(o), lpips),
                  dst = evaluation.dst_in_frame(frames_of(o), lpips);
    const double swap = evaluation.swap_sharpness_in_frame(frames_of(o));
    add_line(report, "source, in its frames", src);
    add_line(report, "destination, in its frames", dst);
    report.line("swap, in its frames", "-", "-", fixed(swap, 3), "-");
    report.add("in_frame", {{"src", json_of(src)}, {"dst", json_of(dst)}, {"swap", {{"sharpness", swap}}}});
}
#else
constexpr const char* kNoFootage = "this build cannot read footage: built without OpenCV or dlib";

void add_jitter(Report& report, const Options&, Console&)
{
    report.not_measured("jitter", kNoFootage);
}

std::string why_not_in_frame(const Evaluation&, const Options&)
{
    return kNoFootage;
}

void add_in_frame(Report&, Evaluation&, model::Lpips*, const Options&) {}
#endif

/// What is measured on the facesets.
void add_faces(Report& report, const Options& o, Evaluation& evaluation, const Networks& networks, Console& console)
{
    const std::string why_not = why_not_in_frame(evaluation, o);
    Counted counted(console, "eval", "faces",
                    evaluation.work(o.self_swap, networks.identity != nullptr, why_not.empty()));
    evaluation.on_face([&] { counted(); });
    model::Lpips* const lpips = networks.lpips.get();
    report.heading({"PSNR dB", "SSIM", "sharpness", "LPIPS"});
    add_quality(report, "source, reconstructed", "src", evaluation.src_reconstruction(lpips));
    add_quality(report, "destination, reconstructed", "dst", evaluation.dst_reconstruction(lpips));
    if (o.self_swap)
        add_quality(report, "self-swap", "self_swap", evaluation.self_swap(lpips));
    else
        report.not_measured("self_swap", "--self-swap was not given: needs two facesets of one person");
    if (why_not.empty())
        add_in_frame(report, evaluation, lpips, o);
    else
        report.not_measured("in_frame", why_not);
    if (networks.identity) add_identity(report, evaluation.identity(*networks.identity));
}

void warn_of_faces(const Options& o, const Evaluation& evaluation, Console& console)
{
    for (const auto& [path, faces] : {std::pair{o.src, &evaluation.src()}, {o.dst, &evaluation.dst()}})
        if (const std::size_t n = faces->looked_at.size() + faces->left_out.size(); faces->held_out) {
            const std::string few = few_held_out(std::int64_t(n), path);
            if (std::int64_t(n) < o.samples && !few.empty()) console.warn(few);
        } else {
            console.warn(str(path, ": the model's validation_fraction holds out no faces; these were trained "
                                   "on, so the figures flatter the model"));
        }
}

void eval(const Options& o, Console& console)
{
    BIFRONS_CHECK(usage, o.merged.empty() == o.input.empty(), o.merged.empty() ? "--merged" : "--input",
                  " is missing; --input and --merged go together");
    const Checkpoint checkpoint = open_checkpoint(o.model, console);
    const data::Faceset src = open_faceset(o.src, console), dst = open_faceset(o.dst, console);
    const auto device = open_device(o.device, console);
    const model::TrainedModel model(*device, checkpoint);
    if (model.averaged()) console.say("using the averaged weights (ema)");
    Report report;
    const Networks networks = open_networks(o, *device, report);
    Pool memory(*device);
    Evaluation evaluation(*device, model, src, dst, o.samples, "cpu:1");
    if (const auto map = open_latent_map(o.model, o.latent_map, *device, model, memory, console))
        evaluation.use_map(*map);
    warn_of_faces(o, evaluation, console);
    const std::size_t src_faces = evaluation.src().looked_at.size(), dst_faces = evaluation.dst().looked_at.size();
    report.title(
        str(o.model, " at step ", model.step(), ", ", src_faces, " source and ", dst_faces, " destination faces"));
    report.add("model", o.model);
    report.add("step", model.step());
    report.add("faces", {{"src", src_faces}, {"dst", dst_faces}});
    report.left_out("src", evaluation.src());
    report.left_out("dst", evaluation.dst());
    report.add("held_out", evaluation.src().held_out && evaluation.dst().held_out);
    add_faces(report, o, evaluation, networks, console);
    add_jitter(report, o, console);
    report.show(console);
}

} // namespace

Work declare_eval(CLI::App& app)
{
    const auto o = std::make_shared<Options>();
    required(text(app, "--model", o->model, "FOLDER", "model folder, or one of its checkpoints"));
    required(text(app, "--src", o->src, "FACESET", "source faceset"));
    required(text(app, "--dst", o->dst, "FACESET", "destination faceset"));
    text(app, "--identity", o->identity, "FILE",
         "dlib's face-recognition network (safetensors), for identity distances; default: from the models folder");
    text(app, "--lpips", o->lpips, "FILE",
         "SqueezeNet 1.1 with LPIPS heads (safetensors), for LPIPS distances; default: from the models folder");
    number(app, "--latent-map", o->latent_map, 0.0, 1.0,
           "strength of the latent mapping that `bifrons map` fitted; 0 = off");
    flag(app, "--self-swap", o->self_swap, "both facesets show the same person: compare the swap with the destination");
    number<std::int64_t>(app, "--samples", o->samples, 1, 1000, "faces measured per faceset, evenly spaced");
#if BIFRONS_HAS_MEDIA
    text(app, "--footage", o->footage, "FOLDER",
         "where the footage lies that the facesets were extracted from; default: beside the faceset, or here");
    text(app, "--input", o->input, "PATH", "footage, for jitter: the input of `bifrons merge`");
    text(app, "--merged", o->merged, "PATH", "output of `bifrons merge` for this footage");
    o->finder = finder_options(app);
#endif
    device_option(app, o->device);
    return [o](Console& console) { eval(*o, console); };
}

} // namespace bifrons::tools
