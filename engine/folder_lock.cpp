#include "engine/folder_lock.h"

#include "engine/own_file.h"
#include "engine/partial.h"
#include "kernels/base/error.h"

#include <cerrno>
#include <cstring>
#include <filesystem>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

namespace bifrons {

namespace {

namespace fs = std::filesystem;

/// The process id that the holder wrote, or "?".
std::string holder(int fd)
{
    char text[32] = {};
    const ssize_t n = pread(fd, text, sizeof text - 1, 0);
    return n > 0 ? std::string(text, std::size_t(n)) : "?";
}

/// The folder and its parents that do not exist, the deepest first.
std::vector<std::string> missing_folders(const fs::path& folder)
{
    std::vector<std::string> missing;
    std::error_code ignored;
    for (fs::path at = fs::absolute(folder).lexically_normal(); !fs::exists(at, ignored) && at.has_relative_path();
         at = at.parent_path())
        if (at.has_filename()) missing.push_back(at.string());
    return missing;
}

/// Those that are not empty stay.
void remove_empty(const std::vector<std::string>& folders)
{
    for (const std::string& folder : folders) rmdir(folder.c_str());
}

/// Whether the open file still has its name: its last holder took it away at its end.
bool is_at(int fd, const std::string& path)
{
    struct stat open_file, named;
    return fstat(fd, &open_file) == 0 && stat(path.c_str(), &named) == 0 && open_file.st_ino == named.st_ino &&
           open_file.st_dev == named.st_dev;
}

} // namespace

void check_unlocked(const std::string& folder)
{
    const int fd = open((folder + "/.lock").c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0) return; // nobody holds it
    const bool held = flock(fd, LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK;
    const std::string process = holder(fd);
    close(fd);
    BIFRONS_CHECK(failed, !held, folder, ": process ", process, " is writing there. Wait for it or stop it.");
}

FolderLock::FolderLock(const std::string& folder) : path_(folder + "/.lock")
{
    try {
        take(folder);
    } catch (...) {
        remove_empty(made_);
        throw;
    }
    const std::string pid = std::to_string(getpid());
    if (ftruncate(fd_, 0) == 0) (void)!pwrite(fd_, pid.data(), pid.size(), 0); // only for the message below
}

FolderLock::~FolderLock()
{
    unlink(path_.c_str());
    close(fd_);
    remove_empty(made_);
}

void FolderLock::take(const std::string& folder)
{
    // Another's end may take a new folder away before there is a file in it: then once more.
    for (int attempts_left = 100;; --attempts_left) {
        std::vector<std::string> missing = missing_folders(folder);
        if (missing.size() > made_.size()) made_ = std::move(missing);
        std::error_code failure;
        fs::create_directories(folder, failure);
        if (failure && attempts_left > 0) continue;
        BIFRONS_CHECK(failed, !failure, folder, ": cannot be created: ", failure.message(), ". Choose another folder.");
        fd_ = open_own_file(path_, O_RDWR);
        if (fd_ < 0 && errno == ENOENT && attempts_left > 0) continue;
        BIFRONS_CHECK(failed, fd_ >= 0, path_, ": cannot be opened: ", std::strerror(errno),
                      ". Make the folder writable, or choose another folder.");
        if (flock(fd_, LOCK_EX | LOCK_NB) != 0) refuse(folder);
        if (is_at(fd_, path_)) return sweep_partials(folder);
        close(fd_);
    }
}

void FolderLock::refuse(const std::string& folder)
{
    const bool held = errno == EWOULDBLOCK;
    const std::string reason = held ? "process " + holder(fd_) + " is writing there" : std::strerror(errno);
    close(fd_);
    throw Error(ErrorKind::failed,
                str(folder, ": cannot be locked: ", reason,
                    held ? ". Wait for it or stop it, or choose another folder." : ". Choose another folder."));
}

} // namespace bifrons
