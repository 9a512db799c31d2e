// data/faceset_trash.h - faces that were taken out of a faceset, and can be put back.
//
// The trash is a faceset itself, FACESET/trash, so that it can be looked at like any other. A face is where its picture
// is. Its record is saved where it goes to, then the picture is moved, then the record is removed where it was: a
// process killed at any moment leaves each face in one of both. Its mask leaves behind the picture and comes back
// before it. Tests tests/data/faceset_trash_test.cpp
#pragma once

#include "data/faceset.h"

namespace bifrons::data {

std::filesystem::path trash_of(const std::filesystem::path& faceset);
/// Whether the folder is the trash of the faceset above it.
bool is_trash(const std::filesystem::path& folder);

/// Deletes the faces in the trash of this faceset, and the folder unless something else is in it.
void empty_trash(const std::filesystem::path& faceset);

/// The faces in the trash of this faceset, none where it has no trash. Throws Error(data) as load_faceset, for a link,
/// and for the trash of another faceset.
Faceset load_trash(const Faceset& set);

/// Moves the faces with these indices to the trash. The caller holds the faceset's FolderLock. A name that is taken
/// there gets a number: nothing is ever replaced. Throws Error(data) as load_trash, Error(failed).
void drop_faces(Faceset& set, const std::vector<std::size_t>& faces);

/// Moves the faces with these indices of the trash back, in the order of sources and frames. Otherwise as drop_faces.
void restore_faces(Faceset& set, Faceset& trash, const std::vector<std::size_t>& faces);

} // namespace bifrons::data
