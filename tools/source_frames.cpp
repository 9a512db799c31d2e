#include "tools/source_frames.h"

#include "data/media/frames.h"

#include <map>

namespace bifrons::tools {

namespace {

/// Of one source: positions in the list of faces, by frame.
using Positions = std::multimap<std::int64_t, std::size_t>;

std::map<std::int64_t, Positions> by_source(const data::Faceset& set, const std::vector<std::size_t>& indices)
{
    std::map<std::int64_t, Positions> sources;
    for (std::size_t position = 0; position < indices.size(); ++position) {
        const data::FaceRecord& face = set.faces[indices[position]];
        sources[face.source].emplace(face.frame, position);
    }
    return sources;
}

/// The file that holds the frame: the video, or the picture.
std::filesystem::path file_of(const data::SourceRecord& source, std::int64_t frame)
{
    if (source.pictures.empty() || !std::filesystem::is_directory(source.path)) return source.path;
    return std::filesystem::path(source.path) / source.pictures.at(std::size_t(frame));
}

} // namespace

std::string missing_source(const data::Faceset& set, const std::vector<std::size_t>& indices)
{
    for (const auto& [source, positions] : by_source(set, indices)) {
        for (const auto& [frame, position] : positions) {
            const std::filesystem::path path = file_of(set.sources[std::size_t(source)], frame);
            if (!std::filesystem::exists(path)) return path.string();
        }
    }
    return "";
}

void read_source_frames(const data::Faceset& set, const std::vector<std::size_t>& indices, const FrameVisit& visit)
{
    for (const auto& [source, positions] : by_source(set, indices)) {
        const data::SourceRecord& record = set.sources[std::size_t(source)];
        if (!record.pictures.empty()) {
            for (const auto& [frame, position] : positions)
                visit(position, data::load_image(file_of(record, frame), data::kMostPixels));
            continue;
        }
        const std::string& path = record.path;
        const auto frames = data::open_frames(path, {.max_pixels = data::kMostPixels});
        const std::int64_t last = positions.rbegin()->first;
        data::Frame frame;
        for (std::int64_t n = 0; n <= last; ++n) {
            BIFRONS_CHECK(data, frames->next(frame), path, ": has ", n, " frames, but ", set.folder.string(),
                          " holds a face of frame ", last, ". Extract again.");
            const auto [begin, end] = positions.equal_range(n);
            for (auto it = begin; it != end; ++it) visit(it->second, frame.image);
        }
    }
}

} // namespace bifrons::tools
