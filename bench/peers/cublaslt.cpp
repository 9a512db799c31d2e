// bench/peers/cublaslt.cpp - dense layers by cuBLASLt: all that its heuristics offer is timed, the fastest is the plan.
//
// cuBLASLt's matrices are stored by columns: our row-major [N,C] is its C x N matrix, and so y = x w^T is y^T = w x^T.
#include "bench/peers/library.h"

#include <cublasLt.h>
#include <cuda_runtime_api.h>

namespace bifrons::bench {

namespace {

using kernels::DType;

constexpr int kMostPlans = 64, kRepetitions = 5;

void check(cublasStatus_t status, const char* what)
{
    BIFRONS_CHECK(failed, status == CUBLAS_STATUS_SUCCESS, "cuBLASLt: ", what, ": ", cublasLtGetStatusString(status));
}

cudaDataType_t type_of(DType dtype)
{
    return dtype == DType::bf16 ? CUDA_R_16BF : CUDA_R_32F;
}

/// D (m x n) = op(A) op(B), columns ld elements apart. A is the product's operand b, B its a.
struct Shape {
    std::uint64_t m, n, k;
    std::int64_t lda, ldb, ldd;
    bool transpose_a, transpose_b;
};

Shape shape_of(const Product& p)
{
    const auto N = std::uint64_t(p.s.N), C = std::uint64_t(p.s.C), K = std::uint64_t(p.s.K);
    const std::int64_t c = p.s.C, k = p.s.K;
    switch (p.pass) {
    case Product::Pass::fwd: // y [N,K] = x [N,C] w [K,C]^T
        return {K, N, C, c, c, k, true, false};
    case Product::Pass::dgrad: // dx [N,C] = dy [N,K] w [K,C]
        return {C, N, K, c, k, c, false, false};
    case Product::Pass::wgrad: // dw [K,C] = dy [N,K]^T x [N,C]
        return {C, K, N, c, k, c, false, true};
    }
    return {};
}

class LtPlan : public Plan {
  public:
    LtPlan(cublasLtHandle_t handle, const Product& p, cudaStream_t stream, const ProductOperands& o,
           kernels::Workspace workspace)
        : handle_(handle)
    {
        BIFRONS_CHECK(usage, p.s.H == 1 && p.s.W == 1 && p.s.R == 1 && p.s.S == 1 && !p.add && !p.slope,
                      "cuBLASLt: used for dense layers with a bias only");
        describe(p, o);
        choose(stream, o, workspace);
    }
    ~LtPlan() override
    {
        cublasLtMatrixLayoutDestroy(a_);
        cublasLtMatrixLayoutDestroy(b_);
        cublasLtMatrixLayoutDestroy(d_);
        cublasLtMatmulDescDestroy(operation_);
    }
    std::string name() const override { return str("cuBLASLt, ", offered_, " plans tried"); }
    std::size_t workspace_bytes() const override { return best_.workspaceSize; }
    void run(void* stream, const ProductOperands& o, void* workspace) override
    {
        check(enqueue(best_, static_cast<cudaStream_t>(stream), o, workspace), "a product");
    }

  private:
    template <class T>
    void set(cublasLtMatmulDescAttributes_t attribute, const T& value)
    {
        check(cublasLtMatmulDescSetAttribute(operation_, attribute, &value, sizeof value), "an attribute");
    }
    void describe(const Product& p, const ProductOperands& o)
    {
        const Shape s = shape_of(p);
        const cublasComputeType_t arithmetic = p.tf32 ? CUBLAS_COMPUTE_32F_FAST_TF32 : CUBLAS_COMPUTE_32F;
        check(cublasLtMatmulDescCreate(&operation_, arithmetic, CUDA_R_32F), "a descriptor");
        set(CUBLASLT_MATMUL_DESC_TRANSA, s.transpose_a ? CUBLAS_OP_T : CUBLAS_OP_N);
        set(CUBLASLT_MATMUL_DESC_TRANSB, s.transpose_b ? CUBLAS_OP_T : CUBLAS_OP_N);
        if (p.bias) {
            set(CUBLASLT_MATMUL_DESC_EPILOGUE, CUBLASLT_EPILOGUE_BIAS);
            set(CUBLASLT_MATMUL_DESC_BIAS_DATA_TYPE, type_of(p.out));
            set(CUBLASLT_MATMUL_DESC_BIAS_POINTER, o.bias_as_out);
        }
        bias_ = p.bias;
        const auto layout = [](cublasLtMatrixLayout_t* to, DType dtype, std::uint64_t rows, std::uint64_t columns,
                               std::int64_t ld) {
            check(cublasLtMatrixLayoutCreate(to, type_of(dtype), rows, columns, ld), "a layout");
        };
        layout(&a_, p.dtype, s.transpose_a ? s.k : s.m, s.transpose_a ? s.m : s.k, s.lda);
        layout(&b_, p.dtype, s.transpose_b ? s.n : s.k, s.transpose_b ? s.k : s.n, s.ldb);
        layout(&d_, p.out, s.m, s.n, s.ldd);
    }
    cublasStatus_t enqueue(const cublasLtMatmulHeuristicResult_t& plan, cudaStream_t stream, const ProductOperands& o,
                           void* workspace)
    {
        const float one = 1, zero = 0;
        if (bias_) set(CUBLASLT_MATMUL_DESC_BIAS_POINTER, o.bias_as_out);
        return cublasLtMatmul(handle_, operation_, &one, o.b, a_, o.a, b_, &zero, o.out, d_, o.out, d_, &plan.algo,
                              workspace, plan.workspaceSize, stream);
    }
    /// Times every plan that the heuristics offer.
    void choose(cudaStream_t stream, const ProductOperands& o, kernels::Workspace workspace)
    {
        cublasLtMatmulPreference_t preference = nullptr;
        check(cublasLtMatmulPreferenceCreate(&preference), "a preference");
        const std::size_t bytes = workspace.bytes;
        cublasLtMatmulPreferenceSetAttribute(preference, CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES, &bytes,
                                             sizeof bytes);
        cublasLtMatmulHeuristicResult_t offers[kMostPlans] = {};
        const cublasStatus_t status = cublasLtMatmulAlgoGetHeuristic(handle_, operation_, a_, b_, d_, d_, preference,
                                                                     kMostPlans, offers, &offered_);
        cublasLtMatmulPreferenceDestroy(preference);
        check(status, "asking for plans");
        float least = 0;
        for (int i = 0; i < offered_; ++i) {
            if (offers[i].state != CUBLAS_STATUS_SUCCESS) continue;
            const float ms = milliseconds(offers[i], stream, o, workspace.data);
            if (ms > 0 && (least == 0 || ms < least)) least = ms, best_ = offers[i];
        }
        BIFRONS_CHECK(failed, least > 0, "cuBLASLt: no plan for this shape");
    }
    /// 0 if the plan does not run.
    float milliseconds(const cublasLtMatmulHeuristicResult_t& plan, cudaStream_t stream, const ProductOperands& o,
                       void* workspace)
    {
        if (enqueue(plan, stream, o, workspace) != CUBLAS_STATUS_SUCCESS) return 0;
        cudaEvent_t begin = nullptr, end = nullptr;
        cudaEventCreate(&begin), cudaEventCreate(&end);
        cudaEventRecord(begin, stream);
        for (int i = 0; i < kRepetitions; ++i) enqueue(plan, stream, o, workspace);
        cudaEventRecord(end, stream);
        float ms = 0;
        const bool good =
            cudaEventSynchronize(end) == cudaSuccess && cudaEventElapsedTime(&ms, begin, end) == cudaSuccess;
        cudaEventDestroy(begin), cudaEventDestroy(end);
        return good ? ms / kRepetitions : 0;
    }

    cublasLtHandle_t handle_;
    bool bias_ = false;
    cublasLtMatmulDesc_t operation_ = nullptr;
    cublasLtMatrixLayout_t a_ = nullptr, b_ = nullptr, d_ = nullptr;
    cublasLtMatmulHeuristicResult_t best_ = {};
    int offered_ = 0;
};

class CublasLt : public Library {
  public:
    CublasLt() { check(cublasLtCreate(&handle_), "starting"); }
    std::string version() const override
    {
        const std::size_t v = cublasLtGetVersion();
        return str("cuBLASLt ", v / 10000, ".", v % 10000 / 100, ".", v % 100);
    }
    std::vector<std::unique_ptr<Plan>> plans(const Product& product, void* stream, const ProductOperands& operands,
                                             kernels::Workspace workspace, std::string& why_none) override
    {
        std::vector<std::unique_ptr<Plan>> plans;
        try {
            plans.push_back(
                std::make_unique<LtPlan>(handle_, product, static_cast<cudaStream_t>(stream), operands, workspace));
        } catch (const std::exception& e) {
            why_none = e.what();
        }
        return plans;
    }

  private:
    cublasLtHandle_t handle_ = nullptr;
};

} // namespace

} // namespace bifrons::bench

bifrons::bench::Library* bifrons_peer_library()
{
    static bifrons::bench::CublasLt cublaslt;
    return &cublaslt;
}
