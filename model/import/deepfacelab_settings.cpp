// model/import/deepfacelab_settings.cpp - DeepFaceLab's options as settings.
#include "engine/json.h"
#include "kernels/base/error.h"
#include "kernels/base/utf8.h"
#include "model/adversary_options.h"
#include "model/import/deepfacelab.h"
#include "model/preset.h"

#include <algorithm>
#include <cmath>

namespace bifrons::model {

namespace {

using Json = nlohmann::json;

/// Settings that have the same name and meaning there.
constexpr const char* kNumbers[] = {"resolution",  "ae_dims",          "e_dims",           "d_dims",
                                    "d_mask_dims", "random_hsv_power", "gan_power",        "gan_patch_size",
                                    "gan_dims",    "true_face_power",  "face_style_power", "bg_style_power",
                                    "batch_size",  "target_iter",      "autobackup_hour"};
constexpr const char* kFlags[] = {"masked_training", "eyes_mouth_prio", "uniform_yaw",
                                  "blur_out_mask",   "random_warp",     "random_src_flip",
                                  "random_dst_flip", "pretrain",        "write_preview_history"};

/// The options, each of which is taken out when its setting is known.
class Options {
  public:
    Options(const DflModel& model) : file_(model.path + "data.dat"), options_(model.options) {}

    std::optional<double> number(const char* name)
    {
        const auto value = take(name);
        if (!value) return {};
        const double* const number = std::get_if<double>(&*value);
        BIFRONS_CHECK(data, number && std::isfinite(*number), file_, ": the option ", name, " is not a number");
        return *number;
    }
    std::optional<bool> flag(const char* name)
    {
        const auto value = number(name);
        if (!value) return {};
        return *value != 0;
    }
    /// A text; yes and no as "y" and "n", as earlier versions of DeepFaceLab had them.
    std::optional<std::string> word(const char* name)
    {
        const auto value = take(name);
        if (!value) return {};
        if (const double* const number = std::get_if<double>(&*value)) return *number != 0 ? "y" : "n";
        return std::get<std::string>(*value);
    }
    const std::string& file() const { return file_; }
    /// The names that are left.
    std::string left() const
    {
        std::string names;
        for (const auto& [name, value] : options_) names += str(names.empty() ? "" : ", ", printable(name));
        return names;
    }

  private:
    std::optional<std::variant<double, std::string>> take(const char* name)
    {
        const auto found = options_.extract(name);
        if (!found) return {};
        return found.mapped();
    }

    std::string file_;
    std::map<std::string, std::variant<double, std::string>> options_;
};

/// A whole number as one: some settings take no other.
Json json_number(double value)
{
    return value == std::floor(value) && std::abs(value) < 1e15 ? Json(std::int64_t(value)) : Json(value);
}

/// "liae-du" -> "liae-ud"
std::string archi_of(const std::string& archi, const std::string& file)
{
    const std::size_t dash = std::min(archi.find('-'), archi.size());
    const std::string kind = archi.substr(0, dash), given = archi.substr(std::min(dash + 1, archi.size()));
    BIFRONS_CHECK(data, (kind == "df" || kind == "liae") && given.find_first_not_of("udtc") == given.npos, file,
                  ": the option archi is \"", printable(archi),
                  "\"; expected df or liae with flags of u, d, t and c. DeepFaceLab itself reads no other any more.");
    std::string flags;
    for (const char flag : {'u', 'd', 't', 'c'})
        if (given.find(flag) != given.npos) flags += flag;
    return flags.empty() ? kind : kind + "-" + flags;
}

std::string face_type_of(const std::string& type, const std::string& file)
{
    static const std::map<std::string, std::string> types = {
        {"h", "half"}, {"mf", "midfull"}, {"f", "full"}, {"wf", "whole_face"}, {"head", "head"}};
    const auto found = types.find(type);
    BIFRONS_CHECK(data, found != types.end(), file, ": the option face_type is \"", printable(type),
                  "\"; expected h, mf, f, wf or head");
    return found->second;
}

/// What has an effect only with others.
void fit(Settings& s, bool clips)
{
    if (architecture_of(s).liae) s.true_face_power = 0;
    if (s.gan_power == 0 && s.gan_patch_size != fitting_patch(int(s.gan_patch_size), int(s.resolution)))
        s.gan_patch_size = 0;
    s.eps = 1e-6 / double(s.batch_size);
    s.clipgrad = clips ? 1.0 / double(s.batch_size) : 0;
}

} // namespace

Settings settings_from(const DflModel& model, std::vector<std::string>& notes)
{
    Options options(model);
    Settings start;
    if (model.kind == "Quick96") apply_toml(start, preset_named("quick96").toml, "the preset quick96");
    Json json = Json::parse(to_json(start));
    for (const char* const name : kNumbers)
        if (const auto number = options.number(name)) json[name] = json_number(*number);
    for (const char* const name : kFlags)
        if (const auto flag = options.flag(name)) json[name] = *flag;
    if (const auto archi = options.word("archi")) json["archi"] = archi_of(*archi, options.file());
    if (const auto type = options.word("face_type")) json["face_type"] = face_type_of(*type, options.file());
    if (const auto mode = options.word("ct_mode")) json["ct_mode"] = *mode;
    if (const auto dropout = options.word("lr_dropout")) json["lr_dropout"] = *dropout != "n";
    if (const auto belief = options.flag("adabelief")) json["optimizer"] = *belief ? "adabelief_dfl" : "rmsprop";
    const bool clips = options.flag("clipgrad").value_or(false);
    Settings settings = from_json(json.dump(), options.file());
    try {
        fit(settings, clips);
        check(settings);
    } catch (const Error& error) {
        throw Error(ErrorKind::data, str(options.file(), ": ", error.what()));
    }
    if (!options.left().empty()) notes.push_back("options without a counterpart here: " + options.left());
    return settings;
}

} // namespace bifrons::model
