#include "model/perceptual.h"

namespace bifrons::model {

Var Perceptual::operator()(Tape& tape, const Var& prediction, const Tensor& target, const Tensor& mask,
                           float scale) const
{
    const Tape::Scope scope(tape, "perceptual");
    std::vector<Tensor> wanted; // the target's: constants, of which only the taps are kept
    for (const Var& f : features(tape, Var(target), mask)) wanted.push_back(f.value());
    const std::vector<Var> shown = features(tape, prediction, mask);
    std::vector<Var> terms;
    for (std::size_t i = 0; i < shown.size(); ++i)
        terms.push_back(lpips(tape, shown[i], wanted[i], network_.head(i), scale * network_.taps()[i].weight));
    return total(tape, terms, std::vector<float>(terms.size(), 1.0f));
}

std::vector<Var> Perceptual::features(Tape& tape, const Var& pictures, const Tensor& mask) const
{
    if (downscale_ == 1) return network_(tape, pictures, mask);
    const Var masked = mask ? mask_pixels(tape, pictures, mask) : pictures;
    return network_(tape, avg_pool(tape, masked, downscale_, downscale_));
}

Lpips::Lpips(kernels::Device& device, const std::string& path)
    : device_(device), pool_(device), perceptual_(device, path, "", Precision::f32),
      distance_(Tensor::empty({1}, DType::f32, pool_))
{
    BIFRONS_CHECK(data, perceptual_.network().head(0), path, " (", perceptual_.network().name(),
                  ") has no LPIPS heads; expected SqueezeNet 1.1 with tensors lpips.linI.model.1.weight");
}

double Lpips::operator()(std::int64_t H, std::int64_t W, const std::vector<float>& a, const std::vector<float>& b)
{
    BIFRONS_CHECK(usage, H >= 32 && W >= 32, "LPIPS: pictures of ", H, "x", W, " px; expected at least 32 px per side");
    const kernels::Exec ex{&device_, {}, {}};
    if (!step_ || a_.shape() != Shape{1, H, W, 3}) {
        a_ = Tensor::empty({1, H, W, 3}, DType::f32, pool_);
        b_ = Tensor::empty(a_.shape(), DType::f32, pool_);
        step_ = std::make_unique<Step>(device_, kernels::Stream{}, [this](kernels::Exec step, Memory& memory) {
            Tape tape(step, memory, false);
            const Var distance = perceptual_(tape, Var(a_), b_, {}, 1);
            step.device->copy(step.stream, distance_.view().data, distance.view().data, distance_.bytes());
        });
    }
    a_.upload(ex, a);
    b_.upload(ex, b);
    step_->run();
    return distance_.download<double>(ex)[0];
}

} // namespace bifrons::model
