#include "model/latent_transfer.h"
#include "tools/commands.h"
#include "tools/open_model.h"
#include "tools/options.h"
#include "tools/training_data.h"

#include <filesystem>

namespace bifrons::tools {

namespace {

struct Options {
    std::string model, src, dst, device = "auto";
};

std::vector<double> codes(kernels::Device& device, const model::TrainedModel& model, const std::string& faceset,
                          Console& console)
{
    const data::Faceset set = open_faceset(faceset, console);
    const auto faces = std::int64_t(set.faces.size());
    console.say(str("encoding ", faces, " faces of ", faceset));
    return model::codes_of(device, model, sample_pictures(set, model.settings(), faces, console));
}

void map(const Options& o, Console& console)
{
    BIFRONS_CHECK(usage, std::filesystem::is_directory(o.model), o.model,
                  ": is not a folder; expected a model folder, where the mapping is saved");
    const Checkpoint checkpoint = open_checkpoint(o.model, console);
    const auto device = open_device(o.device, console);
    const model::TrainedModel model(*device, checkpoint);
    const std::vector<double> dst = codes(*device, model, o.dst, console), src = codes(*device, model, o.src, console);
    model::LatentMap map = model::fit_latent_map(model.settings().ae_dims, dst, src);
    map.step = model.step();
    const std::string path = model::latent_map_path(o.model);
    model::save_latent_map(path, map);
    console.result(str(path, ": fitted at step ", map.step, " to ", map.dst_faces, " destination and ", map.src_faces,
                       " source faces; shrinkage ", map.dst_shrinkage, " and ", map.src_shrinkage,
                       "\n  `bifrons merge --latent-map S` applies it with strength S\n"),
                   {{"map", path},
                    {"step", map.step},
                    {"dst_faces", map.dst_faces},
                    {"src_faces", map.src_faces},
                    {"dst_shrinkage", map.dst_shrinkage},
                    {"src_shrinkage", map.src_shrinkage}});
}

} // namespace

Work declare_map(CLI::App& app)
{
    const auto o = std::make_shared<Options>();
    required(text(app, "--model", o->model, "FOLDER", "model folder; the mapping is saved there"));
    required(text(app, "--src", o->src, "FACESET", "source faceset"));
    required(text(app, "--dst", o->dst, "FACESET", "destination faceset"));
    device_option(app, o->device);
    return [o](Console& console) { map(*o, console); };
}

} // namespace bifrons::tools
