// tests/parity/our_training.h - a trainer of ours whose weights, batch, losses and gradients LibTorch is given.
#pragma once

#include "model/trainer.h"
#include "tests/parity/compare.h"
#include "tests/parity/torch_model.h"
#include "tests/support/numerics.h"

#include <algorithm>

namespace bifrons::parity {

using test::random_values;

/// Adam as `s` says, in the numbers that ours is given.
inline torch::optim::Adam adam_of(const model::Settings& s, const Tensors& leaves)
{
    std::vector<torch::Tensor> list;
    for (const auto& [name, leaf] : leaves) list.push_back(leaf);
    const kernels::UpdateOptions o = model::optimizer_of(s).update;
    return torch::optim::Adam(list, torch::optim::AdamOptions(double(float(s.learning_rate)))
                                        .betas({double(o.beta1), double(o.beta2)})
                                        .eps(double(o.eps)));
}

/// Noise with a face-shaped hole in another place for each sample, and eyes in it. f32 values.
struct Pictures {
    explicit Pictures(const model::Settings& s) : both(2 * s.batch_size), side(s.resolution)
    {
        input = random_values(both * side * side * 3, 1, 0, 1);
        target = random_values(both * side * side * 3, 2, 0, 1);
        for (std::int64_t i = 0; i < both * side * side; ++i) {
            const double n = double(i / (side * side)), y = double(i / side % side) / double(side) - 0.4 - 0.05 * n,
                         x = double(i % side) / double(side) - 0.6 + 0.04 * n;
            mask.push_back(x * x / 0.08 + y * y / 0.15 < 1 ? 1.0f : 0.0f);
            eyes_mouth.push_back(x * x / 0.06 + y * y / 0.01 < 1 ? 1.0f : 0.0f);
        }
    }
    TorchBatch batch() const
    {
        const Shape rgb{both, side, side, 3}, grey{both, side, side, 1};
        return {to_torch(rgb, test::cast<double>(input)), to_torch(rgb, test::cast<double>(target)),
                to_torch(grey, test::cast<double>(mask)), to_torch(grey, test::cast<double>(eyes_mouth))};
    }
    std::int64_t both, side;
    std::vector<float> input, target, mask, eyes_mouth;
};

/// The batch is filled once, by hand.
struct Untouched : BatchSource {
    void enqueue(kernels::Exec, const kernels::StepState*, Batch&) override {}
};

/// Our side: a trainer on the cpu with random weights, biases included.
class OurTraining {
  public:
    OurTraining(const model::Settings& s, DType dtype)
        : device_(kernels::open_device("cpu")), trainer_(*device_, s, source_, nullptr, dtype)
    {
        const Pictures pictures(s);
        trainer_.batch().input.upload(exec(), pictures.input);
        trainer_.batch().target.upload(exec(), pictures.target);
        trainer_.batch().mask.upload(exec(), pictures.mask);
        if (trainer_.batch().eyes_mouth) trainer_.batch().eyes_mouth.upload(exec(), pictures.eyes_mouth);
        std::vector<float> arena = weights_arena<float>();
        for (const Parameters::Entry& e : params().entries()) {
            if (e.init.kind != Init::Kind::zeros) continue;
            const std::vector<float> bias = random_values(e.shape.size(), std::uint32_t(e.offset), -0.1, 0.1);
            std::copy(bias.begin(), bias.end(), arena.begin() + e.offset);
        }
        params().weights().upload(exec(), arena);
    }
    /// Moves every weight by so many neighbours in f32, up or down.
    void move_by_ulps(int ulps, std::uint32_t seed)
    {
        std::vector<float> arena = weights_arena<float>();
        const std::vector<float> way = random_values(std::int64_t(arena.size()), seed);
        for (int n = 0; n < ulps; ++n)
            for (std::size_t i = 0; i < arena.size(); ++i)
                arena[i] = std::nextafter(arena[i], way[i] < 0 ? -9.0f : 9.0f);
        params().weights().upload(exec(), arena);
    }
    void step() { trainer_.step(); }
    /// Of the last step.
    Tensors losses()
    {
        const model::StepReport r = trainer_.report();
        EXPECT_FALSE(r.skipped);
        Tensors values;
        for (std::size_t i = 0; i < r.names.size(); ++i)
            values[r.names[i]] = torch::scalar_tensor(r.values[i], torch::kFloat64);
        return values;
    }
    Tensors weights() const { return by_name(&Parameters::value); }
    /// Of the last step.
    Tensors gradients() const { return by_name(&Parameters::grad); }
    std::array<TorchModel::Output, 2> outputs()
    {
        Pool pool(*device_);
        // Workspace as large as the planned step's: it has the same operations.
        const std::size_t bytes = trainer_.memory_use().workspace;
        void* scratch = pool.allocate(bytes);
        std::array<TorchModel::Output, 2> out;
        {
            Tape tape({device_.get(), {}, {scratch, bytes}}, pool, false);
            const auto both = trainer_.network().reconstruct(tape, Var(trainer_.batch().input));
            const auto get = [&](const Var& v) { return to_torch(v.shape(), v.value().download<double>(exec())); };
            out = {TorchModel::Output{get(both.src.face), get(both.src.mask)},
                   {get(both.dst.face), get(both.dst.mask)}};
        }
        pool.release(scratch);
        return out;
    }

  private:
    kernels::Exec exec() const { return trainer_.exec(); }
    const Parameters& params() const { return trainer_.parameters(); }
    template <class T>
    std::vector<T> weights_arena() const
    {
        return params().weights().download<T>(exec());
    }
    Tensors by_name(bifrons::Tensor (Parameters::*part)(int) const) const
    {
        Tensors all;
        for (std::size_t i = 0; i < params().entries().size(); ++i) {
            const Parameters::Entry& e = params().entries()[i];
            all[e.name] = to_torch(e.shape, (params().*part)(int(i)).template download<double>(exec()));
        }
        return all;
    }

    Untouched source_;
    std::unique_ptr<kernels::Device> device_;
    mutable model::Trainer trainer_;
};

} // namespace bifrons::parity
