#include "engine/checkpoint.h"

#include "engine/atomic_file.h"
#include "engine/own_file.h"

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <filesystem>
#include <fstream>

namespace bifrons {

namespace fs = std::filesystem;

namespace {

constexpr const char* kFormat = "bifrons-checkpoint-1";
const std::string kPrefix = "step-", kSuffix = ".safetensors";

std::string checkpoint_name(std::int64_t step)
{
    char digits[32];
    std::snprintf(digits, sizeof digits, "%09lld", static_cast<long long>(step));
    return kPrefix + digits + kSuffix;
}

/// The step in a checkpoint's file name, or -1 for another name.
std::int64_t step_of(const std::string& name)
{
    if (name.size() <= kPrefix.size() + kSuffix.size() || name.rfind(kPrefix, 0) != 0) return -1;
    std::int64_t step = -1;
    const char* const end = name.data() + name.size() - kSuffix.size();
    const auto parsed = std::from_chars(name.data() + kPrefix.size(), end, step);
    return parsed.ec == std::errc() && parsed.ptr == end && checkpoint_name(step) == name ? step : -1;
}

/// Steps with a file in the folder, newest first.
std::vector<std::int64_t> list_steps(const std::string& folder)
{
    std::error_code failure;
    std::vector<std::int64_t> steps;
    for (fs::directory_iterator i(folder, failure), end; !failure && i != end; i.increment(failure))
        if (const std::int64_t step = step_of(i->path().filename().string()); step >= 0) steps.push_back(step);
    BIFRONS_CHECK(data, !failure, folder, ": cannot be listed: ", failure.message(), "; expected a model folder");
    std::sort(steps.rbegin(), steps.rend());
    return steps;
}

bool has_mark(const Metadata& metadata)
{
    const auto format = metadata.find("format");
    return format != metadata.end() && format->second == kFormat;
}

/// Whether a CheckpointStore wrote the file, as far as its header tells.
bool is_ours(const std::string& path)
{
    try {
        return has_mark(read_safetensors_metadata(path));
    } catch (const Error&) {
        return false;
    }
}

/// Whether the name is taken, be it by a link that leads nowhere.
bool exists(const std::string& path)
{
    std::error_code failure;
    const fs::file_status status = fs::symlink_status(path, failure);
    BIFRONS_CHECK(failed, !failure || status.type() == fs::file_type::not_found, path, ": ", failure.message());
    return fs::exists(status);
}

void copy_whole(const std::string& from, const std::string& to)
{
    std::ifstream in(from, std::ios::binary);
    AtomicFile out(to);
    std::vector<char> block(1 << 20);
    while (in.read(block.data(), std::streamsize(block.size())) || in.gcount() > 0)
        out.write(block.data(), std::size_t(in.gcount()));
    BIFRONS_CHECK(failed, in.eof() && !in.bad(), from, ": cannot be read; its backup was not made");
    out.commit();
}

/// Moves what is not ours, or not readable any more, out of the way of a checkpoint of the same name.
void set_aside(const std::string& path)
{
    if (!exists(path) || is_ours(path)) return;
    const std::string aside = path + ".set-aside";
    std::error_code failure;
    if (!exists(aside)) fs::rename(path, aside, failure);
    BIFRONS_CHECK(failed, !failure && !exists(path), path,
                  ": blocks the path of a checkpoint and was not written by this program. Move it elsewhere.");
}

} // namespace

Checkpoint load_checkpoint(const std::string& path)
{
    Checkpoint checkpoint{-1, SafetensorsFile(path)};
    BIFRONS_CHECK(data, has_mark(checkpoint.file.metadata()), path,
                  ": is not a checkpoint of this program (\"format\" is not ", kFormat,
                  "). Name a folder or file that `bifrons train` wrote.");
    BIFRONS_CHECK(data, checkpoint.file.checked(), path, ": has no checksum. The file is damaged.");
    const std::string step = checkpoint.file.metadata().count("step") ? checkpoint.file.metadata().at("step") : "";
    const auto parsed = std::from_chars(step.data(), step.data() + step.size(), checkpoint.step);
    BIFRONS_CHECK(data, parsed.ec == std::errc() && parsed.ptr == step.data() + step.size() && checkpoint.step >= 0,
                  path, ": step is \"", step, "\"; expected a whole number");
    return checkpoint;
}

std::vector<std::string> list_checkpoints(const std::string& folder)
{
    std::vector<std::string> paths;
    for (const std::int64_t step : list_steps(folder)) paths.push_back(folder + "/" + checkpoint_name(step));
    return paths;
}

std::optional<Checkpoint> load_latest_checkpoint(const std::string& folder, const Warn& warn)
{
    const std::vector<std::string> paths = list_checkpoints(folder);
    std::string reason;
    for (const std::string& path : paths) {
        try {
            return load_checkpoint(path);
        } catch (const Error& e) {
            if (e.kind() != ErrorKind::data) throw;
            reason = e.what();
            warn(str("skipped a checkpoint: ", reason));
        }
    }
    BIFRONS_CHECK(data, paths.empty(), folder, ": none of its ", paths.size(), " checkpoints can be used: ", reason);
    return std::nullopt;
}

CheckpointStore::CheckpointStore(const std::string& folder, KeepPolicy keep)
    : folder_(folder), keep_(keep), lock_(folder)
{
    BIFRONS_CHECK(usage, keep.last >= 1 && keep.every >= 0, folder, ": keeps the last ", keep.last,
                  " checkpoints and those of every ", keep.every, " steps; expected at least 1 and 0");
}

void CheckpointStore::save(std::int64_t step, const std::vector<NamedTensor>& tensors, Metadata metadata)
{
    BIFRONS_CHECK(bug, step >= 0, folder_, ": step ", step, " cannot be saved");
    const std::string path = folder_ + "/" + checkpoint_name(step);
    metadata["format"] = kFormat;
    metadata["step"] = std::to_string(step);
    set_aside(path);
    write_safetensors(path, tensors, metadata);
    prune(step);
}

void CheckpointStore::back_up(std::int64_t step, int kept) const
{
    const std::string backups = folder_ + "/backups", name = checkpoint_name(step);
    const std::string from = folder_ + "/" + name, to = backups + "/" + name;
    make_own_folder(backups);
    std::error_code failure;
    const bool is_there = exists(to);
    const bool is_other =
        is_there && !fs::equivalent(from, to, failure) && is_ours(to); // of a future that was given up
    if (is_other && !failure) fs::remove(to, failure);
    if (!failure && (is_other || !is_there)) fs::create_hard_link(from, to, failure);
    if (failure == std::errc::operation_not_permitted || failure == std::errc::operation_not_supported ||
        failure == std::errc::too_many_links) { // as on FAT
        failure.clear();
        copy_whole(from, to);
    }
    BIFRONS_CHECK(failed, !failure, to, ": the backup cannot be made: ", failure.message());
    const std::vector<std::int64_t> steps = list_steps(backups);
    for (std::size_t i = std::size_t(kept); i < steps.size(); ++i) {
        const std::string old = backups + "/" + checkpoint_name(steps[i]);
        if (is_ours(old)) fs::remove(old, failure);
    }
}

// Steps after the saved one do not count: they are of a future that was given up, or damaged ones that were skipped.
void CheckpointStore::prune(std::int64_t saved) const
{
    int kept = 0;
    for (const std::int64_t step : list_steps(folder_)) {
        const bool counts = step <= saved && ++kept > keep_.last;
        if (!counts || (keep_.every > 0 && step % keep_.every == 0)) continue;
        const std::string path = folder_ + "/" + checkpoint_name(step);
        std::error_code ignored; // one that stays is no harm
        if (is_ours(path)) fs::remove(path, ignored);
    }
}

} // namespace bifrons
