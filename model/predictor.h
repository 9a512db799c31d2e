// model/predictor.h - the trained network at work: pictures in, faces and masks out. For merging and previews.
#pragma once

#include "engine/step.h"
#include "model/autoencoder.h"

namespace bifrons::model {

class Predictor {
  public:
    /// Which decoder shows the face.
    enum class Identity { src, dst };

    /// Predicts `batch` pictures at a time, with the parameters as they are at each call; they must outlive this.
    /// In bf16 they need their packed copy. map: applied to the codes on the way to the source's face; its tensors are
    /// kept, their memory must outlive this.
    Predictor(kernels::Device& device, const Autoencoder& net, std::int64_t batch, Identity identity,
              Precision precision, const CodeMap* map = nullptr);

    Predictor(const Predictor&) = delete;
    Predictor& operator=(const Predictor&) = delete;

    struct Prediction {
        std::vector<float> face; ///< [batch,R,R,3] BGR 0..1
        std::vector<float> mask; ///< [batch,R,R] 0..1
    };
    /// pictures [batch,R,R,3] BGR 0..1. Waits.
    Prediction operator()(const std::vector<float>& pictures);
    /// See Step::share().
    void share(Step& host) { step_.share(host); }
    /// Takes the memory now instead of with the first call. Throws Error(device) if there is not enough.
    void reserve() { step_.reserve(); }
    /// What it takes, as planned; nothing needs to have run.
    std::size_t planned_bytes() { return picture_bytes() + step_.own_bytes(); }
    /// What it has taken.
    std::size_t taken_bytes() const { return picture_bytes() + step_.slab_bytes(); }
    std::int64_t batch() const { return input_.shape()[0]; }

  private:
    std::size_t picture_bytes() const { return input_.bytes() + face_.bytes() + mask_.bytes(); }

    kernels::Device& device_;
    Pool pool_;
    Tensor input_, face_, mask_;
    Step step_;
};

} // namespace bifrons::model
