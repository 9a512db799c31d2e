#include "engine/atomic_file.h"

#include "kernels/base/error.h"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>

#include <fcntl.h>
#include <unistd.h>

namespace bifrons {

AtomicFile::AtomicFile(const std::string& path, Flush flush)
    : path_(path), partial_(path, Partial::Kind::file), flush_(flush)
{
}

void AtomicFile::fail(const char* what) const
{
    throw Error(ErrorKind::failed,
                str(path_, ": ", what, " after ", human_bytes(double(written_)), ": ", std::strerror(errno),
                    ". What was there before is unchanged. Check the free space and the folder's permissions."));
}

void AtomicFile::write(const void* data, std::size_t bytes)
{
    const char* next = static_cast<const char*>(data);
    while (bytes > 0) {
        const ssize_t n = ::write(partial_.descriptor(), next, bytes);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) fail("cannot be written");
        next += n;
        bytes -= std::size_t(n);
        written_ += std::uint64_t(n);
    }
}

void AtomicFile::commit()
{
    if (flush_ == Flush::yes && fsync(partial_.descriptor()) != 0) fail("cannot be made durable");
    // Network file systems tell of a full disk when a file is closed. The lock stays with the other descriptor.
    const int again = dup(partial_.descriptor());
    if (again >= 0 && close(again) != 0) fail("cannot be closed");
    if (std::rename(partial_.name().c_str(), path_.c_str()) != 0) fail("cannot be put in place");
    if (flush_ == Flush::yes) flush_folder();
}

void AtomicFile::flush_folder() const
{
    const std::string folder = std::filesystem::path(path_).parent_path().string();
    const int dir = open(folder.empty() ? "." : folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    // Some file systems cannot sync a folder (EINVAL); there the rename is as durable as it gets.
    const bool synced = dir >= 0 && (fsync(dir) == 0 || errno == EINVAL);
    if (dir >= 0) close(dir);
    BIFRONS_CHECK(failed, synced, path_, ": was written, but its folder cannot be made durable: ", std::strerror(errno),
                  ". A power failure now could lose it.");
}

} // namespace bifrons
