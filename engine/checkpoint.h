// engine/checkpoint.h - a folder of checkpoints that survives power cuts, full disks and damaged files.
//
//   DIR/step-000001200.safetensors      everything of training at step 1200, checksummed
//   DIR/backups/                        some of them again (see CheckpointStore::back_up)
//   DIR/.lock                           one writer (see FolderLock); readers need no lock
//
// A checkpoint appears whole or not at all (see AtomicFile). Only files that carry our mark are ever deleted.
// Tests  tests/engine/checkpoint_test.cpp
#pragma once

#include "engine/folder_lock.h"
#include "engine/safetensors.h"

#include <functional>
#include <optional>

namespace bifrons {

struct Checkpoint {
    std::int64_t step = 0;
    SafetensorsFile file;
};

/// Gets one sentence for people.
using Warn = std::function<void(const std::string&)>;

/// Paths of the folder's checkpoints, newest first, whole or not. Throws Error(data) if the folder cannot be read.
std::vector<std::string> list_checkpoints(const std::string& folder);

/// The newest checkpoint of the folder that is whole; each newer one that is not is named to `warn`. Empty where the
/// folder has none. Throws Error(data) if there are some and none is whole, or if the folder cannot be read;
/// Error(device) for want of memory.
std::optional<Checkpoint> load_latest_checkpoint(const std::string& folder, const Warn& warn);

/// One checkpoint file, whatever its name. Throws Error(data) if it is damaged or not written by a CheckpointStore.
Checkpoint load_checkpoint(const std::string& path);

/// Which checkpoints stay.
struct KeepPolicy {
    int last = 3;           ///< the newest ones, >= 1
    std::int64_t every = 0; ///< and each whose step is a multiple of this; 0: none
};

/// The writing side; holds the folder's lock. Not thread-safe.
class CheckpointStore {
  public:
    /// Creates the folder where missing.
    explicit CheckpointStore(const std::string& folder, KeepPolicy keep = {});

    /// Writes the checkpoint of this step, over one of the same step, then deletes what the policy does not keep.
    /// A file of that name that is not ours is renamed to NAME.set-aside.
    /// Throws Error(failed) with nothing lost if it cannot be written, e.g. because the disk is full. The metadata keys
    /// "format", "step" and "checksum" are the store's.
    void save(std::int64_t step, const std::vector<NamedTensor>& tensors, Metadata metadata);
    /// The checkpoint of this step stays in DIR/backups too, whatever becomes of it here; a link where the file system
    /// has links. Of the backups the newest `kept` stay. Throws Error(failed).
    void back_up(std::int64_t step, int kept) const;
    std::optional<Checkpoint> latest(const Warn& warn) const { return load_latest_checkpoint(folder_, warn); }

  private:
    void prune(std::int64_t saved) const;

    std::string folder_;
    KeepPolicy keep_;
    FolderLock lock_;
};

} // namespace bifrons
