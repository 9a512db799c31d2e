// tools/open_faceset.h - facesets as a command meets them: large, so that loading shows progress and can be
// interrupted, and in somebody's hands, who takes pictures away and retouches others.
#pragma once

#include "data/faceset.h"
#include "tools/console.h"

namespace bifrons::tools {

/// Whether there is a faceset: a folder, or a pack.
bool holds_faceset(const std::string& path);

/// Of a folder or a pack. Says which faces were taken out because their picture is gone. Throws as data::load_faceset
/// and data::load_pack, and Interrupted.
data::Faceset open_faceset(const std::string& path, Console& console);

enum class Changed {
    accept, ///< says which, also which are left out
    refuse  ///< Error(data)
};
/// data::load_faces; pictures that are damaged or were changed since extraction are left out or accepted, with a word,
/// or refused. Throws Interrupted, and Error(data) if none is left.
data::FaceArrays open_faces(const data::Faceset& set, const std::vector<std::size_t>& indices, data::FaceType type,
                            std::int64_t side, data::FaceWants wants, Console& console,
                            Changed changed = Changed::accept);

/// Throws Error(data) that names the pictures which were changed since extraction or cannot be read; Interrupted.
void verify_pictures(const data::Faceset& set);

} // namespace bifrons::tools
