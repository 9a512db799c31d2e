// model/export/onnx_graph.h - an ONNX model, operator by operator, in the published schema.
#pragma once

#include "engine/safetensors.h"

#include <functional>
#include <memory>
#include <set>
#include <variant>

namespace bifrons::model {

class OnnxGraph {
  public:
    using Value = std::string; ///< by its name
    using Sides = std::vector<std::int64_t>;
    struct Attribute {
        const char* name;
        std::variant<std::int64_t, float, Sides, std::string> value;
    };
    using Weights = std::function<NamedTensor(const std::string& name)>; ///< f32

    static constexpr std::int64_t kAny = -1; ///< a side that each call chooses

    /// weights: each that is asked for by name, once. half: they and what is computed of them are f16.
    OnnxGraph(const std::string& name, Weights weights, bool half);
    ~OnnxGraph();
    OnnxGraph(const OnnxGraph&) = delete;
    OnnxGraph& operator=(const OnnxGraph&) = delete;

    Value input(const Value& name, const Sides& sides);
    void output(const Value& name, const Value& x, const Sides& sides);
    Value node(const char* op, const std::vector<Value>& inputs, const std::vector<Attribute>& attributes = {});

    /// As they are; filters [K,R,S,C] become [K,C,R,S].
    Value weight(const std::string& name);
    Value integers(const Sides& values);
    Value floats(const std::vector<float>& values);
    Value to_f32(const Value& x);
    /// To what is computed in.
    Value from_f32(const Value& x);

    /// What the file says beside the network.
    void note(const std::string& key, const std::string& value);
    /// Throws Error(data) above 2 GB.
    std::string file(const std::string& producer) const;

  private:
    struct Model;

    std::unique_ptr<Model> model_;
    const Weights weights_;
    const bool half_;
    std::set<std::string> known_; // weights that are in the model
    std::int64_t made_ = 0;       // values without a name of their own
};

} // namespace bifrons::model
