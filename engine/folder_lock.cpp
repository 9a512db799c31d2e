#include "engine/folder_lock.h"

#include "kernels/base/error.h"

#include <cerrno>
#include <cstring>
#include <filesystem>

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

namespace bifrons {

namespace {

/// The process id that the holder wrote, or "?".
std::string holder(int fd)
{
    char text[32] = {};
    const ssize_t n = pread(fd, text, sizeof text - 1, 0);
    return n > 0 ? std::string(text, std::size_t(n)) : "?";
}

} // namespace

FolderLock::FolderLock(const std::string& folder)
{
    std::error_code failure;
    std::filesystem::create_directories(folder, failure);
    BIFRONS_CHECK(failed, !failure, folder, ": cannot be created: ", failure.message());
    const std::string path = folder + "/.lock";
    fd_ = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    BIFRONS_CHECK(failed, fd_ >= 0, path, ": cannot be opened: ", std::strerror(errno),
                  ". The folder has to be writable.");
    if (flock(fd_, LOCK_EX | LOCK_NB) != 0) {
        const bool held = errno == EWOULDBLOCK;
        const std::string reason = held ? "process " + holder(fd_) + " is writing there" : std::strerror(errno);
        close(fd_);
        throw Error(ErrorKind::failed, str(folder, ": cannot be locked: ", reason,
                                           held ? ". Wait for it or stop it, or take another folder." : ""));
    }
    const std::string pid = std::to_string(getpid());
    if (ftruncate(fd_, 0) == 0) (void)!pwrite(fd_, pid.data(), pid.size(), 0); // only for the message above
}

FolderLock::~FolderLock()
{
    close(fd_);
}

} // namespace bifrons
