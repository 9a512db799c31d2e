#include "tools/people.h"

#include "data/face_chip.h"
#include "data/model_files.h"
#include "kernels/base/error.h"

#include <algorithm>

namespace bifrons::tools {

namespace {

constexpr double kSamePerson = 0.6;
constexpr std::int64_t kSamples = 8; // of a track

/// Numbers of at most kSamples frames of the track, evenly spaced, in which its face was found.
std::vector<std::int64_t> samples_of(const data::Clip& clip, const data::Track& track)
{
    std::vector<std::int64_t> found;
    for (std::int64_t t = track.begin; t < track.end(); ++t)
        if (!face_at(clip, track, t).filled) found.push_back(t);
    const auto count = std::int64_t(found.size()), wanted = std::min(count, kSamples);
    std::vector<std::int64_t> some;
    for (std::int64_t i = 0; i < wanted; ++i) some.push_back(found[std::size_t((2 * i + 1) * count / (2 * wanted))]);
    return some;
}

} // namespace

Person person_of(const std::string& text)
{
    const std::size_t equals = text.find('=');
    BIFRONS_CHECK(usage, equals != text.npos && equals > 0 && equals + 1 < text.size(), "--map: is \"", text,
                  "\"; expected PICTURE=MODEL: a picture of the face to be replaced, and the model that replaces it");
    const Person person{text.substr(0, equals), text.substr(equals + 1)};
    BIFRONS_CHECK(data, std::filesystem::exists(person.picture), person.picture, ": does not exist");
    return person;
}

std::string identity_file()
{
    const std::string file = data::find_model_file(data::model_file("identity").file).string();
    BIFRONS_CHECK(usage, !file.empty(),
                  "--map needs the identity network, which was not found; `bifrons models` says how to get it, and "
                  "--identity FILE names another place.");
    return file;
}

People::People(model::IdentityNetwork& network, const std::vector<Person>& people, const data::FinderOptions& finder,
               std::shared_ptr<const data::LandmarkModel> landmarks)
    : network_(network)
{
    data::FinderOptions options = finder;
    options.faces = data::Faces::largest;
    data::FaceFinder find(options, std::move(landmarks));
    for (const Person& person : people) {
        const data::Image picture = data::load_image(person.picture);
        const std::vector<data::FaceFinder::Found> found = find.find({data::Frame{.image = picture}});
        BIFRONS_CHECK(data, !found[0].faces.empty(), person.picture,
                      ": shows no face that is found; expected a picture of the person to be replaced");
        people_.push_back(describe(picture, found[0].faces[0].points));
    }
}

model::IdentityNetwork::Descriptor People::describe(const data::Image& picture, const data::Landmarks& points) const
{
    return network_(data::to_float(data::face_chip(picture, points)).pixels)[0];
}

SortedFaces People::sort(data::FrameSource& source, const data::Clip& clip,
                         const std::function<void(std::int64_t)>& tick) const
{
    const std::vector<data::Track> tracks = data::tracks_of(clip);
    std::vector<std::vector<std::size_t>> looked_at(clip.size()); // in each frame: tracks
    std::vector<double> samples(tracks.size());
    for (std::size_t k = 0; k < tracks.size(); ++k)
        for (const std::int64_t t : samples_of(clip, tracks[k])) {
            looked_at[std::size_t(t)].push_back(k);
            samples[k] += 1;
        }
    std::vector<std::vector<double>> distances(tracks.size(), std::vector<double>(people_.size()));
    for (data::Frame frame; source.next(frame); tick(frame.index + 1))
        for (const std::size_t k : looked_at.at(std::size_t(frame.index))) {
            const auto face = describe(frame.image, face_at(clip, tracks[k], frame.index).points);
            for (std::size_t p = 0; p < people_.size(); ++p)
                distances[k][p] += model::distance(face, people_[p]) / samples[k];
        }

    SortedFaces sorted{.clips = std::vector(people_.size(), data::Clip(clip.size()))};
    for (data::Clip& own : sorted.clips)
        for (std::size_t t = 0; t < clip.size(); ++t) own[t].begins_scene = clip[t].begins_scene;
    for (std::size_t k = 0; k < tracks.size(); ++k) {
        const auto nearest = std::min_element(distances[k].begin(), distances[k].end());
        if (*nearest >= kSamePerson) {
            sorted.strangers += tracks[k].end() - tracks[k].begin;
            continue;
        }
        data::Clip& own = sorted.clips[std::size_t(nearest - distances[k].begin())];
        for (std::int64_t t = tracks[k].begin; t < tracks[k].end(); ++t)
            own[std::size_t(t)].faces.push_back(face_at(clip, tracks[k], t));
    }
    return sorted;
}

} // namespace bifrons::tools
