#include "engine/tape.h"

#include <exception>

namespace bifrons {

using kernels::Act;
using kernels::Store;

const char* const kGradientRange = " gradient";

namespace {

thread_local std::string failed_range;

} // namespace

Range::Range(kernels::Device& device, std::string name)
    : device_(device), name_(std::move(name)), exceptions_(std::uncaught_exceptions())
{
    device_.push_range(name_);
}

Range::~Range()
{
    if (std::uncaught_exceptions() > exceptions_ && failed_range.empty()) failed_range = std::move(name_);
    device_.pop_range();
}

std::string take_failed_range()
{
    return std::exchange(failed_range, {});
}

Tape::Tape(kernels::Exec exec, Memory& memory, bool recording, Precision precision)
    : exec_(exec), memory_(memory), recording_(recording), precision_(precision)
{
}

/// The scope's whole path.
std::string Tape::enter(const std::string& name)
{
    if (!scope_.empty()) scope_ += '.';
    return scope_ += name;
}

Tape::Scope::Scope(Tape& tape, const std::string& name)
    : tape_(tape), length_(tape.scope_.size()), range_(*tape.exec_.device, tape.enter(name))
{
}

Tape::Scope::~Scope()
{
    tape_.scope_.resize(length_);
}

/// A node for a value that wants a gradient, last on the tape.
std::shared_ptr<Node> Tape::append(const char* op, const Tensor& value)
{
    auto node = std::make_shared<Node>();
    node->op = op;
    node->scope = scope_;
    node->shape = value.shape();
    node->dtype = value.dtype();
    node->wanted = true;
    nodes_.push_back(node);
    return node;
}

Var Tape::parameter(const Tensor& value, const Tensor& grad)
{
    if (!recording_ || frozen_) return Var(value);
    BIFRONS_CHECK(bug, grad.shape() == value.shape(), "parameter: value ", value.shape(), ", gradient ", grad.shape());
    auto& [kept, node] = parameters_[value.view().data];
    if (node) return Var(value, node);
    kept = value;
    node = append("parameter", value);
    node->parameter_grad = grad;
    return Var(value, node);
}

Var Tape::record(const char* op, const Tensor& value, const std::vector<Var>& inputs, Backward backward,
                 const RecordOptions& options)
{
    bool wanted = false;
    for (const Var& x : inputs) wanted |= x.node() && x.node()->wanted;
    if (!recording_ || !wanted) return Var(value);
    const auto node = append(op, value);
    node->act = options.act;
    if (options.act.kind != Act::none) node->saved = options.saved;
    node->backward = std::move(backward);
    for (const Var& x : inputs) {
        node->inputs.push_back(x.node());
        if (!x.node()) continue;
        BIFRONS_CHECK(bug, !x.node()->viewed, op, ": reads a value that was split or reshaped; read its parts instead");
        ++x.node()->uses;
    }
    return Var(value, node);
}

Var Tape::view(const char* op, const Var& x, const Tensor& value, std::int64_t offset)
{
    if (!x.node()) return Var(value);
    const auto& parent = x.node();
    BIFRONS_CHECK(bug, parent->viewed || parent->uses == 0, op, ": ", parent->op,
                  "'s result has other uses; a value is either read or split");
    parent->viewed = true;
    ++parent->uses;
    const auto node = append(op, value);
    node->act = parent->act;
    if (parent->saved) {
        const Tensor flat = parent->saved.reshape({parent->saved.size()});
        node->saved = flat.slice(offset, offset + value.size()).reshape(value.shape());
    }
    node->parent = parent;
    node->offset = offset;
    return Var(value, node);
}

/// Where a node's gradient is collected: a parameter's own place, a part of the parent's buffer, or a fresh tensor.
Tensor Tape::gradient_buffer(Node& node)
{
    if (node.parameter_grad) return node.parameter_grad;
    if (!node.parent) return empty(node.shape, node.dtype);
    Node& parent = *node.parent;
    if (!parent.grad) parent.grad = gradient_buffer(parent);
    return parent.grad.reshape({parent.grad.size()})
        .slice(node.offset, node.offset + node.shape.size())
        .reshape(node.shape);
}

/// Whether the node's gradient is a parameter's, or a part of one, that holds an earlier tape's already.
bool Tape::adds_to(const Node& node) const
{
    const Node* whole = &node;
    while (whole->parent) whole = whole->parent.get();
    return continues_ && whole->parameter_grad;
}

bool Grads::wanted(int i) const
{
    const auto& input = node_.inputs[std::size_t(i)];
    return input && input->wanted;
}

Store Grads::want(int i)
{
    if (!wanted(i)) return {};
    Node& input = *node_.inputs[std::size_t(i)];
    Store store;
    if (input.grad) store.add = input.grad.view();
    if (!input.grad || input.passed) {
        if (input.grad) held_.push_back(input.grad);
        input.grad = tape_.gradient_buffer(input);
        input.passed = false;
        if (tape_.adds_to(input)) store.add = input.grad.view();
    }
    store.out = input.grad.view();
    const bool last = ++input.collected == input.uses;
    if (last && input.act.kind != Act::none) {
        store.act = input.act;
        store.saved = input.saved.view();
        held_.push_back(std::move(input.saved));
        input.saved = Tensor();
    }
    return store;
}

void Grads::pass(int i, const Tensor& d)
{
    if (!wanted(i)) return;
    Node& input = *node_.inputs[std::size_t(i)];
    const bool last = input.collected + 1 == input.uses;
    const bool needs_act = last && input.act.kind != Act::none;
    if (!input.grad && !input.parent && !input.parameter_grad && !needs_act) {
        input.grad = d.reshape(input.shape);
        input.passed = true;
        ++input.collected;
        return;
    }
    const Store store = want(i);
    kernels::run(tape_.exec(), kernels::StoreGradient{d.size(), d.view(), store});
}

/// The root does not depend on this node: what it read has one use less, which may make the last contribution final.
void Tape::abandon(Node& node)
{
    for (const auto& input : node.inputs) {
        if (!input || --input->uses != input->collected || !input->grad || input->act.kind == Act::none) continue;
        const Tensor collected = input->grad;
        if (input->passed) input->grad = gradient_buffer(*input);
        input->passed = false;
        kernels::run(exec_, kernels::StoreGradient{
                                collected.size(),
                                collected.view(),
                                {.out = input->grad.view(), .act = input->act, .saved = input->saved.view()}});
    }
}

/// Runs one node's gradient function and lets go of what it kept.
void Tape::finish(Node& node)
{
    if (!node.grad) {
        abandon(node);
        if ((node.parameter_grad || node.parent) && !adds_to(node)) { // no contribution: zero
            const Tensor zeros = gradient_buffer(node);
            exec_.device->fill(exec_.stream, zeros.view().data, 0, zeros.bytes());
        }
    } else if (node.backward) {
        const Range range(*exec_.device, node.scope + kGradientRange);
        Grads grads(*this, node);
        node.backward(node.grad, grads);
    }
    node.backward = nullptr;
    node.grad = Tensor();
    node.saved = Tensor();
    node.inputs.clear();
}

void Tape::backward(const Var& root, const Tensor& upstream, bool continues)
{
    BIFRONS_CHECK(bug, root.node(), "backward: the root does not depend on a parameter");
    BIFRONS_CHECK(bug, root.node()->uses == 0, "backward: the root is read by another operation");
    BIFRONS_CHECK(shape, upstream.shape() == root.shape(), "backward: upstream is ", upstream.shape(), ", the root ",
                  root.shape());
    continues_ = continues;
    Node& last = *root.node();
    last.grad = upstream;
    last.passed = true;
    if (last.act.kind != Act::none || last.parent || last.parameter_grad) { // not upstream's own buffer
        last.grad = gradient_buffer(last);
        last.passed = false;
        Store store = {.out = last.grad.view(), .act = last.act};
        if (adds_to(last)) store.add = last.grad.view();
        if (last.saved) store.saved = last.saved.view();
        kernels::run(exec_, kernels::StoreGradient{upstream.size(), upstream.view(), store});
    }
    while (!nodes_.empty()) {
        const std::shared_ptr<Node> node = std::move(nodes_.back());
        nodes_.pop_back();
        finish(*node);
    }
    parameters_.clear();
}

} // namespace bifrons
