#include "tools/training_data.h"

#include "data/merge/merge.h"
#include "engine/folder_lock.h"

namespace bifrons::tools {

namespace {

constexpr std::uint32_t kTrainingPurpose = 0, kValidationPurpose = 1;

/// DeepFaceLab\'s probability.
double flip_of(bool wanted)
{
    return wanted ? 0.4 : 0;
}

kernels::AugmentOptions augment_options(const model::Settings& s, double flip)
{
    return {.rotation_deg = float(s.rotation),
            .scale = float(s.scale),
            .shift = float(s.shift),
            .flip = float(flip),
            .warp = s.random_warp,
            .warp_steps = s.random_warp_steps};
}

/// Only the source's input is jittered: the destination keeps the light of its footage.
kernels::AugmentOptions src_options(const model::Settings& s)
{
    kernels::AugmentOptions o = augment_options(s, flip_of(s.random_src_flip));
    o.hue_deg = float(180 * s.random_hsv_power);
    o.saturation = o.value = float(s.random_hsv_power / 2);
    return o;
}

const kernels::AugmentOptions kAsTheyAre{.rotation_deg = 0, .scale = 0, .shift = 0, .flip = 0, .warp = false};

data::DeviceFaces load(kernels::Device& device, Memory& memory, const data::Faceset& set,
                       const std::vector<std::size_t>& indices, const model::Settings& settings, bool yaw,
                       Console& console, Changed changed)
{
    const data::FaceType type = data::face_type_of(settings.face_type);
    const std::int64_t margin = faces_margin(settings);
    return {{&device, {}, {}},
            memory,
            open_faces(set, indices, type, settings.resolution,
                       {.margin = margin, .eyes_mouth = settings.eyes_mouth_prio, .yaw = yaw}, console, changed),
            margin};
}

data::Sampling sampling(const model::Settings& s)
{
    return {.src = src_options(s),
            .dst = augment_options(s, flip_of(s.random_dst_flip)),
            .ct_mode = data::color_kind_of(s.ct_mode),
            .blur_out_mask = s.blur_out_mask,
            .purpose = kTrainingPurpose};
}

/// The same targets, of faces as they are.
data::Sampling plain_sampling(const model::Settings& s)
{
    return {.src = kAsTheyAre, .dst = kAsTheyAre, .blur_out_mask = s.blur_out_mask, .purpose = kValidationPurpose};
}

data::Faceset without(data::Faceset set, const std::vector<std::string>& files)
{
    std::erase_if(set.faces, [&](const data::FaceRecord& face) {
        return std::find(files.begin(), files.end(), face.file) != files.end();
    });
    return set;
}

} // namespace

data::Faceset usable_faceset(const std::string& folder, Console& console)
{
    check_unlocked(folder);
    data::Faceset set = open_faceset(folder, console);
    BIFRONS_CHECK(data, std::int64_t(set.faces.size()) >= kLeastFaces, folder, ": holds ", set.faces.size(),
                  set.faces.size() == 1 ? " face; " : " faces; ", "expected at least ", kLeastFaces,
                  ", which differ in pose and expression. Extract more footage of this person.");
    return set;
}

std::string few_held_out(std::int64_t held_out, const std::string& whose)
{
    constexpr std::int64_t kEnough = 8;
    if (held_out == 0 || held_out >= kEnough) return "";
    return str(whose, ": only ", held_out,
               " faces are held out, neighbouring frames that are nearly the same; "
               "held-out figures mean little. Extract longer footage, or set a larger validation_fraction.");
}

std::int64_t faces_margin(const model::Settings& settings)
{
    return settings.resolution / 8;
}

std::int64_t faces_side(const model::Settings& settings)
{
    return settings.resolution + 2 * faces_margin(settings);
}

std::vector<float> sample_pictures(const data::Faceset& set, const model::Settings& settings, std::int64_t rows,
                                   Console& console)
{
    std::vector<std::size_t> indices;
    for (std::int64_t row = 0; row < rows; ++row)
        indices.push_back(std::size_t((2 * row + 1) * std::int64_t(set.faces.size()) / (2 * rows)));
    const data::FaceArrays faces =
        open_faces(set, indices, data::face_type_of(settings.face_type), settings.resolution, {}, console);
    if (!faces.damaged.empty()) return sample_pictures(without(set, faces.damaged), settings, rows, console);
    std::vector<float> pictures(faces.images.size());
    std::transform(faces.images.begin(), faces.images.end(), pictures.begin(),
                   [](std::uint8_t v) { return float(v) / 255; });
    return pictures;
}

IdentityData::IdentityData(kernels::Device& device, Memory& memory, const model::Settings& settings, data::Faceset set,
                           Console& console, Changed changed)
    : set_(std::move(set)), split_(data::split_faces(set_, settings.validation_fraction)), settings_(settings),
      training_(load(device, memory, set_, split_.train, settings, settings.uniform_yaw, console, changed))
{
    if (!split_.validation.empty())
        held_out_.emplace(load(device, memory, set_, split_.validation, settings, false, console, changed));
}

TrainingData::TrainingData(kernels::Device& device, const model::Settings& settings, data::Faceset src,
                           data::Faceset dst, Console& console, Changed changed)
    : pool_(device), src_(device, pool_, settings, std::move(src), console, changed),
      dst_(device, pool_, settings, std::move(dst), console, changed),
      training_(src_.training(), dst_.training(), sampling(settings), pool_, settings.batch_size)
{
    if (src_.held_out() && dst_.held_out())
        validation_.emplace(*src_.held_out(), *dst_.held_out(), plain_sampling(settings), pool_, settings.batch_size);
}

} // namespace bifrons::tools
