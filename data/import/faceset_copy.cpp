// data/import/faceset_copy.cpp - a faceset's copy, whose faces get masks.
#include "data/import/faceset_copy.h"

#include "data/import/new_faceset.h"
#include "kernels/base/error.h"

namespace bifrons::data {
namespace fs = std::filesystem;

namespace {

/// Copies the face's files. Returns its record with the mask that it has there.
FaceRecord copy_face(const Faceset& from, const FaceRecord& face, MaskFolder& masks, const NewFaceset& out)
{
    FaceRecord copy = face;
    out.write(face.file, read_file(from.folder / face.file));
    const Image mask = masks.of(face.file, from.side);
    if (!mask.pixels.empty())
        out.write(copy.mask = "masks/" + fs::path(face.file).filename().string() + ".png", mask);
    else if (!face.mask.empty())
        out.write(face.mask, read_file(from.folder / face.mask));
    return copy;
}

} // namespace

void copy_faceset(const fs::path& from, const fs::path& out, MaskFolder& masks, const ImportOptions& options,
                  ImportReport& report)
{
    check_unlocked(from.string());
    const Faceset set = load_faceset(from);
    BIFRONS_CHECK(data, !set.faces.empty(), from.string(), ": holds no faces");
    for (const std::string& file : set.missing) report.left_out.push_back(str((from / file).string(), ": is gone"));
    std::vector<std::string> files;
    for (const FaceRecord& face : set.faces) files.push_back(face.file);
    masks.check(files);

    Faceset copy = set;
    copy.folder = out;
    copy.faces.clear();
    const NewFaceset folder({.folder = out,
                             .type = set.type,
                             .side = set.side,
                             .detector = kImported,
                             .sources = {{.name = "copy", .path = "copy"}}},
                            options.overwrite);
    const std::size_t n = set.faces.size();
    std::vector<FaceRecord> records(n);
    const std::vector<std::string> faults = for_each_face(n, 0, std::int64_t(n), options.work, [&](std::size_t i) {
        records[i] = copy_face(set, set.faces[i], masks, folder);
    });
    for (std::size_t i = 0; i < n; ++i) {
        if (!faults[i].empty()) {
            report.left_out.push_back(faults[i]);
            continue;
        }
        report.masks += !records[i].mask.empty();
        copy.faces.push_back(std::move(records[i]));
    }
    BIFRONS_CHECK(data, !copy.faces.empty(), from.string(), ": holds no usable face; ", report.left_out.front());
    save_faceset(copy);
    report.faces = std::int64_t(copy.faces.size());
    report.type = set.type;
    report.side = set.side;
}

} // namespace bifrons::data
