// bench/peers/pytorch.h - PyTorch in a process of its own (bench/peer_pytorch_step.py), kept alive between samples.
#pragma once

#include <string>

#include <nlohmann/json.hpp>

namespace bifrons::bench {

class PyTorchStep {
  public:
    /// Starts the script and waits until it has built its step and chosen the fastest variant. Throws Error(failed)
    /// with the reason where there is no PyTorch.
    explicit PyTorchStep(const std::string& arguments);
    ~PyTorchStep();
    PyTorchStep(const PyTorchStep&) = delete;

    /// "pytorch 2.11.0, graph", and the milliseconds of every variant tried.
    const nlohmann::json& about() const { return about_; }
    /// Median seconds of a step, from a block of steps run now.
    double seconds();

  private:
    nlohmann::json read_line();

    int child_ = -1;
    FILE *to_ = nullptr, *from_ = nullptr;
    nlohmann::json about_;
};

} // namespace bifrons::bench
