#include "model/import/dfm_graph.h"

#include "engine/mapped_file.h"
#include "kernels/base/error.h"
#include "kernels/base/utf8.h"

#include <algorithm>
#include <climits>
#include <cmath>
#include <cstring>

#include <Eigen/Core>

namespace bifrons::model {

namespace {

using Sides = std::vector<std::int64_t>;

const onnx::AttributeProto* attribute(const onnx::NodeProto& node, const char* name)
{
    for (const onnx::AttributeProto& a : node.attribute())
        if (a.name() == name) return &a;
    return nullptr;
}

bool is_any(const std::string& op, std::initializer_list<const char*> ops)
{
    return std::any_of(ops.begin(), ops.end(), [&](const char* other) { return op == other; });
}

/// [K,C,taps] -> [K,taps,C]
std::vector<float> channels_last(const std::vector<float>& from, std::int64_t K, std::int64_t C)
{
    const std::int64_t taps = std::int64_t(from.size()) / (K * C);
    std::vector<float> to(from.size());
    for (std::int64_t k = 0; k < K; ++k)
        for (std::int64_t c = 0; c < C; ++c)
            for (std::int64_t t = 0; t < taps; ++t)
                to[std::size_t((k * taps + t) * C + c)] = from[std::size_t((k * C + c) * taps + t)];
    return to;
}

/// [in,out] -> [out,in]
std::vector<float> turned(const std::vector<float>& from, std::int64_t in, std::int64_t out)
{
    std::vector<float> to(from.size());
    for (std::int64_t i = 0; i < in; ++i)
        for (std::int64_t o = 0; o < out; ++o) to[std::size_t(o * in + i)] = from[std::size_t(i * out + o)];
    return to;
}

} // namespace

DfmGraph::DfmGraph(const std::string& path) : path_(path)
{
    const MappedFile file(path, "a .dfm file");
    const auto bytes = file.bytes();
    BIFRONS_CHECK(data, bytes.size() <= std::size_t(INT_MAX) && model_.ParseFromArray(bytes.data(), int(bytes.size())),
                  path, ": is damaged, or no ONNX; expected a .dfm file");
    for (const onnx::TensorProto& tensor : graph().initializer()) constants_[tensor.name()] = &tensor;
    for (const onnx::NodeProto& node : graph().node()) {
        for (const Value& output : node.output()) producers_[output] = &node;
        const onnx::AttributeProto* const value = attribute(node, "value");
        if (node.op_type() == "Constant" && value && node.output_size() == 1) constants_[node.output(0)] = &value->t();
    }
}

std::string DfmGraph::note(const std::string& key) const
{
    for (const onnx::StringStringEntryProto& entry : model_.metadata_props())
        if (entry.key() == key) return entry.value();
    return "";
}

const onnx::NodeProto* DfmGraph::producer(const Value& value) const
{
    const auto found = producers_.find(value);
    if (found != producers_.end()) return found->second;
    const bool is_input = std::any_of(graph().input().begin(), graph().input().end(),
                                      [&](const onnx::ValueInfoProto& input) { return input.name() == value; });
    BIFRONS_CHECK(data, is_input, path_, ": is damaged: nothing in it makes \"", printable(value), "\"");
    return nullptr;
}

DfmGraph::Found DfmGraph::find(Value value) const
{
    Found found;
    for (int steps = 0; steps < graph().node_size(); ++steps) { // a damaged graph may be a circle
        found.node = producer(value);
        if (!found.node) return found;
        const onnx::NodeProto& node = *found.node;
        const std::string& op = node.op_type();
        BIFRONS_CHECK(data, node.input_size() > 0, path_, ": is damaged: ", printable(op), " has no input");
        if (op == "Transpose") {
            const onnx::AttributeProto* const order = attribute(node, "perm");
            const Sides sides = order ? Sides(order->ints().begin(), order->ints().end()) : Sides();
            const bool shuffles = sides == Sides{0, 3, 4, 1, 5, 2};
            if (!shuffles && sides != Sides{0, 2, 3, 1} && sides != Sides{0, 3, 1, 2}) return found;
            found.channels_last = found.channels_last || !shuffles;
        } else if (op == "DepthToSpace") {
            const onnx::AttributeProto* const mode = attribute(node, "mode");
            if (mode && mode->s() != "DCR") return found;
        } else if (is_any(op, {"Add", "Mul", "Div"}) && node.input_size() == 2) {
            if (op == "Add") {
                const bool first = is_constant(node.input(0));
                if (!first && !is_constant(node.input(1))) return found; // of a residual block
                if (!found.bias.empty()) return found;
                found.bias = node.input(first ? 0 : 1);
                value = node.input(first ? 1 : 0);
                continue;
            }
            const auto made_by = [&](int i) {
                const auto maker = producers_.find(node.input(i));
                return maker == producers_.end() ? std::string() : maker->second->op_type();
            };
            const int function = is_any(made_by(0), {"Cos", "Reciprocal"}) ? 0 : 1;
            if (!is_any(made_by(function), {"Cos", "Reciprocal", "Sqrt"})) return found;
            const bool is_cosine = made_by(function) == "Cos";
            (is_cosine ? found.has_cosine : found.norms) = true;
            value = node.input(1 - function);
            continue;
        } else if (!is_any(op, {"Identity", "Cast", "Reshape", "LeakyRelu", "Sigmoid"})) {
            return found;
        }
        value = node.input(0);
    }
    throw Error(ErrorKind::data, path_ + ": is damaged: its operators form a circle");
}

DfmGraph::Layer DfmGraph::layer(const Value& value) const
{
    return layer(find(value));
}

DfmGraph::Layer DfmGraph::layer(const Found& found) const
{
    const std::string op = found.node ? found.node->op_type() : "";
    const bool is_gemm = op == "Gemm", is_matrix = is_gemm || op == "MatMul";
    const int inputs = found.node ? found.node->input_size() : 0;
    if ((op != "Conv" && !is_matrix) || inputs < 2 || !is_constant(found.node->input(1)))
        refuse(found, "Conv or MatMul");
    const auto& dims = constants_.at(found.node->input(1))->dims();
    if (dims.size() != (is_matrix ? 2 : 4)) refuse(found, "weights of another shape");
    Layer layer{.weight = floats(found.node->input(1)), .input = found.node->input(0), .is_matrix = is_matrix};
    if (inputs == 3)
        layer.bias = floats(found.node->input(2));
    else if (!found.bias.empty())
        layer.bias = floats(found.bias);
    const onnx::AttributeProto* const by_outputs = attribute(*found.node, "transB");
    const bool turn = is_matrix && !(is_gemm && by_outputs && by_outputs->i() == 1);
    layer.outputs = dims[turn ? 1 : 0];
    layer.inputs = dims[turn ? 0 : 1];
    if (turn)
        layer.weight = turned(layer.weight, layer.inputs, layer.outputs);
    else if (!is_matrix)
        layer.weight = channels_last(layer.weight, layer.outputs, layer.inputs);
    BIFRONS_CHECK(data, std::int64_t(layer.bias.size()) == layer.outputs, path_, ": ", printable(found.node->name()),
                  " has ", layer.bias.size(), " values in its bias; expected ", layer.outputs);
    layer.is_planar = !found.channels_last;
    return layer;
}

std::vector<float> DfmGraph::floats(const Value& value) const
{
    const auto constant = constants_.find(value);
    BIFRONS_CHECK(data, constant != constants_.end(), path_, ": \"", printable(value), "\" is no constant");
    const onnx::TensorProto& tensor = *constant->second;
    std::int64_t size = 1;
    for (const std::int64_t side : tensor.dims()) {
        BIFRONS_CHECK(data, side > 0 && side < (1 << 28) && size < (1LL << 32) / side, path_, ": \"", printable(value),
                      "\" has an impossible shape");
        size *= side;
    }
    const std::string& raw = tensor.raw_data();
    std::vector<float> values(tensor.float_data().begin(), tensor.float_data().end());
    if (tensor.data_type() == onnx::TensorProto::FLOAT && raw.size() == std::size_t(size) * sizeof(float)) {
        values.resize(std::size_t(size));
        std::memcpy(values.data(), raw.data(), raw.size());
    } else if (tensor.data_type() == onnx::TensorProto::FLOAT16 &&
               raw.size() == std::size_t(size) * sizeof(Eigen::half)) {
        std::vector<Eigen::half> halves(static_cast<std::size_t>(size));
        std::memcpy(static_cast<void*>(halves.data()), raw.data(), raw.size());
        values.assign(halves.begin(), halves.end());
    }
    BIFRONS_CHECK(data, std::int64_t(values.size()) == size, path_, ": \"", printable(value),
                  "\" does not hold f32 or f16 numbers, as many as its shape says");
    BIFRONS_CHECK(data, std::all_of(values.begin(), values.end(), [](float v) { return std::isfinite(v); }), path_,
                  ": \"", printable(value), "\" has values that are not finite");
    return values;
}

void DfmGraph::refuse(const Found& found, const char* expected) const
{
    throw Error(ErrorKind::data, str(path_, ": is not a network of DeepFaceLab's SAEHD: has ",
                                     found.node ? printable(found.node->op_type()) : "its input", " where ", expected,
                                     " is expected. DeepFaceLive and FaceFusion may run it."));
}

} // namespace bifrons::model
