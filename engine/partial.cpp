#include "engine/partial.h"

#include "kernels/base/error.h"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <mutex>
#include <set>

#include <fcntl.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

namespace bifrons {

namespace {

namespace fs = std::filesystem;

std::mutex mutex;
std::function<void(const std::string&)> swept = [](const std::string&) {};
std::set<std::string> swept_folders;

std::string folder_of(const std::string& path)
{
    const std::string folder = fs::path(path).parent_path().string();
    return folder.empty() ? "." : folder;
}

std::string random_word()
{
    unsigned long long number = 0;
    BIFRONS_CHECK(failed, getrandom(&number, sizeof number, 0) == ssize_t(sizeof number),
                  "the system gives no random numbers: ", std::strerror(errno));
    char text[17];
    std::snprintf(text, sizeof text, "%016llx", number);
    return text;
}

/// The process that an unfinished file or folder of this name belongs to; 0: the name is of something else.
pid_t process_of(const std::string& name)
{
    const std::size_t mark = name.rfind(kPartialMark), begin = mark + std::strlen(kPartialMark);
    const std::size_t dash = mark == name.npos ? name.npos : name.find('-', begin);
    if (dash == name.npos || dash == begin || dash - begin > 9 || name.size() - dash != 17) return 0;
    if (name.find_first_not_of("0123456789", begin) != dash) return 0;
    if (name.find_first_not_of("0123456789abcdef", dash + 1) != name.npos) return 0;
    return std::stoi(name.substr(begin, dash - begin));
}

/// Its process has another number where folders are shared between containers: then the lock tells.
bool is_abandoned(const fs::path& path)
{
    const pid_t process = process_of(path.filename().string());
    if (process <= 0 || kill(process, 0) == 0 || errno != ESRCH) return false;
    const int fd = open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0) return false;
    const bool locked = flock(fd, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK;
    close(fd);
    return !locked;
}

void sweep_once(const std::string& folder)
{
    {
        const std::scoped_lock lock(mutex);
        if (!swept_folders.insert(folder).second) return;
    }
    sweep_partials(folder);
}

/// The name of a file may have 255 bytes, and that of a partial one is longer.
std::string partial_name(const std::string& path)
{
    constexpr std::size_t kLongest = 200;
    const std::string name = fs::path(path).filename().string();
    const std::string shorter = path.substr(0, path.size() - (name.size() > kLongest ? name.size() - kLongest : 0));
    return str(shorter, kPartialMark, getpid(), "-", random_word());
}

} // namespace

Partial::Partial(const std::string& path, Kind kind) : name_(partial_name(path))
{
    sweep_once(folder_of(path));
    const bool is_file = kind == Kind::file;
    if (is_file || mkdir(name_.c_str(), 0700) == 0)
        fd_ = open(name_.c_str(),
                   (is_file ? O_RDWR | O_CREAT | O_EXCL : O_RDONLY | O_DIRECTORY) | O_CLOEXEC | O_NOFOLLOW, 0666);
    BIFRONS_CHECK(failed, fd_ >= 0, path, ": cannot be created: ", std::strerror(errno),
                  ". Check the free space and the folder's permissions.");
    flock(fd_, LOCK_EX | LOCK_NB); // some file systems have no locks
}

Partial::~Partial()
{
    std::error_code ignored;
    fs::remove_all(name_, ignored);
    close(fd_);
}

void sweep_partials(const std::string& folder)
{
    std::error_code unreadable; // nothing was written there, then
    std::vector<std::string> found;
    for (const fs::directory_entry& entry : fs::directory_iterator(folder, unreadable))
        if (is_abandoned(entry.path())) found.push_back(entry.path().string());
    for (const std::string& path : found) {
        std::error_code stays;
        fs::remove_all(path, stays);
        if (stays) continue;
        const std::scoped_lock lock(mutex);
        swept(path);
    }
}

void on_swept(std::function<void(const std::string&)> listener)
{
    const std::scoped_lock lock(mutex);
    swept = std::move(listener);
}

} // namespace bifrons
