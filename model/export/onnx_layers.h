// model/export/onnx_layers.h - the layers of blocks.h and discriminator.h, and what networks are built of beside them,
// as operators of ONNX. Maps are [N,C,H,W].
#pragma once

#include "model/architecture.h"
#include "model/export/onnx_graph.h"

#include <algorithm>

namespace bifrons::model {

class OnnxLayers {
  public:
    using Value = OnnxGraph::Value;
    using Sides = OnnxGraph::Sides;

    OnnxLayers(OnnxGraph& graph, const Architecture& arch) : graph_(graph), arch_(arch) {}

    Value conv(const std::string& name, const Value& x, std::int64_t kernel, std::int64_t stride = 1) const
    {
        const std::int64_t pad = kernel / 2;
        return graph_.node("Conv", {x, graph_.weight(name + ".weight"), graph_.weight(name + ".bias")},
                           {{"kernel_shape", Sides{kernel, kernel}},
                            {"pads", Sides{pad, pad, pad, pad}},
                            {"strides", Sides{stride, stride}}});
    }
    Value conv_transpose(const std::string& name, const Value& x, std::int64_t kernel, std::int64_t stride) const
    {
        const std::int64_t pad = std::max<std::int64_t>(0, (kernel - stride + 1) / 2), more = stride - kernel + 2 * pad;
        return graph_.node("ConvTranspose", {x, graph_.weight(name + ".weight"), graph_.weight(name + ".bias")},
                           {{"kernel_shape", Sides{kernel, kernel}},
                            {"pads", Sides{pad, pad, pad, pad}},
                            {"output_padding", Sides{more, more}},
                            {"strides", Sides{stride, stride}}});
    }
    Value dense(const std::string& name, const Value& x) const
    {
        return graph_.node("Gemm", {x, graph_.weight(name + ".weight"), graph_.weight(name + ".bias")},
                           {{"transB", std::int64_t(1)}});
    }
    Value leaky(const Value& x, float slope) const { return graph_.node("LeakyRelu", {x}, {{"alpha", slope}}); }
    Value act(const Value& x, float slope) const
    {
        return arch_.c ? graph_.node("Mul", {x, graph_.node("Cos", {x})}) : leaky(x, slope);
    }
    Value shuffle(const Value& x) const
    {
        return graph_.node("DepthToSpace", {x}, {{"blocksize", std::int64_t(2)}, {"mode", std::string("DCR")}});
    }
    Value concat(const Value& a, const Value& b) const
    {
        return graph_.node("Concat", {a, b}, {{"axis", std::int64_t(1)}});
    }
    /// In f32.
    Value sigmoid(const Value& x) const { return graph_.node("Sigmoid", {graph_.to_f32(x)}); }
    Value channels_first(const Value& x) const { return transpose(x, {0, 3, 1, 2}); }
    Value channels_last(const Value& x) const { return transpose(x, {0, 2, 3, 1}); }
    Value reshape(const Value& x, const Sides& sides) const
    {
        return graph_.node("Reshape", {x, graph_.integers(sides)});
    }

    /// [N,F]
    Value flatten(const Value& x) const { return graph_.node("Flatten", {x}); }
    /// [N,C] -> [N,C,1,1]
    Value pixel(const Value& x) const { return graph_.node("Unsqueeze", {x}, {{"axes", Sides{2, 3}}}); }

    Value downscale(const std::string& name, const Value& x) const
    {
        const bool strided = arch_.downsample == Downsample::strided;
        const Value y = act(conv(name, x, 5, strided ? 2 : 1), 0.1f);
        return strided ? y : graph_.node("MaxPool", {y}, {{"kernel_shape", Sides{2, 2}}, {"strides", Sides{2, 2}}});
    }
    Value upscale(const std::string& name, const Value& x) const
    {
        switch (arch_.upsample) {
        case Upsample::subpixel:
            return shuffle(act(conv(name, x, 3), 0.1f));
        case Upsample::transposed:
            return act(conv_transpose(name, x, 4, 2), 0.1f);
        case Upsample::nearest:
            return act(conv(name, twice(x), 3), 0.1f);
        }
        return x;
    }
    Value residual(const std::string& name, const Value& x) const
    {
        const Value y = conv(name + ".conv2", act(conv(name + ".conv1", x, 3), 0.2f), 3);
        return act(graph_.node("Add", {x, y}), 0.2f);
    }
    /// x [N,F] / its root mean square, in f32: squares may exceed what f16 holds.
    Value pixel_norm(const Value& x) const
    {
        const Value wide = graph_.to_f32(x);
        const Value mean = graph_.node("ReduceMean", {graph_.node("Mul", {wide, wide})},
                                       {{"axes", Sides{1}}, {"keepdims", std::int64_t(1)}});
        const Value root = graph_.node("Sqrt", {graph_.node("Add", {mean, graph_.floats({1e-6f})})});
        return graph_.from_f32(graph_.node("Div", {wide, root}));
    }

  private:
    Value transpose(const Value& x, const Sides& order) const
    {
        return graph_.node("Transpose", {x}, {{"perm", order}});
    }
    Value twice(const Value& x) const
    {
        return graph_.node("Resize", {x, graph_.floats({}), graph_.floats({1, 1, 2, 2})},
                           {{"mode", std::string("nearest")},
                            {"coordinate_transformation_mode", std::string("asymmetric")},
                            {"nearest_mode", std::string("floor")}});
    }

    OnnxGraph& graph_;
    const Architecture& arch_;
};

} // namespace bifrons::model
