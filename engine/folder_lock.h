// engine/folder_lock.h - one writer per folder, across processes.
#pragma once

#include <string>
#include <vector>

namespace bifrons {

/// Throws Error(failed) where another process (or object) holds the folder's FolderLock, naming that process's id.
void check_unlocked(const std::string& folder);

/// Holds FOLDER/.lock from construction to destruction. The system releases the lock of a process that died, so a
/// left-over file never blocks it. Creates the folder where missing, and removes what a process that died left
/// unfinished in it (engine/partial.h); the destructor removes the file, and what was created if nothing was put into
/// it. Throws Error(failed) where the folder cannot be made or written to, and where another process (or object) holds
/// it, naming that process's id.
class FolderLock {
  public:
    explicit FolderLock(const std::string& folder);
    ~FolderLock();
    FolderLock(const FolderLock&) = delete;
    FolderLock& operator=(const FolderLock&) = delete;

  private:
    void take(const std::string& folder);
    [[noreturn]] void refuse(const std::string& folder); // errno says why

    std::string path_;
    std::vector<std::string> made_; // folders, each in the one behind it
    int fd_ = -1;
};

} // namespace bifrons
