// model/import/dfm_graph.h - the graph of an ONNX file, walked backwards from weight to weight.
#pragma once

#include <map>
#include <string>
#include <vector>

#include <onnx/onnx_pb.h>

namespace bifrons::model {

class DfmGraph {
  public:
    using Value = std::string; ///< by its name
    /// A convolution or product with a matrix.
    struct Layer {
        std::vector<float> weight = {}; ///< as here: [K,R,S,C] or [out,in]
        std::vector<float> bias = {};
        Value input = {};
        std::int64_t outputs = 0, inputs = 0;
        bool is_matrix = false;
        bool is_planar = false; ///< of a matrix: maps that it reads or makes lie channel by channel
    };
    struct Found {
        const onnx::NodeProto* node = nullptr; ///< null: the graph's input
        Value bias = {};                       ///< of a constant that was added behind it
        bool norms = false;                    ///< x / sqrt(mean x^2) was passed
        bool has_cosine = false;               ///< x cos x was passed
        bool channels_last = false;            ///< a map was turned so
    };

    /// Throws Error(data).
    explicit DfmGraph(const std::string& path);

    const onnx::GraphProto& graph() const { return model_.graph(); }
    const std::string& path() const { return path_; }
    /// Of the metadata; empty where there is none.
    std::string note(const std::string& key) const;

    /// The next node on the way back that has weights or several inputs; what has none is passed.
    Found find(Value value) const;
    /// The layer that is found there. Throws Error(data) for anything else.
    Layer layer(const Value& value) const;
    Layer layer(const Found& found) const;
    [[noreturn]] void refuse(const Found& found, const char* expected) const;

    bool is_constant(const Value& value) const { return constants_.contains(value); }
    /// What makes it; null for the graph's input. Throws Error(data) where nothing does.
    const onnx::NodeProto* producer(const Value& value) const;

  private:
    std::vector<float> floats(const Value& value) const;

    const std::string path_;
    onnx::ModelProto model_;
    std::map<Value, const onnx::NodeProto*> producers_;
    std::map<Value, const onnx::TensorProto*> constants_;
};

} // namespace bifrons::model
