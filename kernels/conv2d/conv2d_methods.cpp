#include "kernels/conv2d/conv2d_methods.h"

#include "kernels/conv2d/conv2d_direct.h"
#include "kernels/conv2d/conv2d_few_channels.h"
#include "kernels/conv2d/conv2d_head.h"
#include "kernels/conv2d/conv2d_igemm.h"

namespace bifrons::kernels {

namespace {

/// What the methods need to know of an operation.
struct Pass {
    explicit Pass(const Conv2dFwd& op) : pass(Conv2dPass::fwd), a(op.x), b(op.w) {}
    explicit Pass(const Conv2dDgrad& op) : pass(Conv2dPass::dgrad), a(op.dy), b(op.w) {}
    explicit Pass(const Conv2dWgrad& op) : pass(Conv2dPass::wgrad), a(op.dy), b(op.x) {}

    /// What copies of 16 bytes need.
    void check_addresses(const char* op) const
    {
        for (const ConstView operand : {a, b})
            BIFRONS_CHECK(bug, reinterpret_cast<std::uintptr_t>(operand.data) % 16 == 0, op, ": an operand at ",
                          operand.data, "; expected a multiple of 16 bytes. Use method direct.");
    }

    Conv2dPass pass;
    ConstView a, b; ///< the factors
};

// ---- code --------------------------------------------------------------------------------------------------------

struct Direct {
    static void enqueue(const auto& gpu, const auto& op) { run_direct(gpu, op); }
};

struct FewChannels {
    static void enqueue(const auto& gpu, const auto& op)
    {
        Pass(op).check_addresses(op.kName);
        run_few_channels(gpu, op);
    }
};

struct Head {
    static void enqueue(const auto& gpu, const Conv2dFwd& op)
    {
        Pass(op).check_addresses(op.kName);
        run_head(gpu, op);
    }
};

template <bool tensor_cores>
struct Igemm {
    static void enqueue(const auto& gpu, const auto& op)
    {
        const Pass pass(op);
        pass.check_addresses(op.kName);
        IgemmPlan plan = igemm_plan(pass.pass, op.s, pass.a.dtype, gpu.device->target());
        plan.tensor_cores = tensor_cores;
        run_igemm(gpu, op, plan);
    }
};

template <class Method, class Op>
void by(const Exec& ex, const Op& op)
{
    on_gpu(ex, Op::kName, [&](const auto& gpu) { Method::enqueue(gpu, op); });
}

// ---- conditions --------------------------------------------------------------------------------------------------

bool any_pass(Conv2dPass, const Conv2dShape&, DType)
{
    return true;
}

bool tiled_supports(Conv2dPass pass, const Conv2dShape& s, DType dtype)
{
    return dtype == DType::f32 && igemm_supports(pass, s, dtype);
}

bool always(const Conv2dShape&, DType)
{
    return true;
}

bool has_pictures(const Conv2dShape& s, DType)
{
    return s.P() * s.Q() > 1;
}

bool may_round(const Conv2dShape& s, DType dtype)
{
    return dtype == DType::bf16 || s.tf32;
}

std::size_t none(Conv2dPass, const Conv2dShape&, DType, Target)
{
    return 0;
}

std::size_t split_sums(Conv2dPass pass, const Conv2dShape& s, DType dtype, Target target)
{
    return igemm_workspace(pass, s, igemm_plan(pass, s, dtype, target));
}

std::size_t filter_sums(Conv2dPass pass, const Conv2dShape& s, DType, Target target)
{
    return few_channels_workspace(pass, s, target);
}

/// In order of preference.
constexpr Conv2dGpuMethod kMethods[] = {
    {Conv2dMethod::few_channels, "few_channels",
     "it computes bf16 where x, or for gradients x or y, has at most 12 channels, dgrad with stride 1",
     few_channels_supports, has_pictures, filter_sums, by<FewChannels>, by<FewChannels>, by<FewChannels>},
    {Conv2dMethod::head, "head",
     "it computes forward passes in bf16 from more than 12 channels to at most 16, stride 1, filters up to 3x3",
     head_supports, has_pictures, none, by<Head>, nullptr, nullptr},
    {Conv2dMethod::igemm_mma, "igemm_mma", "it copies at least 4 bytes of channels", igemm_supports, may_round,
     split_sums, by<Igemm<true>>, by<Igemm<true>>, by<Igemm<true>>},
    {Conv2dMethod::tiled, "tiled", "it supports f32 and strides up to 4", tiled_supports, always, split_sums,
     by<Igemm<false>>, by<Igemm<false>>, by<Igemm<false>>},
    {Conv2dMethod::direct, "direct", "", any_pass, always, none, by<Direct>, by<Direct>, by<Direct>},
};

} // namespace

const Conv2dGpuMethod& conv2d_gpu_method(Conv2dPass pass, const Conv2dShape& s, DType dtype)
{
    for (const Conv2dGpuMethod& m : kMethods)
        if (s.method == Conv2dMethod::automatic ? m.pays(s, dtype) && m.supports(pass, s, dtype) : m.method == s.method)
            return m;
    throw Error(ErrorKind::usage, "conv2d: a GPU does not have this method. Use automatic.");
}

} // namespace bifrons::kernels
