// engine/params.h - all trained values of a model in one flat arena, and their gradients in a parallel one, so that the
// optimizer is one launch, the gradient norm one reduction, and a checkpoint a straight write.
#pragma once

#include "engine/tape.h"
#include "kernels/optim/update.h"

namespace bifrons {

/// How a parameter starts.
struct Init {
    enum class Kind { zeros, glorot_uniform } kind = Kind::zeros;
    std::int64_t fan_in = 1, fan_out = 1; ///< glorot_uniform: uniform in +-sqrt(6 / (fan_in + fan_out))
};

class Parameters {
  public:
    /// Parameters begin at multiples of this many elements of the arenas.
    static constexpr std::int64_t kAlign = kernels::kUpdateBlock;

    struct Entry {
        std::string name;
        Shape shape;
        Init init;
        std::int64_t offset = 0; ///< elements from the start of the arenas; a multiple of kAlign
        bool frozen = false;     ///< wants no gradient and no update
    };
    /// Parameters with a gradient norm, its clipping and a start of their own: elements [begin, end) of the arenas.
    struct Group {
        std::string name;
        std::int64_t begin = 0, end = 0;
        std::int64_t size() const { return end - begin; }
    };

    /// Adds a parameter to the last group; returns its number. Names are unique; only before allocate().
    int declare(const std::string& name, const Shape& shape, const Init& init);
    /// What is declared from here on belongs to this group; at first to "generator". At most StepState::kGroups.
    void begin_group(const std::string& name);
    /// The parameters of a block: those whose name is `block`, a dot and more.
    std::vector<int> block(const std::string& name) const;
    /// Freezes a block: every parameter whose name is `block`, a dot and more. Returns how many there are. After they
    /// were declared and before allocate().
    int freeze(const std::string& block);
    /// Takes both arenas from the device, filled with zeros. dtype f32, or f64 on cpu.
    void allocate(kernels::Exec ex, DType dtype, Memory& memory);
    /// Only the weights' arena: enough for tapes that do not record.
    void allocate_weights(kernels::Exec ex, DType dtype, Memory& memory);
    /// Takes a bf16 copy of the weights' arena, for tapes of precision bf16. After allocate() or allocate_weights().
    void allocate_packed(Memory& memory);
    /// Fills the weights; a pure function of the seed and each parameter's name. Waits.
    void initialise(kernels::Exec ex, std::uint64_t seed) const;
    /// Fills parameter i alone, with other values for each `draw` > 0. Waits. The packed copy is not refreshed.
    void initialise(kernels::Exec ex, std::uint64_t seed, int i, std::uint64_t draw) const;
    /// Refreshes the packed copy after the weights were written by anybody but the optimizer. No-op without one.
    void pack(kernels::Exec ex) const;

    const std::vector<Entry>& entries() const { return entries_; }
    const std::vector<Group>& groups() const { return groups_; }
    /// Number of trained values, without the padding between parameters.
    std::int64_t count() const;
    /// The number of the parameter with this name, or -1.
    int find(const std::string& name) const;

    Tensor value(int i) const { return part(weights_, i); }
    /// Empty where only the weights were allocated.
    Tensor grad(int i) const { return gradients_ ? part(gradients_, i) : Tensor(); }
    /// As the tape's precision wants it: in bf16 the packed copy of what is multiplied (filters and matrices; rank 2
    /// and more), f32 of what is added. The gradient is the master's in any case. A frozen one is a constant.
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
    Tensor operand(const Tape& tape, int i) const;

    std::vector<Entry> entries_;
    std::map<std::string, int> numbers_;
    std::vector<Group> groups_ = {{"generator"}};
    std::int64_t arena_size_ = 0;
    Tensor weights_, gradients_, packed_;
};

} // namespace bifrons
