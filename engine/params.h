// engine/params.h - all trained values of a model in one flat arena, and their gradients in a parallel one, so that the
// optimizer is one launch, the gradient norm one reduction, and a checkpoint a straight write.
#pragma once

#include "engine/tape.h"

namespace bifrons {

/// How a parameter starts.
struct Init {
    enum class Kind { zeros, glorot_uniform } kind = Kind::zeros;
    std::int64_t fan_in = 1, fan_out = 1; ///< glorot_uniform: uniform in +-sqrt(6 / (fan_in + fan_out))
};

class Parameters {
  public:
    struct Entry {
        std::string name;
        Shape shape;
        Init init;
        std::int64_t offset = 0; ///< elements from the start of the arenas; a multiple of 64
    };

    /// Adds a parameter; returns its number. Names are unique; only before allocate().
    int declare(const std::string& name, const Shape& shape, const Init& init);
    /// Takes both arenas from the device, filled with zeros. dtype f32, or f64 on cpu.
    void allocate(kernels::Exec ex, DType dtype, Memory& memory);
    /// Only the weights' arena: enough for tapes that do not record.
    void allocate_weights(kernels::Exec ex, DType dtype, Memory& memory);
    /// Takes a bf16 copy of the weights' arena, for tapes of precision bf16. After allocate() or allocate_weights().
    void allocate_packed(Memory& memory);
    /// Fills the weights; a pure function of the seed and each parameter's name. Waits.
    void initialise(kernels::Exec ex, std::uint64_t seed) const;
    /// Refreshes the packed copy after the weights were written by anybody but the optimizer. No-op without one.
    void pack(kernels::Exec ex) const;

    const std::vector<Entry>& entries() const { return entries_; }
    /// Number of trained values, without the padding between parameters.
    std::int64_t count() const;
    /// The number of the parameter with this name, or -1.
    int find(const std::string& name) const;

    Tensor value(int i) const { return part(weights_, i); }
    /// Empty where only the weights were allocated.
    Tensor grad(int i) const { return gradients_ ? part(gradients_, i) : Tensor(); }
    /// As the tape's precision wants it: in bf16 the packed copy of what is multiplied (filters and matrices; rank 2
    /// and more), f32 of what is added. The gradient is the master's in any case.
    Var var(Tape& tape, int i) const;
    /// The whole arenas, [arena_size()]. Padding is zero in all of them.
    const Tensor& weights() const { return weights_; }
    const Tensor& gradients() const { return gradients_; }
    /// Empty if none was allocated.
    const Tensor& packed() const { return packed_; }
    std::int64_t arena_size() const { return arena_size_; }
    /// Parameter i's part of any arena of arena_size() elements (the optimizer's moments).
    Tensor part(const Tensor& arena, int i) const;

  private:
    std::vector<Entry> entries_;
    std::map<std::string, int> numbers_;
    std::int64_t arena_size_ = 0;
    Tensor weights_, gradients_, packed_;
};

} // namespace bifrons
