#include "tools/export_model.h"

#include "data/export/deepfacelab_model.h"
#include "data/file.h"
#include "data/import/deepfacelab_model.h"
#include "engine/partial.h"
#include "model/export/deepfacelab.h"
#include "model/export/onnx.h"
#include "model/trainer.h"
#include "tools/interrupt.h"
#include "tools/open_model.h"
#include "tools/progress.h"

#include <algorithm>
#include <filesystem>

namespace bifrons::tools {

namespace {

namespace fs = std::filesystem;

/// "alice-on-bob" of "models/alice_on_bob/" or of a checkpoint in it: DeepFaceLab takes names to end at the first _.
std::string name_of_model(const std::string& from)
{
    fs::path path = fs::absolute(from).lexically_normal();
    if (!fs::is_directory(path) || !path.has_filename()) path = path.parent_path();
    std::string name = path.filename().string();
    std::replace(name.begin(), name.end(), '_', '-');
    return name;
}

void stop_if_interrupted()
{
    if (interrupted()) throw Interrupted("interrupted; nothing was written. Run the same command again.");
}

/// Files of that model of DeepFaceLab's.
std::vector<fs::path> files_of(const fs::path& folder, const std::string& model)
{
    std::vector<fs::path> files;
    for (const fs::directory_entry& entry : fs::directory_iterator(folder)) {
        const fs::path ending = entry.path().extension();
        if (entry.is_regular_file() && entry.path().filename().string().rfind(model + "_", 0) == 0 &&
            (ending == ".npy" || ending == ".dat"))
            files.push_back(entry.path());
    }
    return files;
}

/// The folder that is written to, which is taken away where nothing was.
class OutFolder {
  public:
    explicit OutFolder(const fs::path& path) : path_(path), is_new_(!fs::exists(path))
    {
        BIFRONS_CHECK(data, is_new_ || fs::is_directory(path), path.string(), ": is not a folder");
        std::error_code fault;
        fs::create_directories(path, fault);
        BIFRONS_CHECK(failed, !fault, path.string(), ": cannot be created: ", fault.message());
    }
    ~OutFolder()
    {
        std::error_code not_empty;
        if (is_new_) fs::remove(path_, not_empty);
    }

  private:
    const fs::path path_;
    const bool is_new_;
};

void write_files(const model::DflExport& model, const data::DflModelFiles& files, Console& console)
{
    Progress progress(console, "export", "files", std::int64_t(model.files().size()));
    std::int64_t done = 0;
    for (const model::DflExport::File& file : model.files()) {
        data::DflArraysWriter writer(files.file(file.name + ".npy"));
        if (file.is_optimizer) writer.add("iters:0", model.iterations());
        model.read(file, [&](const model::DflExport::Array& array) {
            stop_if_interrupted();
            writer.add(array.name, array.values, array.shape);
        });
        writer.finish();
        progress.update(++done);
    }
    data::write_dfl_model_data(files.file("data.dat"), model.iterations(), model.options());
}

} // namespace

void export_onnx(const OnnxExport& wanted, Console& console)
{
    const data::Existing existing = wanted.overwrite ? data::Existing::replace : data::Existing::keep;
    data::check_destination(wanted.out, existing);
    console.begin_work();
    const Checkpoint checkpoint = open_checkpoint(wanted.from, console);
    const model::OnnxOptions options{.half = wanted.half, .producer = "Bifrons " BIFRONS_VERSION};
    const std::string bytes = wanted.kind == OnnxKind::dfm ? model::dfm_file(checkpoint, options)
                                                           : model::onnx_file(checkpoint, wanted.part, options);
    data::write_file(wanted.out, bytes, existing, Flush::yes);
    const model::Settings s = model::settings_of(checkpoint);
    const char* const type = wanted.half ? "f16" : "f32";
    console.result(str(wanted.out, ": ", wanted.part.empty() ? "the network" : wanted.part, " at step ",
                       checkpoint.step, ", ", s.archi, " ", s.resolution, " px, ", s.face_type, ", ", type, ", ",
                       human_bytes(double(bytes.size()))),
                   {{"out", wanted.out},
                    {"part", wanted.part.empty() ? "all" : wanted.part},
                    {"step", checkpoint.step},
                    {"archi", s.archi},
                    {"resolution", s.resolution},
                    {"face_type", s.face_type},
                    {"dtype", type},
                    {"bytes", bytes.size()}});
}

void export_dfl_model(const DflModelExport& wanted, Console& console)
{
    const std::string name = wanted.name.empty() ? name_of_model(wanted.from) : wanted.name;
    BIFRONS_CHECK(usage, !name.empty() && name.find_first_of("/_") == name.npos, "--name is \"", name,
                  "\"; expected a name for DeepFaceLab's files, without / and _");
    const data::DflModelFiles files{wanted.out, name + "_SAEHD", "SAEHD"};
    console.begin_work();
    const Checkpoint checkpoint = open_checkpoint(wanted.from, console);
    const model::DflExport model(checkpoint);
    const OutFolder folder(wanted.out);
    const std::vector<fs::path> replaced = files_of(wanted.out, files.name);
    BIFRONS_CHECK(usage, replaced.empty() || wanted.overwrite, wanted.out, ": holds a model ", files.name,
                  " already. Choose another name with --name, or add --overwrite.");
    const Partial written((files.folder / files.name).string(), Partial::Kind::folder);
    write_files(model, {written.name(), files.name, files.kind}, console);
    stop_if_interrupted();
    const std::vector<fs::path> written_files = files_of(written.name(), files.name);
    for (const fs::path& file : written_files) data::rename_into_place(file, files.folder / file.filename());
    for (const fs::path& file : replaced) { // what the new model has no file for
        const auto has_name = [&](const fs::path& other) { return other.filename() == file.filename(); };
        if (std::none_of(written_files.begin(), written_files.end(), has_name)) fs::remove(file);
    }
    data::flush_folder(files.folder);
    for (const std::string& note : model.notes()) console.warn(note);
    console.result(str(wanted.out, ": ", files.name, " at iteration ", model.iterations(), ", ", model.settings().archi,
                       " ", model.settings().resolution, " px, for DeepFaceLab"),
                   {{"out", wanted.out},
                    {"name", files.name},
                    {"step", model.iterations()},
                    {"archi", model.settings().archi},
                    {"resolution", model.settings().resolution},
                    {"notes", model.notes()}});
}

} // namespace bifrons::tools
