#include "tools/face_values.h"

#include "data/face_chip.h"
#include "data/model_files.h"
#include "data/oddness.h"
#include "kernels/base/error.h"
#include "kernels/base/suggest.h"
#include "model/identity.h"
#include "tools/progress.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace bifrons::tools {

namespace {

constexpr double kDegree = 3.14159265358979323846 / 180;
constexpr double kUnknown = std::numeric_limits<double>::quiet_NaN();

using Descriptor = model::IdentityNetwork::Descriptor;

/// The mean of the half of the faces that lies nearest to the mean of all: that of one person, if a few are others'.
Descriptor middle_of(const std::vector<Descriptor>& faces)
{
    const Descriptor mean = model::mean(faces);
    std::vector<Descriptor> nearest = faces;
    const auto end = nearest.begin() + std::ptrdiff_t((nearest.size() + 1) / 2);
    std::nth_element(nearest.begin(), end - 1, nearest.end(), [&](const Descriptor& a, const Descriptor& b) {
        return model::distance(a, mean) < model::distance(b, mean);
    });
    return model::mean({nearest.begin(), end});
}

std::string identity_file(const std::string& given)
{
    const std::string file = given.empty() ? data::find_model_file(data::model_file("identity").file).string() : given;
    BIFRONS_CHECK(usage, !file.empty(),
                  "identity needs a network, which was not found; `bifrons models` says how to get it, and --identity "
                  "FILE names another place. similarity works without one.");
    return file;
}

} // namespace

const std::vector<FaceKey>& face_keys()
{
    static const std::vector<FaceKey> keys = {
        {"blur", "sharpness", "the sharpest (variance of the Laplacian in the face)", true},
        {"yaw", "yaw", "those that look to the picture's left; degrees, above 0 to the right", false},
        {"pitch", "pitch", "those that look down; degrees, above 0 up", false},
        {"size", "size", "the largest in their footage, px", true},
        {"brightness", "brightness", "the brightest, % of white", true},
        {"hue", "hue", "bluish skin, then red, yellow and green; degrees, 0 is red and 60 yellow", false},
        {"similarity", "difference", "like next to like, unlike ones at the end; difference to the face before, levels",
         false},
        {"black", "black", "those with the fewest black pixels, %", false},
        {"frame", "frame", "as in the footage", false},
        {"identity", "identity", "those nearest to the person whom most show; above 0.6 it is somebody else", false},
        {"score", "score", "the surest detections", true},
        {"odd", "oddness", "the least like the others in score, sharpness, size, pose or landmarks; odd from 3.5",
         true}};
    return keys;
}

const FaceKey& face_key_of(const std::string& name)
{
    std::vector<std::string> measures;
    for (const FaceKey& key : face_keys()) {
        if (name == key.name || name == key.measure) return key;
        measures.emplace_back(key.measure);
    }
    std::string list;
    for (const std::string& measure : measures) list += (list.empty() ? "" : ", ") + measure;
    throw Error(ErrorKind::usage,
                str("\"", name, "\" is not a measure of faces; expected one of ", list, did_you_mean(name, measures)));
}

const std::vector<double>& FaceValues::of(const FaceKey& key)
{
    auto found = values_.find(key.name);
    if (found == values_.end()) found = values_.emplace(key.name, taken(key.name)).first;
    return found->second;
}

std::vector<std::size_t> FaceValues::order(const FaceKey& key)
{
    const std::vector<double>& values = of(key);
    std::vector<std::size_t> faces(set_.faces.size());
    for (std::size_t i = 0; i < faces.size(); ++i) faces[i] = i;
    if (std::string(key.name) == "similarity") {
        for (std::size_t i = 0; i < chain_.size(); ++i) faces[i] = chain_[i].face;
        std::size_t end = chain_.size();
        for (std::size_t i = 0; i < values.size(); ++i)
            if (std::isnan(values[i])) faces[end++] = i;
        return faces;
    }
    std::stable_sort(faces.begin(), faces.end(), [&](std::size_t a, std::size_t b) {
        if (std::isnan(values[a]) || std::isnan(values[b])) return !std::isnan(values[a]) && std::isnan(values[b]);
        if (values[a] != values[b]) return (values[a] < values[b]) != key.falls;
        return std::string(key.name) == "frame" && set_.faces[a].source < set_.faces[b].source;
    });
    return faces;
}

const data::FaceLooks& FaceValues::looks()
{
    if (looks_) return *looks_;
    console_.begin_work();
    LateProgress progress(console_, "look", "faces");
    looks_ = data::looks_of(set_, {.progress = [&](std::int64_t done, std::int64_t of) { progress.update(done, of); }});
    unreadable_.insert(unreadable_.end(), looks_->unreadable.begin(), looks_->unreadable.end());
    return *looks_;
}

std::vector<double> FaceValues::taken(const std::string& name)
{
    if (name == "similarity") return similarities();
    if (name == "identity") return identities();
    const std::size_t n = set_.faces.size();
    std::vector<double> values(n, kUnknown);
    if (name == "odd") {
        for (const data::Oddness& odd : data::by_oddness(set_)) values[odd.face] = odd.value;
        return values;
    }
    const auto of_look = [&](double data::FaceLook::*measure) {
        for (std::size_t i = 0; i < n; ++i)
            if (looks().of[i]) values[i] = *looks().of[i].*measure;
        return values;
    };
    if (name == "brightness") return of_look(&data::FaceLook::brightness);
    if (name == "hue") return of_look(&data::FaceLook::hue);
    if (name == "black") return of_look(&data::FaceLook::black);
    for (std::size_t i = 0; i < n; ++i) {
        const data::FaceRecord& face = set_.faces[i];
        values[i] = name == "blur"    ? face.sharpness
                    : name == "yaw"   ? face.pose.yaw / kDegree
                    : name == "pitch" ? face.pose.pitch / kDegree
                    : name == "size"  ? face.size
                    : name == "frame" ? double(face.frame)
                                      : face.score;
    }
    return values;
}

std::vector<double> FaceValues::similarities()
{
    std::vector<double> values(set_.faces.size(), kUnknown);
    chain_ = data::by_likeness(looks().of);
    for (const data::Link& link : chain_) values[link.face] = link.distance;
    return values;
}

std::vector<double> FaceValues::identities()
{
    constexpr std::size_t kBatch = 16;
    const SafetensorsFile file(identity_file(identity_.file));
    const auto device = kernels::open_device(identity_.device);
    model::IdentityNetwork network(*device, file);
    console_.begin_work();
    std::optional<Progress> progress(std::in_place, console_, "identity", "faces", std::int64_t(set_.faces.size()));
    std::vector<Descriptor> described;
    std::vector<std::size_t> faces;
    std::vector<float> chips;
    for (std::size_t i = 0; i < set_.faces.size(); ++i) {
        try {
            const data::ImageF chip = data::to_float(data::face_chip(data::load_face(set_, i), set_.faces[i].in_face));
            chips.insert(chips.end(), chip.pixels.begin(), chip.pixels.end());
            faces.push_back(i);
        } catch (const Error& error) {
            if (error.kind() != ErrorKind::data) throw;
            unreadable_.emplace_back(error.what());
        }
        progress->update(std::int64_t(i + 1));
        if (chips.empty() || (faces.size() - described.size() < kBatch && i + 1 < set_.faces.size())) continue;
        const std::vector<Descriptor> some = network(chips);
        described.insert(described.end(), some.begin(), some.end());
        chips.clear();
    }
    progress.reset();
    std::vector<double> values(set_.faces.size(), kUnknown);
    if (described.empty()) return values;
    const Descriptor person = middle_of(described);
    for (std::size_t k = 0; k < faces.size(); ++k) values[faces[k]] = model::distance(described[k], person);
    return values;
}

} // namespace bifrons::tools
