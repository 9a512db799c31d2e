// data/export/export.cpp - faceset -> the face pictures of another program.
#include "data/export/export.h"

#include "data/export/deepfacelab.h"
#include "data/folders.h"
#include "data/frame_name.h"
#include "data/picture/picture_reader.h"
#include "engine/folder_lock.h"

#include <set>

namespace bifrons::data {
namespace fs = std::filesystem;

namespace {

bool is_jpeg(const std::vector<std::uint8_t>& bytes)
{
    return bytes.size() > 2 && bytes[0] == 0xFF && bytes[1] == 0xD8;
}

/// The name of the picture that the face's frame is, or would be.
std::string frame_name(const SourceRecord& source, std::int64_t frame)
{
    if (!source.pictures.empty()) return source.pictures.at(std::size_t(frame));
    const std::string ending = fs::path(source.path).extension().string();
    return video_frame_name(source.name + ending, frame) + ".png"; // the name is unique, the file's need not be
}

/// Of each face's picture, without an ending; unique.
std::vector<std::string> stems_of(const Faceset& set)
{
    std::vector<std::string> stems;
    std::set<std::string> known;
    for (const FaceRecord& face : set.faces) {
        std::string stem = fs::path(face.file).stem().string();
        while (!known.insert(stem).second) stem += str("_", stems.size());
        stems.push_back(stem);
    }
    return stems;
}

/// What became of one face.
struct Written {
    bool has_mask = false, encoded = false, shrunk_mask = false;
};

Written write_face(const Faceset& set, std::size_t index, const fs::path& to, Existing existing)
{
    const FaceRecord& face = set.faces[index];
    const std::string name = (set.folder / face.file).string();
    const Image picture = load_face(set, index);
    std::vector<std::uint8_t> jpeg = stored_file(set, face.file);
    // DeepFaceLab shows pictures as they are stored.
    const bool as_it_is = is_jpeg(jpeg) && open_jpeg(jpeg, name)->orientation == 1;
    if (!as_it_is) {
        const std::string encoded = encode_jpeg(picture, name, {.jpeg_quality = kExportQuality});
        jpeg.assign(encoded.begin(), encoded.end());
    }
    AlignedFace exported{.side = set.side,
                         .type = set.type,
                         .in_face = face.in_face,
                         .in_frame = face.in_frame,
                         .matrix = face.matrix,
                         .rect = face.rect,
                         .source = frame_name(set.sources.at(std::size_t(face.source)), face.frame)};
    if (!face.mask.empty()) exported.mask = load_mask(set, index);
    const DflJpeg made = dfl_jpeg(jpeg, exported, name);
    write_file(to, made.bytes, existing);
    return {!face.mask.empty(), !as_it_is, made.shrunk_mask};
}

void check_folder(const fs::path& out, bool overwrite)
{
    BIFRONS_CHECK(usage, !is_faceset(out), out.string(), ": holds a faceset; expected another folder");
    BIFRONS_CHECK(usage, overwrite || is_unused(out), out.string(),
                  ": the folder is not empty; expected a new or empty one. Choose another, or add --overwrite to "
                  "replace files of the same names.");
}

} // namespace

ExportReport export_to_deepfacelab(const Faceset& set, const fs::path& out, const ExportOptions& options)
{
    check_apart(set.folder, out);
    check_unlocked(set.folder.string());
    BIFRONS_CHECK(data, !set.faces.empty(), set.folder.string(), ": holds no face");
    BIFRONS_CHECK(data, !fs::exists(out) || fs::is_directory(out), out.string(), ": is not a folder");
    const FolderLock lock(out.string());
    check_folder(out, options.overwrite);

    ExportReport report;
    const std::size_t n = set.faces.size();
    const std::vector<std::string> stems = stems_of(set);
    std::vector<Written> written(n);
    std::vector<std::string> faults;
    try {
        faults = for_each_face(n, 0, std::int64_t(n), options.work, [&](std::size_t i) {
            written[i] =
                write_face(set, i, out / (stems[i] + ".jpg"), options.overwrite ? Existing::replace : Existing::keep);
        });
    } catch (const Cancelled&) {
        return report;
    }
    for (std::size_t i = 0; i < n; ++i) {
        if (!faults[i].empty()) {
            report.left_out.push_back(faults[i]);
            continue;
        }
        report.faces += 1;
        report.masks += written[i].has_mask;
        report.encoded += written[i].encoded;
        report.shrunk_masks += written[i].shrunk_mask;
    }
    BIFRONS_CHECK(data, report.faces > 0, set.folder.string(), ": holds no usable face; ", report.left_out.front());
    report.complete = true;
    return report;
}

} // namespace bifrons::data
