// engine/atomic_file.h - writes a file so that its name never shows half of it: temporary file, fsync, rename, fsync of
// the folder. A process killed at any moment leaves the old file or the new one, and at worst a Partial beside it.
#pragma once

#include "engine/partial.h"

#include <cstddef>
#include <cstdint>

namespace bifrons {

/// Whether what was written survives a power cut.
enum class Flush { no, yes };

/// Every member throws Error(failed) with the system's reason; without a commit() the
/// temporary is removed and what was at `path` is untouched.
class AtomicFile {
  public:
    explicit AtomicFile(const std::string& path, Flush flush = Flush::yes);

    void write(const void* data, std::size_t bytes);
    /// Makes the content durable, if asked, and puts it at `path`, over what was there.
    void commit();

  private:
    [[noreturn]] void fail(const char* what) const;
    void flush_folder() const;

    std::string path_;
    Partial partial_;
    Flush flush_;
    std::uint64_t written_ = 0;
};

} // namespace bifrons
