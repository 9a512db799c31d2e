// data/import/new_faceset.h - the folder that an import fills. Tests tests/data/import_test.cpp
#pragma once

#include "data/faceset.h"
#include "engine/folder_lock.h"

namespace bifrons::data {

class NewFaceset {
  public:
    /// Locks the folder, takes an earlier faceset's files away and saves `begun`, which has no face and a source that
    /// is not complete: an interrupted import is known by that, and the next one may replace it. Throws Error(usage)
    /// where the folder holds other files, or a faceset and overwrite is not set.
    NewFaceset(const Faceset& begun, bool overwrite);

    /// Writes what images/ or masks/ is to hold. May be called by several threads.
    void write(const std::string& file, const std::vector<std::uint8_t>& bytes) const;
    void write(const std::string& file, const Image& picture) const;

  private:
    std::filesystem::path place_of(const std::string& file) const;

    const std::filesystem::path folder_;
    FolderLock lock_;
};

} // namespace bifrons::data
