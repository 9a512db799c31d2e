// data/pack.h - a faceset as one file, for copying: an uncompressed tar, which any program for archives opens.
//
// Its first file is FACESET/faceset.json, which lists all others: the pictures and masks of the faces. What was dropped
// to the trash is not in it. Tests tests/data/pack_test.cpp
#pragma once

#include "data/faceset.h"
#include "data/folders.h"

namespace bifrons::data {

/// Whether the path is a file that begins as a tar does.
bool is_pack(const std::filesystem::path& path);

/// The faceset that a pack holds, whose pictures are read where they lie; its folder is the pack's path. Nothing is
/// written. Throws Error(usage) in a program that was built without libarchive, and Error(data), which begins with the
/// pack's name: no pack, damaged, cut off, or with a file that is not of its faces; its pictures, when they are read.
Faceset load_pack(const std::filesystem::path& file, const ReadTick& tick = {});

struct PackReport {
    std::int64_t faces = 0, bytes = 0; ///< of the pack
};

/// Writes the pack whole or not at all. Throws Error(usage) where the file exists and existing is keep, or where this
/// program was built without libarchive, Error(data) for a picture that is gone, Error(failed), Cancelled.
PackReport pack_faceset(const Faceset& set, const std::filesystem::path& file, Existing existing,
                        const WorkOptions& options);

/// Makes the folder, which does not exist or is empty, with the whole faceset or not at all. Throws Error(usage) for
/// another folder or a link, as load_pack(), Error(failed), Cancelled.
PackReport unpack_faceset(const std::filesystem::path& file, const std::filesystem::path& folder,
                          const WorkOptions& options);

} // namespace bifrons::data
