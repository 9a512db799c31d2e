#include "tools/source_frames.h"

#include "data/media/frames.h"

#include <filesystem>
#include <map>

namespace bifrons::tools {

namespace {

namespace fs = std::filesystem;

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
fs::path file_of(const fs::path& path, const data::SourceRecord& source, std::int64_t frame)
{
    if (source.pictures.empty() || !fs::is_directory(path)) return path;
    return path / source.pictures.at(std::size_t(frame));
}

} // namespace

fs::path SourceFrames::path_of(const data::Faceset& set, const data::SourceRecord& source) const
{
    std::vector<fs::path> folders = folders_;
    if (folders.empty()) folders = {fs::weakly_canonical(set.folder).parent_path(), fs::current_path()};
    for (const fs::path& folder : folders)
        if (fs::exists(folder / source.path)) return folder / source.path;
    return folders.front() / source.path;
}

std::string SourceFrames::missing(const data::Faceset& set, const std::vector<std::size_t>& indices) const
{
    for (const auto& [index, positions] : by_source(set, indices)) {
        const data::SourceRecord& source = set.sources[std::size_t(index)];
        for (const auto& [frame, position] : positions) {
            const fs::path path = file_of(path_of(set, source), source, frame);
            if (!fs::exists(path)) return path.string();
        }
    }
    return "";
}

void SourceFrames::operator()(const data::Faceset& set, const std::vector<std::size_t>& indices,
                              const FrameVisit& visit) const
{
    for (const auto& [source, positions] : by_source(set, indices)) {
        const data::SourceRecord& record = set.sources[std::size_t(source)];
        const fs::path path = path_of(set, record);
        if (!record.pictures.empty()) {
            for (const auto& [frame, position] : positions)
                visit(position, data::load_image(file_of(path, record, frame), data::kMostPixels));
            continue;
        }
        const auto frames = data::open_frames(path, {.max_pixels = data::kMostPixels});
        const std::int64_t last = positions.rbegin()->first;
        data::Frame frame;
        for (std::int64_t n = 0; n <= last; ++n) {
            BIFRONS_CHECK(data, frames->next(frame), path.string(), ": has ", n, " frames, but ", set.folder.string(),
                          " holds a face of frame ", last, ". Extract again.");
            const auto [begin, end] = positions.equal_range(n);
            for (auto it = begin; it != end; ++it) visit(it->second, frame.image);
        }
    }
}

} // namespace bifrons::tools
