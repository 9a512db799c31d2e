// data/faceset_trash.cpp - faces that were taken out of a faceset, and can be put back.
#include "data/faceset_trash.h"

#include "engine/own_file.h"
#include "kernels/base/error.h"

#include <algorithm>
#include <set>
#include <tuple>

namespace bifrons::data {
namespace fs = std::filesystem;

namespace {

/// The name, with a number if it is taken in this folder.
std::string free_name(const fs::path& folder, const std::string& name, std::set<std::string>& taken)
{
    const fs::path path = name;
    const std::string begin = (path.parent_path() / path.stem()).string(), ending = path.extension().string();
    std::string found = name;
    for (int i = 2; fs::exists(fs::symlink_status(folder / found)) || taken.contains(found); ++i)
        found = str(begin, "-", i, ending);
    taken.insert(found);
    return found;
}

/// Creates the folders that the file lies in, below the faceset's.
void make_folders_of(const fs::path& faceset, const fs::path& file)
{
    fs::path folder = faceset;
    for (const fs::path& part : file.parent_path()) make_own_folder((folder /= part).string());
}

void move_file(const fs::path& from, const fs::path& to)
{
    std::error_code fault;
    fs::rename(from, to, fault);
    BIFRONS_CHECK(failed, !fault, from.string(), ": cannot be moved to ", to.string(), ": ", fault.message(),
                  ". Check the folders' permissions.");
}

/// Nothing where it is not there: it may have been moved before the program was killed.
void move_mask(const fs::path& from, const fs::path& to)
{
    if (fs::exists(from)) move_file(from, to);
}

enum class MaskMoves { before_its_picture, after_its_picture };

void move_faces(Faceset& from, Faceset& to, std::vector<std::size_t> faces, MaskMoves when)
{
    std::sort(faces.begin(), faces.end());
    std::vector<FaceRecord> left, moved, arrived;
    std::set<std::string> taken;
    for (std::size_t i = 0; i < from.faces.size(); ++i) {
        const FaceRecord& face = from.faces[i];
        if (!std::binary_search(faces.begin(), faces.end(), i)) {
            left.push_back(face);
            continue;
        }
        moved.push_back(face);
        arrived.push_back(face);
        arrived.back().file = free_name(to.folder, face.file, taken);
        // The mask of a face in the trash may still be in the faceset.
        if (!face.mask.empty() && fs::exists(from.folder / face.mask))
            arrived.back().mask = free_name(to.folder, face.mask, taken);
    }
    make_own_folder(to.folder.string());
    to.faces.insert(to.faces.end(), arrived.begin(), arrived.end());
    std::stable_sort(to.faces.begin(), to.faces.end(), [](const FaceRecord& a, const FaceRecord& b) {
        return std::tie(a.source, a.frame, a.file) < std::tie(b.source, b.frame, b.file);
    });
    save_faceset(to);
    for (std::size_t i = 0; i < moved.size(); ++i) {
        const FaceRecord &face = moved[i], &there = arrived[i];
        const auto mask = [&] {
            if (face.mask.empty()) return;
            make_folders_of(to.folder, there.mask);
            move_mask(from.folder / face.mask, to.folder / there.mask);
        };
        if (when == MaskMoves::before_its_picture) mask();
        make_folders_of(to.folder, there.file);
        move_file(from.folder / face.file, to.folder / there.file);
        if (when == MaskMoves::after_its_picture) mask();
    }
    from.faces = std::move(left);
    save_faceset(from);
}

} // namespace

fs::path trash_of(const fs::path& faceset)
{
    return faceset / "trash";
}

bool is_trash(const fs::path& folder)
{
    const fs::path whole = fs::weakly_canonical(folder / "faceset.json").parent_path();
    return trash_of(whole.parent_path()) == whole && is_faceset(whole.parent_path());
}

void empty_trash(const fs::path& faceset)
{
    const fs::path trash = trash_of(faceset);
    if (fs::is_symlink(trash) || !is_faceset(trash)) return;
    for (const char* own : {"images", "masks"}) fs::remove_all(trash / own);
    for (const char* own : {"faceset.journal", "faceset.json"}) fs::remove(trash / own);
    std::error_code not_empty;
    fs::remove(trash, not_empty);
}

Faceset load_trash(const Faceset& set)
{
    const fs::path folder = trash_of(set.folder);
    std::error_code ignored;
    BIFRONS_CHECK(data, !fs::is_symlink(folder, ignored), folder.string(),
                  ": is a link; expected the folder of faces that were dropped");
    Faceset trash = is_faceset(folder) ? load_faceset(folder) : Faceset{.folder = folder};
    trash.missing.clear(); // on their way, or deleted for good
    const auto is_of_set = [&](const FaceRecord& face) {
        const auto source = std::size_t(face.source);
        return source < set.sources.size() && set.sources[source].name == trash.sources[source].name;
    };
    const bool fits = trash.faces.empty() || (trash.type == set.type && trash.side == set.side &&
                                              std::all_of(trash.faces.begin(), trash.faces.end(), is_of_set));
    BIFRONS_CHECK(data, fits, folder.string(), ": holds faces of another faceset than ", set.folder.string(),
                  ". Move the folder elsewhere.");
    return trash;
}

void drop_faces(Faceset& set, const std::vector<std::size_t>& faces)
{
    Faceset trash = load_trash(set);
    trash.type = set.type;
    trash.side = set.side;
    trash.detector = set.detector;
    trash.landmarks = set.landmarks;
    trash.sources = set.sources;
    for (SourceRecord& source : trash.sources) source.dropped.clear();
    move_faces(set, trash, faces, MaskMoves::after_its_picture);
}

void restore_faces(Faceset& set, Faceset& trash, const std::vector<std::size_t>& faces)
{
    move_faces(trash, set, faces, MaskMoves::before_its_picture);
}

} // namespace bifrons::data
