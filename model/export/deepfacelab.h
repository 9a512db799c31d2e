// model/export/deepfacelab.h - a checkpoint becomes a model of DeepFaceLab's SAEHD: the way back of
// model/import/deepfacelab.h, which says what differs there.
//
// Exports the training weights, not their moving average (ema), so that training can continue from them. A model that
// was imported and not trained since comes out bit for bit; only moments are rounded, when the batch size scales them.
//
// Tests   tests/model/deepfacelab_test.cpp, tests/tools/export_model_test.cpp
#pragma once

#include "engine/checkpoint.h"
#include "model/adversary.h"
#include "model/autoencoder.h"
#include "model/deepfacelab_places.h"
#include "model/settings.h"

#include <functional>
#include <variant>

namespace bifrons::model {

using DflOption = std::variant<bool, std::int64_t, double, std::string>;

/// DeepFaceLab's options that mean these settings, in its own order. Settings without a counterpart there that change
/// what is learnt are named in `notes`.
std::vector<std::pair<std::string, DflOption>> options_from(const Settings& settings, std::vector<std::string>& notes);

class DflExport {
  public:
    struct File {
        std::string name; ///< "encoder": of NAME_SAEHD_encoder.npy
        bool is_optimizer;
    };
    struct Array {
        std::string name; ///< "down1/downs_0/conv1/weight:0"
        std::vector<std::int64_t> shape;
        std::vector<float> values;
    };

    /// The checkpoint must outlive this. Throws Error(data) for a network that DeepFaceLab does not have and for a
    /// checkpoint that lacks a parameter.
    explicit DflExport(const Checkpoint& checkpoint);

    const Settings& settings() const { return settings_; }
    std::int64_t iterations() const { return checkpoint_.step; }
    /// What DeepFaceLab will lack, a sentence each.
    const std::vector<std::string>& notes() const { return notes_; }
    const std::vector<std::pair<std::string, DflOption>>& options() const { return options_; }
    const std::vector<File>& files() const { return files_; }
    /// Calls take() with each array of the file.
    void read(const File& file, const std::function<void(const Array&)>& take) const;

  private:
    struct Moment {
        std::string ours, theirs; ///< what their names begin with
        float scale;
    };
    std::vector<Moment> moments() const;
    void list_files(const Parameters::Group& group);
    void give(const Parameters::Entry& e, const Moment& kind, const std::function<void(const Array&)>& take) const;

    const Checkpoint& checkpoint_;
    const Settings settings_, effect_;
    const Architecture arch_;
    const DflPlaces places_;
    Parameters params_;
    const Autoencoder net_;
    const Adversary adversary_;
    std::vector<std::string> notes_;
    const std::vector<std::pair<std::string, DflOption>> options_;
    std::vector<File> files_;
};

} // namespace bifrons::model
