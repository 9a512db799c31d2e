#include "model/export/onnx_graph.h"

#include "kernels/base/error.h"

#include <algorithm>
#include <climits>

#include <Eigen/Core>
#include <onnx/onnx_pb.h>

namespace bifrons::model {

namespace {

constexpr int kVersion = 7, kOperators = 12; // of the format and of its operators, as TensorFlow's converter wrote them

/// [K,R,S,C] -> [K,C,R,S]
std::vector<float> channels_first(const std::vector<float>& from, const std::vector<std::int64_t>& shape)
{
    const std::int64_t taps = shape[1] * shape[2], C = shape[3];
    std::vector<float> to(from.size());
    for (std::int64_t k = 0; k < shape[0]; ++k)
        for (std::int64_t c = 0; c < C; ++c)
            for (std::int64_t t = 0; t < taps; ++t)
                to[std::size_t((k * C + c) * taps + t)] = from[std::size_t((k * taps + t) * C + c)];
    return to;
}

void set_type(onnx::ValueInfoProto& value, const OnnxGraph::Value& name, const OnnxGraph::Sides& sides)
{
    value.set_name(name);
    auto& tensor = *value.mutable_type()->mutable_tensor_type();
    tensor.set_elem_type(onnx::TensorProto::FLOAT);
    for (const std::int64_t side : sides) {
        auto& dimension = *tensor.mutable_shape()->add_dim();
        if (side == OnnxGraph::kAny)
            dimension.set_dim_param("N");
        else
            dimension.set_dim_value(side);
    }
}

void set_attribute(onnx::AttributeProto& to, const OnnxGraph::Attribute& from)
{
    to.set_name(from.name);
    if (const auto* const integer = std::get_if<std::int64_t>(&from.value)) {
        to.set_type(onnx::AttributeProto::INT);
        to.set_i(*integer);
    } else if (const auto* const real = std::get_if<float>(&from.value)) {
        to.set_type(onnx::AttributeProto::FLOAT);
        to.set_f(*real);
    } else if (const auto* const text = std::get_if<std::string>(&from.value)) {
        to.set_type(onnx::AttributeProto::STRING);
        to.set_s(*text);
    } else {
        to.set_type(onnx::AttributeProto::INTS);
        for (const std::int64_t side : std::get<OnnxGraph::Sides>(from.value)) to.add_ints(side);
    }
}

/// Little-endian, as this machine and ONNX have them.
void set_floats(onnx::TensorProto& tensor, const std::vector<float>& values, bool half)
{
    tensor.set_data_type(half ? onnx::TensorProto::FLOAT16 : onnx::TensorProto::FLOAT);
    if (!half) return tensor.set_raw_data(values.data(), values.size() * sizeof(float));
    std::vector<Eigen::half> halves(values.begin(), values.end());
    BIFRONS_CHECK(data,
                  std::all_of(halves.begin(), halves.end(), [](Eigen::half h) { return (Eigen::numext::isfinite)(h); }),
                  "\"", tensor.name(), "\" has values beyond f16's largest, 65504. Export it in f32.");
    tensor.set_raw_data(halves.data(), halves.size() * sizeof(Eigen::half));
}

} // namespace

struct OnnxGraph::Model {
    onnx::ModelProto proto;

    onnx::GraphProto& graph() { return *proto.mutable_graph(); }
    onnx::TensorProto& add(const Value& name, const Sides& sides)
    {
        onnx::TensorProto& tensor = *graph().add_initializer();
        tensor.set_name(name);
        for (const std::int64_t side : sides) tensor.add_dims(side);
        return tensor;
    }
};

OnnxGraph::OnnxGraph(const std::string& name, Weights weights, bool half)
    : model_(std::make_unique<Model>()), weights_(std::move(weights)), half_(half)
{
    model_->proto.set_ir_version(kVersion);
    model_->proto.add_opset_import()->set_version(kOperators);
    model_->graph().set_name(name);
}

OnnxGraph::~OnnxGraph() = default;

OnnxGraph::Value OnnxGraph::input(const Value& name, const Sides& sides)
{
    set_type(*model_->graph().add_input(), name, sides);
    return name;
}

void OnnxGraph::output(const Value& name, const Value& x, const Sides& sides)
{
    set_type(*model_->graph().add_output(), name, sides);
    onnx::NodeProto& node = *model_->graph().add_node();
    node.set_op_type("Identity");
    node.set_name(name);
    node.add_input(x);
    node.add_output(name);
}

OnnxGraph::Value OnnxGraph::node(const char* op, const std::vector<Value>& inputs,
                                 const std::vector<Attribute>& attributes)
{
    onnx::NodeProto& node = *model_->graph().add_node();
    const Value made = str(op, "_", ++made_);
    node.set_op_type(op);
    node.set_name(made);
    for (const Value& input : inputs) node.add_input(input);
    node.add_output(made);
    for (const Attribute& attribute : attributes) set_attribute(*node.add_attribute(), attribute);
    return made;
}

OnnxGraph::Value OnnxGraph::weight(const std::string& name)
{
    if (!known_.insert(name).second) return name;
    const NamedTensor tensor = weights_(name);
    Sides sides = tensor.shape;
    std::vector<float> values = float_values(tensor);
    if (sides.size() == 4) {
        values = channels_first(values, sides);
        sides = {sides[0], sides[3], sides[1], sides[2]};
    }
    set_floats(model_->add(name, sides), values, half_);
    return name;
}

OnnxGraph::Value OnnxGraph::integers(const Sides& values)
{
    const Value name = str("integers_", ++made_);
    onnx::TensorProto& tensor = model_->add(name, {std::int64_t(values.size())});
    tensor.set_data_type(onnx::TensorProto::INT64);
    tensor.set_raw_data(values.data(), values.size() * sizeof(std::int64_t));
    return name;
}

OnnxGraph::Value OnnxGraph::floats(const std::vector<float>& values)
{
    const Value name = str("floats_", ++made_);
    set_floats(model_->add(name, {std::int64_t(values.size())}), values, false);
    return name;
}

OnnxGraph::Value OnnxGraph::to_f32(const Value& x)
{
    return half_ ? node("Cast", {x}, {{"to", std::int64_t(onnx::TensorProto::FLOAT)}}) : x;
}

OnnxGraph::Value OnnxGraph::from_f32(const Value& x)
{
    return half_ ? node("Cast", {x}, {{"to", std::int64_t(onnx::TensorProto::FLOAT16)}}) : x;
}

void OnnxGraph::note(const std::string& key, const std::string& value)
{
    onnx::StringStringEntryProto& entry = *model_->proto.add_metadata_props();
    entry.set_key(key);
    entry.set_value(value);
}

std::string OnnxGraph::file(const std::string& producer) const
{
    model_->proto.set_producer_name(producer);
    const std::size_t bytes = model_->proto.ByteSizeLong();
    BIFRONS_CHECK(data, bytes <= INT_MAX, "the network takes ", human_bytes(double(bytes)),
                  " as ONNX, of which one file holds 2 GB at most. f16 (--fp16) takes half.");
    return model_->proto.SerializeAsString();
}

} // namespace bifrons::model
