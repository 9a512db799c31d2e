#include "engine/own_file.h"

#include "kernels/base/error.h"

#include <cerrno>
#include <cstring>
#include <filesystem>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace bifrons {

namespace {

namespace fs = std::filesystem;

void refuse_link(const std::string& path)
{
    std::error_code ignored;
    BIFRONS_CHECK(data, !fs::is_symlink(path, ignored), path,
                  ": is a link, and writing would change what it leads to. Remove it.");
}

} // namespace

int open_own_file(const std::string& path, int flags)
{
    refuse_link(path);
    const int fd = open(path.c_str(), flags | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0666);
    struct stat status = {};
    const bool is_regular = fd < 0 || (fstat(fd, &status) == 0 && S_ISREG(status.st_mode));
    if (!is_regular) close(fd);
    BIFRONS_CHECK(data, is_regular, path, ": is not a regular file; expected a file that this program wrote");
    return fd;
}

void make_own_folder(const std::string& path)
{
    refuse_link(path);
    const bool made = mkdir(path.c_str(), 0777) == 0;
    const int error = errno;
    std::error_code ignored;
    BIFRONS_CHECK(data, made || error != EEXIST || fs::is_directory(path, ignored), path,
                  ": is not a folder; expected one that this program made");
    BIFRONS_CHECK(failed, made || error == EEXIST, path, ": cannot be created: ", std::strerror(error));
}

} // namespace bifrons
