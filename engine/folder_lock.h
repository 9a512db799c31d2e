// engine/folder_lock.h - one writer per folder, across processes.
#pragma once

#include <string>

namespace bifrons {

/// Holds FOLDER/.lock from construction to destruction. The system releases the lock of a process that died, so a
/// left-over file never stands in the way. Creates the folder where missing.
/// Throws Error(failed) naming the holder's process id where another process (or object) holds it.
class FolderLock {
  public:
    explicit FolderLock(const std::string& folder);
    ~FolderLock();
    FolderLock(const FolderLock&) = delete;
    FolderLock& operator=(const FolderLock&) = delete;

  private:
    int fd_ = -1;
};

} // namespace bifrons
