#include "engine/mapped_file.h"

#include "kernels/base/error.h"

#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

namespace bifrons {

MappedFile::MappedFile(const std::string& path, const std::string& expected)
{
    const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK); // NONBLOCK: a pipe must not hang us
    BIFRONS_CHECK(data, fd >= 0, path, ": cannot be opened: ", std::strerror(errno));
    struct stat info {};
    const bool regular = fstat(fd, &info) == 0 && S_ISREG(info.st_mode);
    const std::size_t size = size_ = regular ? std::size_t(info.st_size) : 0;
    void* data = size > 0 ? mmap(nullptr, size, PROT_READ, MAP_PRIVATE, fd, 0) : MAP_FAILED;
    const int reason = errno;
    close(fd);
    BIFRONS_CHECK(data, regular, path, ": is not a regular file; expected ", expected);
    BIFRONS_CHECK(data, size > 0, path, ": is empty; expected ", expected);
    BIFRONS_CHECK(device, data != MAP_FAILED || reason != ENOMEM, path, ": takes ", size,
                  " bytes of address space, and the system gives none. Raise the limit (`ulimit -v`).");
    BIFRONS_CHECK(data, data != MAP_FAILED, path, ": cannot be read: ", std::strerror(reason));
    bytes_ = {static_cast<const std::uint8_t*>(data),
              [size](const std::uint8_t* p) { munmap(const_cast<std::uint8_t*>(p), size); }};
}

} // namespace bifrons
