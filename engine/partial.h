// engine/partial.h - files and folders being written, beside the place where they will be.
//
// Their names are PATH.partial-<process>-<random>: nobody can have put a link there before. Each is locked while its
// process lives, so that what a killed one left is known as such and removed. Tests tests/engine/partial_test.cpp
#pragma once

#include <functional>
#include <string>

namespace bifrons {

inline constexpr const char* kPartialMark = ".partial-";

class Partial {
  public:
    enum class Kind { file, folder };
    /// Creates it, and first, once a process, removes what others left in the same folder. Throws Error(failed) with
    /// the system's reason.
    Partial(const std::string& path, Kind kind);
    /// Removes what is still there under its name.
    ~Partial();
    Partial(const Partial&) = delete;
    Partial& operator=(const Partial&) = delete;

    const std::string& name() const { return name_; }
    /// The open file or folder.
    int descriptor() const { return fd_; }

  private:
    std::string name_;
    int fd_ = -1;
};

/// Removes the folder's unfinished files and folders whose processes have ended.
void sweep_partials(const std::string& folder);

/// Is told the path of each one that was removed; one for the process.
void on_swept(std::function<void(const std::string&)> listener);

} // namespace bifrons
