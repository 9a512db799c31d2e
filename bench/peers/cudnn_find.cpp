// bench/peers/cudnn_find.cpp - cudnnFindConvolution...AlgorithmEx: every algorithm is timed on the very operands. They
// compute the plain product; what is to be fused takes a second kernel (cuDNN's fused call knows ReLU only).
#include "bench/peers/cudnn.h"

namespace bifrons::bench {

namespace {

cudnnDataType_t type_of(kernels::DType dtype)
{
    return dtype == kernels::DType::bf16 ? CUDNN_DATA_BFLOAT16 : CUDNN_DATA_FLOAT;
}

/// Descriptors of a convolution, NHWC.
class Descriptors {
  public:
    explicit Descriptors(const Product& p)
    {
        const kernels::Conv2dShape& s = p.s;
        const cudnnDataType_t type = type_of(p.dtype);
        const auto number = [](std::int64_t v) { return int(v); };
        check_cudnn(cudnnCreateTensorDescriptor(&x), "a descriptor");
        check_cudnn(cudnnCreateTensorDescriptor(&y), "a descriptor");
        check_cudnn(cudnnCreateFilterDescriptor(&w), "a descriptor");
        check_cudnn(cudnnCreateConvolutionDescriptor(&conv), "a descriptor");
        check_cudnn(
            cudnnSetTensor4dDescriptor(x, CUDNN_TENSOR_NHWC, type, number(s.N), number(s.C), number(s.H), number(s.W)),
            "x");
        check_cudnn(cudnnSetTensor4dDescriptor(y, CUDNN_TENSOR_NHWC, type, number(s.N), number(s.K), number(s.P()),
                                               number(s.Q())),
                    "y");
        check_cudnn(
            cudnnSetFilter4dDescriptor(w, type, CUDNN_TENSOR_NHWC, number(s.K), number(s.C), number(s.R), number(s.S)),
            "w");
        check_cudnn(cudnnSetConvolution2dDescriptor(conv, number(s.pad), number(s.pad), number(s.stride),
                                                    number(s.stride), 1, 1, CUDNN_CROSS_CORRELATION, CUDNN_DATA_FLOAT),
                    "the convolution");
        const bool exact = p.dtype == kernels::DType::f32 && !p.tf32;
        check_cudnn(cudnnSetConvolutionMathType(conv, exact ? CUDNN_FMA_MATH : CUDNN_TENSOR_OP_MATH), "the arithmetic");
    }
    ~Descriptors()
    {
        cudnnDestroyTensorDescriptor(x);
        cudnnDestroyTensorDescriptor(y);
        cudnnDestroyFilterDescriptor(w);
        cudnnDestroyConvolutionDescriptor(conv);
    }
    Descriptors(const Descriptors&) = delete;

    cudnnTensorDescriptor_t x = nullptr, y = nullptr;
    cudnnFilterDescriptor_t w = nullptr;
    cudnnConvolutionDescriptor_t conv = nullptr;
};

constexpr float kOne = 1, kZero = 0;
constexpr int kMostAlgorithms = 16;

class FindPlan : public Plan {
  public:
    FindPlan(cudnnHandle_t handle, const Product& p, const ProductOperands& o, kernels::Workspace workspace)
        : handle_(handle), pass_(p.pass), d_(p)
    {
        BIFRONS_CHECK(usage, !p.fuses() && p.out == p.dtype, "cuDNN find: computes plain products of one type");
        if (pass_ == Product::Pass::fwd)
            search<cudnnConvolutionFwdAlgoPerf_t>([&](int most, int* found, auto* perf) {
                return cudnnFindConvolutionForwardAlgorithmEx(handle_, d_.x, o.a, d_.w, o.b, d_.conv, d_.y, o.out, most,
                                                              found, perf, workspace.data, workspace.bytes);
            });
        else if (pass_ == Product::Pass::dgrad)
            search<cudnnConvolutionBwdDataAlgoPerf_t>([&](int most, int* found, auto* perf) {
                return cudnnFindConvolutionBackwardDataAlgorithmEx(handle_, d_.w, o.b, d_.y, o.a, d_.conv, d_.x, o.out,
                                                                   most, found, perf, workspace.data, workspace.bytes);
            });
        else
            search<cudnnConvolutionBwdFilterAlgoPerf_t>([&](int most, int* found, auto* perf) {
                return cudnnFindConvolutionBackwardFilterAlgorithmEx(handle_, d_.x, o.b, d_.y, o.a, d_.conv, d_.w,
                                                                     o.out, most, found, perf, workspace.data,
                                                                     workspace.bytes);
            });
    }
    std::string name() const override { return str("cuDNN find, algorithm ", algorithm_); }
    std::size_t workspace_bytes() const override { return bytes_; }
    void run(void* stream, const ProductOperands& o, void* workspace) override
    {
        check_cudnn(cudnnSetStream(handle_, static_cast<cudaStream_t>(stream)), "choosing the stream");
        check_cudnn(enqueue(o, workspace), "a convolution");
    }

  private:
    /// Takes the fastest algorithm that ran.
    template <class Perf, class Find>
    void search(const Find& find)
    {
        Perf perf[kMostAlgorithms];
        int found = 0;
        check_cudnn(find(kMostAlgorithms, &found, perf), "the search for an algorithm");
        for (int i = 0; i < found; ++i) {
            if (perf[i].status != CUDNN_STATUS_SUCCESS) continue;
            algorithm_ = int(perf[i].algo);
            bytes_ = perf[i].memory;
            check_cudnn(cudnnSetConvolutionMathType(d_.conv, perf[i].mathType), "the arithmetic");
            return;
        }
        throw Error(ErrorKind::failed, "cuDNN find: no algorithm for this shape");
    }
    cudnnStatus_t enqueue(const ProductOperands& o, void* workspace)
    {
        if (pass_ == Product::Pass::fwd)
            return cudnnConvolutionForward(handle_, &kOne, d_.x, o.a, d_.w, o.b, d_.conv,
                                           cudnnConvolutionFwdAlgo_t(algorithm_), workspace, bytes_, &kZero, d_.y,
                                           o.out);
        if (pass_ == Product::Pass::dgrad)
            return cudnnConvolutionBackwardData(handle_, &kOne, d_.w, o.b, d_.y, o.a, d_.conv,
                                                cudnnConvolutionBwdDataAlgo_t(algorithm_), workspace, bytes_, &kZero,
                                                d_.x, o.out);
        return cudnnConvolutionBackwardFilter(handle_, &kOne, d_.x, o.b, d_.y, o.a, d_.conv,
                                              cudnnConvolutionBwdFilterAlgo_t(algorithm_), workspace, bytes_, &kZero,
                                              d_.w, o.out);
    }

    cudnnHandle_t handle_;
    Product::Pass pass_;
    Descriptors d_;
    int algorithm_ = 0;
    std::size_t bytes_ = 0;
};

} // namespace

std::unique_ptr<Plan> find_plan(cudnnHandle_t handle, const Product& product, const ProductOperands& operands,
                                kernels::Workspace workspace)
{
    return std::make_unique<FindPlan>(handle, product, operands, workspace);
}

} // namespace bifrons::bench
