// engine/atomic_file.h - writes a file so that its name never shows half of it: temporary file, fsync, rename, fsync of
// the folder. A process killed at any moment leaves the old file or the new one, and at worst the temporary beside it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace bifrons {

/// Follows PATH in the name of the temporary beside it, before the process's number: no two processes share one.
inline constexpr const char* kPartialMark = ".partial";
std::string partial_name(const std::string& path);

/// Whether what was written survives a power cut.
enum class Flush { no, yes };

/// One thread at a time per path. Every member throws Error(failed) with the system's reason; without a commit() the
/// temporary is removed and what was at `path` is untouched.
class AtomicFile {
  public:
    explicit AtomicFile(const std::string& path, Flush flush = Flush::yes);
    ~AtomicFile();
    AtomicFile(const AtomicFile&) = delete;
    AtomicFile& operator=(const AtomicFile&) = delete;

    void write(const void* data, std::size_t bytes);
    /// Makes the content durable, if asked, and puts it at `path`, over what was there.
    void commit();

  private:
    [[noreturn]] void fail(const char* what) const;
    void flush_folder() const;

    std::string path_, partial_;
    Flush flush_;
    std::uint64_t written_ = 0;
    int fd_ = -1;
    bool renamed_ = false;
};

} // namespace bifrons
