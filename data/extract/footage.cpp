// data/extract/footage.cpp - the faces of a whole clip.
#include "data/extract/footage.h"

#include "data/fingerprint.h"
#include "data/import/import.h"
#include "data/threads.h"
#include "kernels/base/error.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>

namespace bifrons::data {
namespace fs = std::filesystem;

namespace {

constexpr std::int64_t kRows = 9, kColumns = 16, kStep = 4; ///< of the cells; every fourth pixel is looked at
constexpr double kCut = 25;                                 ///< levels

using Cells = std::array<double, kRows * kColumns>;

/// Mean of blue, green and red in each cell.
Cells brightness(const Image& frame)
{
    Cells sum{}, count{};
    for (std::int64_t y = 0; y < frame.H; y += kStep)
        for (std::int64_t x = 0; x < frame.W; x += kStep) {
            const auto cell = std::size_t(y * kRows / frame.H * kColumns + x * kColumns / frame.W);
            const std::uint8_t* bgr = frame.at(y, x);
            sum[cell] += double(bgr[0] + bgr[1] + bgr[2]) / 3;
            count[cell] += 1;
        }
    for (std::size_t i = 0; i < sum.size(); ++i) sum[i] /= std::max(1.0, count[i]);
    return sum;
}

bool is_cut(const Cells& before, const Cells& after)
{
    double sum = 0;
    for (std::size_t i = 0; i < before.size(); ++i) sum += std::abs(after[i] - before[i]);
    return sum / double(before.size()) >= kCut;
}

/// Weak detections that lead up to a face: from the clip's end to its start.
void continue_backwards(FootageFaces& found, std::vector<std::vector<FrameFace>>& weak, Faces wanted)
{
    Clip& clip = found.clip;
    for (std::size_t t = clip.size(); t-- > 1;) {
        if (clip[t].begins_scene) continue;
        std::vector<FrameFace>& here = clip[t - 1].faces;
        for (const FrameFace& later : clip[t].faces) {
            const auto common = [&](const FrameFace& face) {
                return overlap(face.detection.rect, later.detection.rect);
            };
            const bool known =
                std::any_of(here.begin(), here.end(), [&](const FrameFace& face) { return common(face) >= kSameFace; });
            if (known || (wanted != Faces::all && !here.empty())) continue;
            const auto best = std::max_element(weak[t - 1].begin(), weak[t - 1].end(),
                                               [&](const auto& a, const auto& b) { return common(a) < common(b); });
            if (best == weak[t - 1].end() || common(*best) < kSameFace) continue;
            here.push_back(*best);
            weak[t - 1].erase(best);
            found.low_score -= 1;
        }
    }
}

bool is_readable(const fs::path& picture)
{
    Frame frame;
    return open_pictures({{picture}, ""}, {})->next(frame);
}

std::vector<fs::path> pictures_of(const fs::path& footage)
{
    return fs::is_directory(footage) ? pictures_in(footage).files : std::vector{footage};
}

/// Which frame of the footage each frame of the source is; -1: a picture that is gone.
std::vector<std::int64_t> places_of(const Faceset& set, const SourceRecord& source, const fs::path& footage,
                                    std::int64_t frames)
{
    std::vector<std::int64_t> places(std::size_t(source.done), -1);
    if (source.pictures.empty()) {
        BIFRONS_CHECK(data, source.done == frames, set.folder.string(), ": was extracted from ", source.done,
                      " frames of ", source.name, ", but the footage has ", frames, ". Extract it again.");
        std::iota(places.begin(), places.end(), 0);
        return places;
    }
    std::int64_t frame = 0;
    for (const fs::path& file : pictures_of(footage)) {
        const auto known = std::find(source.pictures.begin(), source.pictures.end(), file.filename().string());
        if (known == source.pictures.end() && !is_readable(file)) continue; // left out here, too
        BIFRONS_CHECK(data, known != source.pictures.end(), file.string(), ": was not extracted into ",
                      set.folder.string(), ". Run the same `bifrons extract` again, or take the picture away.");
        places.at(std::size_t(known - source.pictures.begin())) = frame++;
    }
    return places;
}

/// The same of an imported source.
std::vector<std::int64_t> places_by_name(const Faceset& set, const SourceRecord& source, const fs::path& footage,
                                         std::int64_t frames)
{
    std::map<std::string, std::size_t> known;
    for (std::size_t i = 0; i < source.pictures.size(); ++i) known[fs::path(source.pictures[i]).stem().string()] = i;
    std::vector<std::int64_t> places(std::size_t(source.done), -1);
    const auto take = [&](const std::string& name, std::int64_t frame) {
        const auto picture = known.find(name);
        if (picture != known.end()) places.at(picture->second) = frame;
        return picture != known.end();
    };
    std::int64_t named = 0;
    if (is_clip(footage)) {
        for (std::int64_t frame = 0; frame < frames; ++frame) named += take(video_frame_name(footage, frame), frame);
    } else {
        std::int64_t frame = 0;
        for (const fs::path& file : pictures_of(footage)) {
            const bool is_known = take(file.stem().string(), frame);
            named += is_known;
            frame += is_known || is_readable(file); // else left out here, too
        }
    }
    BIFRONS_CHECK(data, named > 0, set.folder.string(), ": holds faces of ", source.pictures.front(),
                  " and others, none of which is a frame of ", footage.string(),
                  "; expected footage with frames of these names, without their endings");
    return places;
}

/// The source that is this footage.
const SourceRecord& source_of(const Faceset& set, const std::string& name, const std::string& fingerprint)
{
    const auto find = [&](const auto& is_it) { return std::find_if(set.sources.begin(), set.sources.end(), is_it); };
    const auto is_named = [&](const SourceRecord& s) { return fs::path(s.path).filename() == name; };
    auto source = find([&](const SourceRecord& s) {
        return is_named(s) && !s.fingerprints.empty() && s.fingerprints.front() == fingerprint;
    });
    if (source == set.sources.end()) source = find(is_named);
    BIFRONS_CHECK(data, source != set.sources.end(), set.folder.string(), ": holds no faces of ", name,
                  "; expected a faceset that was extracted from it");
    return *source;
}

} // namespace

FootageFaces find_faces(FrameSource& source, FaceFinder& finder, const std::function<void(std::int64_t)>& tick)
{
    FootageFaces all;
    std::vector<std::vector<FrameFace>> weak;
    std::optional<Cells> before;
    finder.restart();
    const auto read = [&] { return next_block(source); };
    auto next = started_early(read);
    for (;;) {
        const std::vector<Frame> frames = next.get();
        if (frames.empty()) break;
        next = started_early(read);
        std::vector<FaceFinder::Found> found = finder.find(frames, true);
        for (std::size_t n = 0; n < frames.size(); ++n) {
            const Cells cells = brightness(frames[n].image);
            all.clip.push_back({std::move(found[n].faces), before && is_cut(*before, cells)});
            before = cells;
            weak.push_back(std::move(found[n].weak));
            all.ignored += found[n].ignored;
            all.low_score += found[n].low_score;
            all.implausible += found[n].implausible;
        }
        tick(std::int64_t(all.clip.size()));
    }
    continue_backwards(all, weak, finder.faces());
    return all;
}

FootageFaces faces_of(const Faceset& set, const fs::path& footage, std::int64_t frames)
{
    const std::string name = fs::weakly_canonical(footage).filename().string();
    const std::string fingerprint = fs::is_regular_file(footage) ? fingerprint_of(footage) : "";
    const bool by_name = is_imported(set) && !set.sources.empty() && !set.sources.front().pictures.empty();
    const SourceRecord& source = by_name ? set.sources.front() : source_of(set, name, fingerprint);
    BIFRONS_CHECK(data, source.complete, set.folder.string(), ": ", source.name,
                  " is not complete. Run the same `bifrons ", by_name ? "import" : "extract", "` again to finish it.");
    const std::vector<std::int64_t> places =
        by_name ? places_by_name(set, source, footage, frames) : places_of(set, source, footage, frames);
    FootageFaces all;
    all.clip.resize(std::size_t(frames));
    all.other_file =
        source.pictures.empty() && !source.fingerprints.empty() && source.fingerprints.front() != fingerprint;
    for (std::size_t i = 0; i < set.faces.size(); ++i) {
        const FaceRecord& face = set.faces[i];
        if (&set.sources[std::size_t(face.source)] != &source) continue;
        BIFRONS_CHECK(data, face.frame < std::int64_t(places.size()), set.folder.string(), ": ", face.file,
                      " is of frame ", face.frame, " of ", places.size(), "; faceset.json is damaged");
        const std::int64_t place = places[std::size_t(face.frame)];
        if (place < 0) continue;
        all.clip[std::size_t(place)].faces.push_back(
            {.detection = {.rect = face.rect, .score = face.score}, .points = face.in_frame, .record = i});
    }
    return all;
}

} // namespace bifrons::data
