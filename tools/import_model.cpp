#include "tools/import_model.h"

#include "data/folders.h"
#include "engine/checkpoint.h"
#include "kernels/base/error.h"
#include "kernels/base/utf8.h"
#include "model/import/deepfacelab.h"
#include "model/latent_transfer.h"
#include "tools/interrupt.h"
#include "tools/progress.h"

#include <optional>

namespace bifrons::tools {

namespace {

namespace fs = std::filesystem;
using data::DflModelFiles;

/// A new folder, an empty one, or one whose model may be replaced.
void check_folder(const fs::path& out, bool overwrite)
{
    if (!fs::exists(out)) return;
    BIFRONS_CHECK(data, fs::is_directory(out), out.string(), ": is not a folder");
    const bool is_model = !list_checkpoints(out.string()).empty();
    BIFRONS_CHECK(usage, !is_model || overwrite, out.string(),
                  ": holds a model already. Choose another folder, or use --overwrite.");
    BIFRONS_CHECK(usage, !fs::exists(out / "backups"), (out / "backups").string(),
                  ": holds backups of the model that is to be replaced. Move them to another place first.");
    BIFRONS_CHECK(usage, is_model || data::is_unused(out), out.string(),
                  ": holds other files and no model; expected an empty or a new folder");
}

/// By the name of the file: a damaged one does not say it otherwise.
std::int64_t step_of(const std::string& checkpoint)
{
    return std::stoll(fs::path(checkpoint).stem().string().substr(std::string("step-").size()));
}

/// What is left of the model that the folder held; it would be taken for the new one's.
void remove_replaced(const fs::path& out, std::int64_t made)
{
    for (const std::string& path : list_checkpoints(out.string()))
        if (step_of(path) != made) fs::remove(path);
    for (const char* name : {"history.jsonl", "preview.png", "preview-frame.png"}) fs::remove(out / name);
    fs::remove(model::latent_map_path(out.string()));
}

void stop_if_interrupted()
{
    if (interrupted()) throw Interrupted("interrupted; no model was made. Run the same command again.");
}

/// The files are opened when they are asked for, and stay open.
model::ImportedModel read_model(const DflModelFiles& files, Console& console)
{
    data::DflModelData said = data::dfl_model_data(files.file("data.dat"));
    std::map<std::string, std::optional<data::DflArrays>> opened;
    const auto arrays = [&](const std::string& name) {
        const fs::path file = files.file(name + ".npy");
        const auto [at, is_new] = opened.try_emplace(name);
        if (is_new && fs::exists(file)) at->second.emplace(file);
        return at->second ? &at->second->by_name() : nullptr;
    };
    std::optional<Progress> progress;
    return model::import_model({.kind = files.kind,
                                .path = files.file("").string(),
                                .iterations = said.iterations,
                                .options = std::move(said.options),
                                .arrays = arrays},
                               [&](std::int64_t done, std::int64_t of) {
                                   stop_if_interrupted();
                                   if (!progress) progress.emplace(console, "import", "parameters", of);
                                   progress->update(done);
                               });
}

} // namespace

const DflModelFiles& chosen_model(const std::vector<DflModelFiles>& models, const std::string& name)
{
    const std::string folder = models.front().folder.string();
    std::string names;
    std::vector<const DflModelFiles*> fitting;
    for (const DflModelFiles& model : models) {
        names += str(names.empty() ? "" : ", ", printable(model.name));
        if (name.empty() || name == model.name || name + "_" + model.kind == model.name) fitting.push_back(&model);
    }
    BIFRONS_CHECK(usage, !fitting.empty(), "--name ", name, ": ", folder, " has no such model; it has ", names);
    BIFRONS_CHECK(usage, fitting.size() == 1, folder, ": has ", fitting.size(), " models: ", names,
                  ". Choose one with --name.");
    return *fitting.front();
}

void import_model(const DflModelFiles& files, const std::string& out, bool overwrite, Console& console)
{
    BIFRONS_CHECK(data, files.kind != "AMP", files.file("data.dat").string(),
                  ": is a model of DeepFaceLab's AMP, a network that Bifrons does not have; expected SAEHD or Quick96");
    check_folder(out, overwrite);
    data::check_saved_whole(files);
    console.begin_work();
    const model::ImportedModel made = read_model(files, console);
    stop_if_interrupted();
    for (const std::string& note : made.notes) console.warn(note);
    CheckpointStore store(out);
    store.save(made.step, made.tensors, made.metadata);
    remove_replaced(out, made.step);
    const model::Settings& s = made.settings;
    console.result(str(out, ": ", files.name, " at step ", made.step, ", ", s.archi, " ", s.resolution, " px, ",
                       made.parameters, " parameters\n  `bifrons train --model ", out,
                       "` with two facesets trains it further\n"),
                   {{"model", out},
                    {"name", files.name},
                    {"step", made.step},
                    {"archi", s.archi},
                    {"resolution", s.resolution},
                    {"parameters", made.parameters},
                    {"notes", made.notes}});
}

} // namespace bifrons::tools
