// engine/own_file.h - files and folders of ours that are written in place. A link under their name, which a folder from
// elsewhere may hold, would lead to somebody's own files, and is refused. Tests tests/engine/partial_test.cpp
#pragma once

#include <string>

namespace bifrons {

/// open() for writing, with `flags` added, of a regular file, not a link; created where missing. -1 and errno where
/// the system refuses. Throws Error(data) for a link and for a folder, pipe or device.
int open_own_file(const std::string& path, int flags);

/// Creates the folder unless it exists. Throws Error(data) for a link and for what is not a folder, Error(failed) where
/// it cannot be created.
void make_own_folder(const std::string& path);

} // namespace bifrons
