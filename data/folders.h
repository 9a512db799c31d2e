// data/folders.h - a folder of faces in, a folder of faces out: where the latter may be, and what each face's work is
// when others may be bad. Tests tests/data/import_test.cpp
#pragma once

#include "data/threads.h"
#include "kernels/base/error.h"

#include <filesystem>
#include <functional>
#include <string>

namespace bifrons::data {

/// Throws Error(usage) where one of them lies in the other: what is written would mix with what is read.
void check_apart(const std::filesystem::path& from, const std::filesystem::path& out);

/// Whether a folder that exists holds nothing but, at most, its lock.
bool is_unused(const std::filesystem::path& folder);

/// Of a long work: what is called after each step, one thread at a time, and what stops it.
struct WorkOptions {
    std::function<void(std::int64_t done, std::int64_t of)> progress = {};
    const std::atomic<bool>* cancel = nullptr; ///< set by the caller
};

/// Thrown by for_each_face() after a cancel.
struct Cancelled {};

/// work(i) for each i of [0, n) on the machine's threads. Returns what was wrong with each: empty, or the text of the
/// Error(data) that its work threw. Steps count from `before` and end at `of`.
template <class Work>
std::vector<std::string> for_each_face(std::size_t n, std::int64_t before, std::int64_t of, const WorkOptions& options,
                                       const Work& work)
{
    std::mutex guard;
    std::vector<std::string> faults(n);
    for_each_on_threads(std::int64_t(n), machine_threads(), [&](std::int64_t index, int) {
        const auto i = std::size_t(index);
        if (options.cancel && *options.cancel) throw Cancelled();
        try {
            work(i);
        } catch (const Error& error) {
            if (error.kind() != ErrorKind::data) throw;
            faults[i] = error.what();
        }
        const std::lock_guard lock(guard);
        if (options.progress) options.progress(++before, of);
    });
    return faults;
}

} // namespace bifrons::data
