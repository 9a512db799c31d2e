// data/file.cpp - files written whole or not at all.
#include "data/file.h"

#include "engine/own_file.h"
#include "kernels/base/error.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>

namespace bifrons::data {
namespace fs = std::filesystem;

void check_destination(const fs::path& path, Existing existing)
{
    std::error_code ignored;
    const fs::file_status status = fs::status(path, ignored);
    if (fs::exists(status)) {
        BIFRONS_CHECK(data, fs::is_regular_file(status), path.string(),
                      ": is not a regular file and would be replaced. Name a file.");
        BIFRONS_CHECK(usage, existing == Existing::replace, path.string(),
                      ": already exists. Choose another name, or add --overwrite.");
    }
    const fs::path folder = path.has_parent_path() ? path.parent_path() : fs::path(".");
    BIFRONS_CHECK(data, fs::is_directory(folder, ignored), folder.string(), ": is not a folder, so ",
                  path.filename().string(), " cannot be written there. Create it first.");
}

void rename_into_place(const fs::path& temporary, const fs::path& path)
{
    std::error_code error;
    fs::rename(temporary, path, error);
    if (!error) return;
    std::error_code ignored;
    fs::remove(temporary, ignored);
    throw Error(ErrorKind::failed, str(path.string(), ": cannot be written: ", error.message(),
                                       ". The existing file is unchanged. Check the folder's permissions."));
}

void write_file(const fs::path& path, std::string_view bytes, Existing existing, Flush flush)
{
    check_destination(path, existing);
    AtomicFile file(path.string(), flush);
    file.write(bytes.data(), bytes.size());
    file.commit();
}

void append_to_file(const fs::path& path, std::string_view bytes)
{
    const int file = open_own_file(path.string(), O_WRONLY | O_APPEND);
    const bool written = file >= 0 && ::write(file, bytes.data(), bytes.size()) == ssize_t(bytes.size());
    const int error = errno;
    if (file >= 0) ::close(file);
    BIFRONS_CHECK(failed, written, path.string(), ": cannot be written: ", std::strerror(error),
                  ". Check the free space and the file's permissions.");
}

void flush_folder(const fs::path& folder)
{
    const int descriptor = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (descriptor < 0) return;
    ::syncfs(descriptor);
    ::close(descriptor);
}

std::vector<std::uint8_t> read_file(const fs::path& path, std::uint64_t most)
{
    std::error_code error;
    const fs::file_status status = fs::status(path, error);
    BIFRONS_CHECK(data, fs::exists(status), path.string(), ": does not exist; expected a file. Check the name.");
    BIFRONS_CHECK(data, fs::is_regular_file(status), path.string(), ": is not a regular file; expected a file");
    const std::uintmax_t size = std::min<std::uintmax_t>(fs::file_size(path, error), most);
    std::ifstream in(path, std::ios::binary);
    BIFRONS_CHECK(data, in && !error, path.string(), ": cannot be opened: ", std::strerror(errno));
    std::vector<std::uint8_t> bytes(size);
    in.read(reinterpret_cast<char*>(bytes.data()), std::streamsize(size));
    BIFRONS_CHECK(data, std::uintmax_t(in.gcount()) == size, path.string(), ": ends after ", in.gcount(), " of ", size,
                  " bytes");
    return bytes;
}

} // namespace bifrons::data
