// bench/peers/cudnn_graph.cpp - cuDNN's graphs through cudnn-frontend: all plans of its heuristics are built and timed
// on the very operands (autotune), with bias, skip and leaky ReLU fused where it can.
#include "bench/peers/cudnn.h"

#include <cudnn_frontend.h>

namespace bifrons::bench {

namespace {

namespace fe = cudnn_frontend;
using TensorPointer = std::shared_ptr<fe::graph::Tensor_attributes>;
using Dims = std::vector<std::int64_t>;

void check_graph(fe::error_t status)
{
    BIFRONS_CHECK(failed, status.is_good(), "cuDNN graph: ", status.get_message());
}

fe::DataType_t type_of(kernels::DType dtype)
{
    return dtype == kernels::DType::bf16 ? fe::DataType_t::BFLOAT16 : fe::DataType_t::FLOAT;
}

/// Logical NCHW (or KCRS), in memory NHWC.
TensorPointer describe(TensorPointer t, std::int64_t n, std::int64_t c, std::int64_t h, std::int64_t w,
                       kernels::DType dtype)
{
    t->set_dim({n, c, h, w}).set_stride({h * w * c, 1, w * c, c}).set_data_type(type_of(dtype));
    return t;
}

/// The numbers by which a plan's operands are given.
enum Uid : std::int64_t { kA = 1, kB, kOut, kBias, kAdd, kSaved };

class GraphPlan : public Plan {
  public:
    GraphPlan(cudnnHandle_t handle, const Product& p, const ProductOperands& o, kernels::Workspace workspace)
        : handle_(handle)
    {
        graph_.set_io_data_type(type_of(p.dtype))
            .set_intermediate_data_type(fe::DataType_t::FLOAT)
            .set_compute_data_type(fe::DataType_t::FLOAT);
        TensorPointer v = p.pass == Product::Pass::fwd ? forward(p) : gradient(p);
        v->set_output(true).set_uid(kOut).set_data_type(type_of(p.out));
        check_graph(graph_.validate());
        check_graph(graph_.build_operation_graph(handle));
        check_graph(graph_.create_execution_plans(
            p.brief ? std::vector{fe::HeurMode_t::A}
                    : std::vector{fe::HeurMode_t::A, fe::HeurMode_t::B, fe::HeurMode_t::FALLBACK}));
        if (p.dtype == kernels::DType::f32 && !p.tf32)
            graph_.deselect_numeric_notes({fe::NumericalNote_t::TENSOR_CORE});
        graph_.deselect_workspace_greater_than(std::int64_t(workspace.bytes));
        check_graph(graph_.check_support());
        build(p.brief);
        auto operands = operands_of(o);
        check_graph(graph_.autotune(handle, operands, workspace.data));
        check_graph(graph_.get_plan_name(name_));
    }
    std::string name() const override { return "cuDNN graph, " + name_; }
    std::size_t workspace_bytes() const override { return std::size_t(graph_.get_workspace_size()); }
    void run(void* stream, const ProductOperands& o, void* workspace) override
    {
        check_cudnn(cudnnSetStream(handle_, static_cast<cudaStream_t>(stream)), "choosing the stream");
        auto operands = operands_of(o);
        check_graph(graph_.execute(handle_, operands, workspace));
    }

  private:
    /// All plans, or the first few; one that cannot be built is passed over.
    void build(bool brief)
    {
        constexpr std::int64_t kFew = 4;
        if (!brief) return check_graph(graph_.build_plans(fe::BuildPlanPolicy_t::ALL));
        std::int64_t built = 0;
        for (std::int64_t i = 0; i < graph_.get_execution_plan_count() && built < kFew; ++i)
            if (graph_.build_plan_at_index(i).is_good()) ++built;
        BIFRONS_CHECK(failed, built > 0, "cuDNN graph: no plan for this shape");
    }
    static std::unordered_map<std::int64_t, void*> operands_of(const ProductOperands& o)
    {
        std::unordered_map<std::int64_t, void*> operands;
        const auto give = [&](Uid uid, const void* data) {
            if (data) operands[uid] = const_cast<void*>(data);
        };
        give(kA, o.a), give(kB, o.b), give(kOut, o.out), give(kBias, o.bias), give(kAdd, o.add), give(kSaved, o.saved);
        return operands;
    }
    TensorPointer input(Uid uid, std::int64_t n, std::int64_t c, std::int64_t h, std::int64_t w, kernels::DType dtype)
    {
        const TensorPointer t = graph_.tensor(fe::graph::Tensor_attributes().set_uid(uid));
        return describe(t, n, c, h, w, dtype);
    }
    template <class Attributes>
    static Attributes window(const kernels::Conv2dShape& s)
    {
        Attributes attributes;
        attributes.set_padding({s.pad, s.pad}).set_stride({s.stride, s.stride}).set_dilation({1, 1});
        return attributes;
    }
    TensorPointer plus(TensorPointer v, TensorPointer other)
    {
        return graph_.pointwise(v, other, fe::graph::Pointwise_attributes().set_mode(fe::PointwiseMode_t::ADD));
    }
    TensorPointer forward(const Product& p)
    {
        const kernels::Conv2dShape& s = p.s;
        const TensorPointer x = input(kA, s.N, s.C, s.H, s.W, p.dtype), w = input(kB, s.K, s.C, s.R, s.S, p.dtype);
        TensorPointer v = graph_.conv_fprop(x, w, window<fe::graph::Conv_fprop_attributes>(s));
        if (p.bias) v = plus(v, input(kBias, 1, s.K, 1, 1, kernels::DType::f32));
        if (p.add) v = plus(v, input(kAdd, s.N, s.K, s.P(), s.Q(), p.dtype));
        if (p.slope)
            v = graph_.pointwise(v, fe::graph::Pointwise_attributes()
                                        .set_mode(fe::PointwiseMode_t::RELU_FWD)
                                        .set_relu_lower_clip_slope(*p.slope));
        return describe(v, s.N, s.K, s.P(), s.Q(), p.out);
    }
    TensorPointer gradient(const Product& p)
    {
        const kernels::Conv2dShape& s = p.s;
        const TensorPointer dy = input(kA, s.N, s.K, s.P(), s.Q(), p.dtype);
        if (p.pass == Product::Pass::wgrad) {
            const TensorPointer x = input(kB, s.N, s.C, s.H, s.W, p.dtype);
            return describe(graph_.conv_wgrad(dy, x, window<fe::graph::Conv_wgrad_attributes>(s)), s.K, s.C, s.R, s.S,
                            p.out);
        }
        const TensorPointer w = input(kB, s.K, s.C, s.R, s.S, p.dtype);
        const auto like_x = [&](TensorPointer t, kernels::DType dtype) {
            return describe(t, s.N, s.C, s.H, s.W, dtype);
        };
        TensorPointer v = graph_.conv_dgrad(dy, w, window<fe::graph::Conv_dgrad_attributes>(s));
        if (p.fuses()) v->set_dim({s.N, s.C, s.H, s.W});
        if (p.add) v = plus(v, input(kAdd, s.N, s.C, s.H, s.W, p.dtype));
        if (p.slope)
            v = graph_.pointwise(v, input(kSaved, s.N, s.C, s.H, s.W, p.dtype),
                                 fe::graph::Pointwise_attributes()
                                     .set_mode(fe::PointwiseMode_t::RELU_BWD)
                                     .set_relu_lower_clip_slope(*p.slope));
        return like_x(v, p.out);
    }

    cudnnHandle_t handle_;
    fe::graph::Graph graph_;
    std::string name_;
};

} // namespace

std::unique_ptr<Plan> graph_plan(cudnnHandle_t handle, const Product& product, const ProductOperands& operands,
                                 kernels::Workspace workspace)
{
    return std::make_unique<GraphPlan>(handle, product, operands, workspace);
}

} // namespace bifrons::bench
