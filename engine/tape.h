// engine/tape.h - reverse-mode automatic differentiation over a recorded list of operations.
//
// An operation (engine/ops/) computes its value, then records a node: which values it read, and one function that turns
// the gradient of its result into contributions to theirs. backward() walks the nodes in reverse order.
//
// What a node is given as its gradient is already the gradient of what it stored before its activation: the last
// contribution to a value applies the derivative of the value's activation while it is stored (kernels::Store). An
// operation that passes its gradient through unchanged (a skip connection) costs no copy.
#pragma once

#include "engine/precision.h"
#include "engine/tensor.h"
#include "kernels/pointwise/epilogue.h"

#include <functional>
#include <utility>

namespace bifrons {

class Grads;
class Tape;

/// What the name of a range ends with while a scope's gradients are computed.
extern const char* const kGradientRange;

/// While it lives, a device's work stands under this name in plans and profiles.
class Range {
  public:
    Range(kernels::Device& device, std::string name);
    ~Range();
    Range(const Range&) = delete;
    Range& operator=(const Range&) = delete;

  private:
    kernels::Device& device_;
    std::string name_;
    int exceptions_; // that were on their way when it began
};

/// The innermost range of this thread that an exception left since the last call; empty if none did.
std::string take_failed_range();

/// Gradient function of a node: `d` is the gradient of the node's result before its activation.
using Backward = std::function<void(const Tensor& d, Grads& grads)>;

/// A recorded value's place on the tape. Users see Var only.
struct Node {
    const char* op = "";
    std::string scope; ///< path of the scopes that were open when it was recorded
    Shape shape;
    DType dtype = DType::f32;
    std::vector<std::shared_ptr<Node>> inputs;
    Backward backward;
    bool wanted = false;          ///< something below it wants a gradient
    kernels::Activation act = {}; ///< applied when the value was stored
    Tensor saved;                 ///< what act's derivative follows from; kept until the last contribution

    std::shared_ptr<Node> parent; ///< of a view: its gradient is a part of the parent's
    std::int64_t offset = 0;      ///< of a view: its first element within the parent
    Tensor parameter_grad;        ///< of a parameter: where its gradient belongs

    int uses = 0;        ///< values computed from this one
    int collected = 0;   ///< contributions so far
    bool viewed = false; ///< split or reshaped: all its uses are views
    Tensor grad;         ///< what has been collected so far
    bool passed = false; ///< grad is another node's buffer, passed through: not to be written
};

/// A value with its place on the tape. Without a node (an input, or a tape that does not record) it is a constant.
class Var {
  public:
    Var() = default;
    explicit Var(Tensor value, std::shared_ptr<Node> node = nullptr) : value_(std::move(value)), node_(std::move(node))
    {
    }
    explicit operator bool() const { return bool(value_); }
    const Tensor& value() const { return value_; }
    const Shape& shape() const { return value_.shape(); }
    DType dtype() const { return value_.dtype(); }
    kernels::View view() const { return value_.view(); }
    const std::shared_ptr<Node>& node() const { return node_; }

  private:
    Tensor value_;
    std::shared_ptr<Node> node_;
};

/// What a node's gradient function asks for its inputs' gradients.
class Grads {
  public:
    /// How to store a contribution to input i; `out` is empty if no gradient is wanted. Ask once for each input, and
    /// store before asking for the next.
    kernels::Store want(int i);
    /// Contributes a tensor as it is.
    void pass(int i, const Tensor& d);
    bool wanted(int i) const;
    Tape& tape() { return tape_; }

  private:
    friend class Tape;
    Grads(Tape& tape, Node& node) : tape_(tape), node_(node) {}

    Tape& tape_;
    Node& node_;
    std::vector<Tensor> held_; // operands of a store stay alive until the node is done
};

struct RecordOptions {
    kernels::Activation act = {}; ///< the activation that was applied while the value was stored
    Tensor saved = {};            ///< see kernels::act_grad; not needed without act
};

class Tape {
  public:
    /// memory must outlive all tensors of the tape. A tape that does not record computes values only.
    Tape(kernels::Exec exec, Memory& memory, bool recording = true, Precision precision = Precision::f32);

    kernels::Exec exec() const { return exec_; }
    Memory& memory() { return memory_; }
    bool recording() const { return recording_; }
    Precision precision() const { return precision_; }
    Tensor empty(const Shape& shape, DType dtype) { return Tensor::empty(shape, dtype, memory_); }

    /// A trained leaf: its gradient is written to `grad`, over whatever was there unless backward() continues. The same
    /// value gives the same leaf.
    Var parameter(const Tensor& value, const Tensor& grad);

    /// Wraps an operation's result. `backward` runs once, with the gradient described above.
    Var record(const char* op, const Tensor& value, const std::vector<Var>& inputs, Backward backward,
               const RecordOptions& options = {});
    /// A value that is a part of x's storage (same elements, another shape or a slice of rows), starting at element
    /// `offset`. All uses of x must be views, and they must not overlap: gradients are parts of one buffer.
    Var view(const char* op, const Var& x, const Tensor& value, std::int64_t offset);

    /// Runs all gradient functions, last recorded first. upstream: the gradient of root, same shape. Parameters that
    /// got no contribution get zeros. continues: parameters' gradients are added to what an earlier tape left there.
    /// Call once.
    void backward(const Var& root, const Tensor& upstream, bool continues = false);

    /// Names a part of the network in plans, profiles and messages while it lives.
    class Scope {
      public:
        Scope(Tape& tape, const std::string& name);
        ~Scope();
        Scope(const Scope&) = delete;
        Scope& operator=(const Scope&) = delete;

      private:
        Tape& tape_;
        std::size_t length_; // of the path outside
        Range range_;
    };

    /// While it lives, parameters are constants: gradients go through what is computed with them, and none to them.
    class FrozenParameters {
      public:
        explicit FrozenParameters(Tape& tape) : tape_(tape), before_(std::exchange(tape.frozen_, true)) {}
        ~FrozenParameters() { tape_.frozen_ = before_; }
        FrozenParameters(const FrozenParameters&) = delete;
        FrozenParameters& operator=(const FrozenParameters&) = delete;

      private:
        Tape& tape_;
        bool before_;
    };

  private:
    friend class Grads;
    friend class Scope;
    std::string enter(const std::string& name);
    std::shared_ptr<Node> append(const char* op, const Tensor& value);
    Tensor gradient_buffer(Node& node);
    bool adds_to(const Node& node) const;
    void finish(Node& node);
    void abandon(Node& node);

    kernels::Exec exec_;
    Memory& memory_;
    bool recording_, frozen_ = false;
    bool continues_ = false; // backward() adds to an earlier tape's gradients
    Precision precision_;
    std::string scope_;
    std::vector<std::shared_ptr<Node>> nodes_;
    std::map<const void*, std::pair<Tensor, std::shared_ptr<Node>>> parameters_; // by value, which is kept alive
};

} // namespace bifrons
