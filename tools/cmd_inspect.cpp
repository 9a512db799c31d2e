#include "data/faceset.h"
#include "engine/checkpoint.h"
#include "tools/commands.h"
#include "tools/options.h"

#include <filesystem>

namespace bifrons::tools {

namespace {

namespace fs = std::filesystem;

struct Options {
    std::string path;
    bool tensors = false;
};

std::string shape_text(const std::vector<std::int64_t>& shape)
{
    std::string text = "[";
    for (const std::int64_t dim : shape) text += str(text.size() > 1 ? "," : "", dim);
    return text + "]";
}

/// Metadata that is itself JSON (settings) as JSON, the rest as text.
Json metadata_json(const Metadata& metadata)
{
    Json json = Json::object();
    for (const auto& [key, value] : metadata) {
        const Json parsed = Json::parse(value, nullptr, false);
        json[key] = parsed.is_object() || parsed.is_array() ? parsed : Json(value);
    }
    return json;
}

/// "  key = value" a line; the members of an object below its key.
std::string metadata_text(const Json& metadata)
{
    const auto plain = [](const Json& v) { return v.is_string() ? v.get<std::string>() : v.dump(); };
    std::string text;
    for (const auto& [key, value] : metadata.items()) {
        if (!value.is_object()) {
            text += str("  ", key, " = ", plain(value), "\n");
            continue;
        }
        text += str("  ", key, ":\n");
        for (const auto& [name, member] : value.items()) text += str("    ", name, " = ", plain(member), "\n");
    }
    return text;
}

std::string tensors_text(const SafetensorsFile& file, bool each)
{
    double bytes = 0;
    std::int64_t values = 0;
    std::string lines;
    for (const NamedTensor& t : file.tensors()) {
        bytes += double(t.bytes());
        values += t.size();
        if (each) lines += str("  ", t.name, "  ", kernels::dtype_name(t.dtype), " ", shape_text(t.shape), "\n");
    }
    return str(file.tensors().size(), " tensors, ", values, " values, ", human_bytes(bytes), "\n", lines);
}

Json tensors_json(const SafetensorsFile& file)
{
    Json list = Json::array();
    for (const NamedTensor& t : file.tensors())
        list.push_back({{"name", t.name}, {"dtype", kernels::dtype_name(t.dtype)}, {"shape", t.shape}});
    return list;
}

void show_file(const Options& o, const SafetensorsFile& file, Console& console)
{
    const Json metadata = metadata_json(file.metadata());
    const std::string text = str(file.path(), ": ", file.checked() ? "checksum OK" : "no checksum", "\n",
                                 metadata_text(metadata), tensors_text(file, o.tensors));
    console.result(
        text,
        {{"path", file.path()}, {"checked", file.checked()}, {"metadata", metadata}, {"tensors", tensors_json(file)}});
}

/// Every checkpoint of a model folder and whether it is intact, then the contents of the newest intact one.
void show_model(const Options& o, Console& console)
{
    for (const std::string& path : list_checkpoints(o.path)) {
        try {
            console.say(str(path, ": step ", load_checkpoint(path).step, ", intact"));
        } catch (const Error& e) {
            console.warn(e.what());
        }
    }
    const auto newest = load_latest_checkpoint(o.path, [](const std::string&) {}); // warned above
    BIFRONS_CHECK(data, newest, o.path,
                  ": holds no checkpoint; expected a model folder, a faceset, a checkpoint or a safetensors file");
    show_file(o, newest->file, console);
}

void show_faceset(const std::string& folder, Console& console)
{
    const data::Faceset set = data::load_faceset(folder);
    Json sources = Json::array();
    std::string text = str(folder, ": ", set.faces.size(), " faces, ", name_of(set.type), ", ", set.side,
                           " px, found by ", set.detector, "\n");
    for (const data::SourceRecord& s : set.sources) {
        text +=
            str("  ", s.path, ": ", s.counts.faces, " faces in ", s.done, " of ", s.frames, " frames, ", s.counts.empty,
                " without a face", s.complete ? "" : "; unfinished: run extract again to continue", "\n");
        sources.push_back({{"path", s.path},
                           {"faces", s.counts.faces},
                           {"frames", s.frames},
                           {"done", s.done},
                           {"empty", s.counts.empty},
                           {"complete", s.complete}});
    }
    console.result(text, {{"path", folder},
                          {"faces", set.faces.size()},
                          {"face_type", name_of(set.type)},
                          {"side", set.side},
                          {"detector", set.detector},
                          {"sources", sources}});
}

void inspect(const Options& o, Console& console)
{
    BIFRONS_CHECK(data, fs::exists(o.path), o.path, ": does not exist");
    if (data::is_faceset(o.path)) return show_faceset(o.path, console);
    if (fs::is_directory(o.path)) return show_model(o, console);
    show_file(o, SafetensorsFile(o.path), console);
}

} // namespace

Work declare_inspect(CLI::App& app)
{
    const auto options = std::make_shared<Options>();
    required(text(app, "PATH", options->path, "PATH", "model folder, faceset, checkpoint or other safetensors file"));
    flag(app, "--tensors", options->tensors, "list every tensor");
    return [options](Console& console) { inspect(*options, console); };
}

} // namespace bifrons::tools
