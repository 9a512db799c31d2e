// data/import/new_faceset.cpp - the folder that an import fills.
#include "data/import/new_faceset.h"

#include "data/faceset_trash.h"
#include "data/folders.h"
#include "data/import/import.h"
#include "engine/own_file.h"
#include "kernels/base/error.h"

namespace bifrons::data {
namespace fs = std::filesystem;

namespace {

bool is_interrupted_import(const Faceset& set)
{
    return is_imported(set) && set.faces.empty() && set.sources.size() == 1 && !set.sources[0].complete;
}

/// The folder, unless it is something else.
std::string checked(const fs::path& folder)
{
    BIFRONS_CHECK(data, !fs::exists(folder) || fs::is_directory(folder), folder.string(), ": is not a folder");
    return folder.string();
}

} // namespace

NewFaceset::NewFaceset(const Faceset& begun, bool overwrite) : folder_(begun.folder), lock_(checked(begun.folder))
{
    if (is_faceset(folder_)) {
        BIFRONS_CHECK(usage, overwrite || is_interrupted_import(load_faceset(folder_)), folder_.string(),
                      ": holds a faceset already. Choose another folder, or use --overwrite.");
        fs::remove(folder_ / "faceset.journal");
        fs::remove_all(folder_ / "images");
        fs::remove_all(folder_ / "masks");
        empty_trash(folder_);
    } else {
        BIFRONS_CHECK(usage, is_unused(folder_), folder_.string(),
                      ": holds other files and no faceset; expected an empty or a new folder");
    }
    save_faceset(begun);
}

fs::path NewFaceset::place_of(const std::string& file) const
{
    const fs::path place = folder_ / file;
    make_own_folder(place.parent_path().string());
    return place;
}

void NewFaceset::write(const std::string& file, const std::vector<std::uint8_t>& bytes) const
{
    write_file(place_of(file), {reinterpret_cast<const char*>(bytes.data()), bytes.size()}, Existing::replace);
}

void NewFaceset::write(const std::string& file, const Image& picture) const
{
    save_image(place_of(file), picture, {.existing = Existing::replace});
}

} // namespace bifrons::data
