// tools/training_run.h - one run of training: steps, looks at held-out faces, previews, checkpoints, history.
#pragma once

#include "data/faceset.h"
#include "engine/checkpoint.h"
#include "kernels/device/device.h"
#include "model/wanted_settings.h"
#include "tools/console.h"

#include <cstdint>
#include <optional>
#include <string>

namespace bifrons::tools {

/// What a person asks of `bifrons train`.
struct TrainingOptions {
    std::string src, dst; ///< facesets
    std::string folder;   ///< of the model
    std::string device = "auto";
    model::NamedSettings named;
    std::string init_from, init_blocks, reset; ///< where weights begin: docs/trainer.md
    std::string preview_frame;                 ///< picture or video; empty: none
    std::string tensorboard;                   ///< folder of its event files; empty: none
    std::int64_t steps = 0;                    ///< stop at this one; 0: no limit
    double minutes = 0;                        ///< stop after them; 0: no limit
    bool verify = false;                       ///< refuse pictures that were changed since extraction
};

/// Trains until the options' end or an interrupt, and saves. latest: what it resumes from. Nothing is written before
/// all is ready to begin. Throws Error(failed) where training cannot recover, Error(usage, data, memory) where it
/// cannot begin.
void train(const TrainingOptions& options, Console& console, kernels::Device& device, const model::Settings& settings,
           CheckpointStore& store, const std::optional<Checkpoint>& latest, data::Faceset src, data::Faceset dst);

} // namespace bifrons::tools
