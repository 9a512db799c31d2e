// kernels/base/onednn.cpp - against oneDNN 2.6 and 3; algorithm `direct` only, whose rounding obeys the bounds of the
// operations' contracts (Winograd's does not).
#include "kernels/base/onednn.h"

#if BIFRONS_HAS_ONEDNN

#include "kernels/base/error.h"
#include "kernels/base/thread_count.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <map>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

#include <dnnl.hpp>
#include <sys/mman.h>

namespace bifrons::kernels {

namespace {

using dnnl::memory;
using Tag = memory::format_tag;

const dnnl::engine& engine()
{
    static const dnnl::engine cpu(dnnl::engine::kind::cpu, 0);
    return cpu;
}

dnnl::stream& stream()
{
    static thread_local dnnl::stream cpu(engine());
    return cpu;
}

constexpr bool kAllowNone = true; ///< an empty descriptor, no exception, where oneDNN has no implementation

/// What describes a primitive to oneDNN: a function of its operands and parameters. A gradient's `forward` is the
/// descriptor of its forward pass. Version 2 has a descriptor of the operation before that of the primitive.
template <class Primitive, class... Forward>
auto describer(const dnnl::primitive_attr& attr, const Forward&... forward)
{
    return [&](const auto&... what) -> typename Primitive::primitive_desc {
#if DNNL_VERSION_MAJOR >= 3
        return {engine(), what..., forward..., attr, kAllowNone};
#else
        return {typename Primitive::desc(what...), attr, engine(), forward..., kAllowNone};
#endif
    };
}

void append_leaky_relu(dnnl::post_ops& post, float slope)
{
#if DNNL_VERSION_MAJOR >= 3
    post.append_eltwise(dnnl::algorithm::eltwise_relu, slope, 0.0f);
#else
    post.append_eltwise(1.0f, dnnl::algorithm::eltwise_relu, slope, 0.0f);
#endif
}

bool is_matrix_product(const OnednnConv& c)
{
    return c.H == 1 && c.W == 1 && c.R == 1 && c.S == 1 && c.pad == 0;
}

/// The forward pass that a call is, or that a gradient belongs to.
OnednnConv forward_of(OnednnConv c)
{
    if (c.pass != OnednnPass::forward) c.f32_out = false; // that is the gradient's
    c.pass = OnednnPass::forward;
    return c;
}

/// The operands' descriptors: activations and filters as we store them, filters also in the format oneDNN picks.
struct Formats {
    memory::desc x, y, filters, any_filters, bias;

    explicit Formats(const OnednnConv& c)
    {
        using Type = memory::data_type;
        const Type operand = c.bf16 ? Type::bf16 : Type::f32, out = c.f32_out ? Type::f32 : operand;
        const Type x_type = c.pass == OnednnPass::input_gradient ? out : operand;
        const Type y_type = c.pass == OnednnPass::forward ? out : operand;
        const Type w_type = c.pass == OnednnPass::filter_gradient ? Type::f32 : operand;
        if (is_matrix_product(c)) {
            x = {{c.N, c.C}, x_type, Tag::ab}, y = {{c.N, c.K}, y_type, Tag::ab};
            filters = {{c.K, c.C}, w_type, Tag::ab};
            any_filters = filters; // a reorder would cost as much as the product itself
        } else {
            const std::int64_t P = (c.H + 2 * c.pad - c.R) / c.stride + 1, Q = (c.W + 2 * c.pad - c.S) / c.stride + 1;
            x = {{c.N, c.C, c.H, c.W}, x_type, Tag::nhwc}, y = {{c.N, c.K, P, Q}, y_type, Tag::nhwc};
            filters = {{c.K, c.C, c.R, c.S}, w_type, Tag::ohwi};
            any_filters = {{c.K, c.C, c.R, c.S}, w_type, Tag::any};
        }
        if (c.bias) bias = {{c.K}, Type::f32, Tag::a};
    }
};

dnnl::primitive_attr attributes(const OnednnConv& c, const Formats& f)
{
    dnnl::post_ops post;
    if (c.add) post.append_binary(dnnl::algorithm::binary_add, f.y);
    if (c.slope != 1) append_leaky_relu(post, c.slope);
    dnnl::primitive_attr attr;
    attr.set_scratchpad_mode(dnnl::scratchpad_mode::user);
    attr.set_post_ops(post);
    return attr;
}

/// Convolution by gemm in 2.6.3 adds the wrong elements of a summand from the second pixel on; 3.7.2 is right.
constexpr bool kGemmCanAdd = DNNL_VERSION_MAJOR >= 3;

/// Not oneDNN's plain loops ("ref"), nor what it computes wrongly.
template <class Descriptor>
bool is_usable(const Descriptor& d, bool add)
{
    if (!d) return false;
    const std::string name = d.impl_info_str();
    const auto is = [&](const char* kind) { return name.find(kind) != std::string::npos; };
    return !is("ref") && !(is("gemm") && add && !kGemmCanAdd);
}

class Call : public OnednnCall {
  public:
    explicit Call(const OnednnConv& c) : conv_(c), formats_(c) { is_matrix_product(c) ? make_product() : make_conv(); }

    /// Whether oneDNN has a usable implementation.
    explicit operator bool() const { return bool(main_); }

    std::size_t workspace_bytes() const override { return filter_bytes() + scratchpad_bytes(); }
    std::function<void()> bind(const OnednnOperands& o, void* workspace) const override;

  private:
    struct Step {
        dnnl::primitive primitive;
        std::unordered_map<int, memory> operands;
    };

    void make_conv();
    void make_product();
    template <class Primitive, class Descriptor>
    void take(const Descriptor& d, const memory::desc& filters);
    bool reorders() const { return bool(reorder_); }
    std::size_t filter_bytes() const { return reorders() ? (filters_.get_size() + 255) / 256 * 256 : 0; }
    std::size_t scratchpad_bytes() const { return std::max(scratchpad_.get_size(), reorder_scratchpad_.get_size()); }

    OnednnConv conv_;
    Formats formats_;
    dnnl::primitive main_, reorder_;
    memory::desc filters_, scratchpad_, reorder_scratchpad_;
};

/// Keeps the primitive if it is usable, and the reorder between its filters and ours if they differ.
template <class Primitive, class Descriptor>
void Call::take(const Descriptor& d, const memory::desc& filters)
{
    if (!is_usable(d, conv_.add)) return;
    main_ = Primitive(d), filters_ = filters, scratchpad_ = d.scratchpad_desc();
    if (filters == formats_.filters) return;
    const bool back = conv_.pass == OnednnPass::filter_gradient;
    dnnl::primitive_attr attr;
    attr.set_scratchpad_mode(dnnl::scratchpad_mode::user);
    const dnnl::reorder::primitive_desc reorder(engine(), back ? filters : formats_.filters, engine(),
                                                back ? formats_.filters : filters, attr);
    reorder_ = dnnl::reorder(reorder), reorder_scratchpad_ = reorder.scratchpad_desc();
}

void Call::make_conv()
{
    using namespace dnnl;
    const auto how = algorithm::convolution_direct;
    const memory::dims stride{conv_.stride, conv_.stride}, pad{conv_.pad, conv_.pad};
    const auto& [x, y, filters, any, bias] = formats_;
    const primitive_attr attr = attributes(conv_, formats_);
    const Formats f(forward_of(conv_));
    const auto forward = describer<convolution_forward>(attr)(prop_kind::forward_training, how, f.x, f.any_filters,
                                                              f.bias, f.y, stride, pad, pad);
    if (!forward) return;
    if (conv_.pass == OnednnPass::forward) return take<convolution_forward>(forward, forward.weights_desc());
    if (conv_.pass == OnednnPass::input_gradient) {
        const auto d = describer<convolution_backward_data>(attr, forward)(how, x, any, y, stride, pad, pad);
        return take<convolution_backward_data>(d, d ? d.weights_desc() : memory::desc());
    }
    const auto d = describer<convolution_backward_weights>(attr, forward)(how, x, any, y, stride, pad, pad);
    take<convolution_backward_weights>(d, d ? d.diff_weights_desc() : memory::desc());
}

void Call::make_product()
{
    using namespace dnnl;
    const auto& [x, y, filters, any, bias] = formats_;
    const primitive_attr attr = attributes(conv_, formats_);
    const Formats f(forward_of(conv_));
    const auto forward =
        describer<inner_product_forward>(attr)(prop_kind::forward_training, f.x, f.any_filters, f.bias, f.y);
    if (!forward) return;
    if (conv_.pass == OnednnPass::forward) return take<inner_product_forward>(forward, forward.weights_desc());
    if (conv_.pass == OnednnPass::input_gradient) {
        const auto d = describer<inner_product_backward_data>(attr, forward)(x, any, y);
        return take<inner_product_backward_data>(d, d ? d.weights_desc() : memory::desc());
    }
    const auto d = describer<inner_product_backward_weights>(attr, forward)(x, any, y);
    take<inner_product_backward_weights>(d, d ? d.diff_weights_desc() : memory::desc());
}

std::function<void()> Call::bind(const OnednnOperands& o, void* workspace) const
{
    const auto at = [](const memory::desc& desc, const void* data) {
        return memory(desc, engine(), const_cast<void*>(data));
    };
    char* const scratch = static_cast<char*>(workspace) + filter_bytes();
    const bool back = conv_.pass == OnednnPass::filter_gradient;
    // Our filters, or our filter gradient, and where the primitive has them.
    const memory ours = at(formats_.filters, back ? o.out : o.b);
    const memory filters = reorders() ? at(filters_, workspace) : ours;

    Step main{main_, {{DNNL_ARG_SCRATCHPAD, at(scratchpad_, scratch)}}};
    switch (conv_.pass) {
    case OnednnPass::forward:
        main.operands.insert(
            {{DNNL_ARG_SRC, at(formats_.x, o.a)}, {DNNL_ARG_WEIGHTS, filters}, {DNNL_ARG_DST, at(formats_.y, o.out)}});
        if (conv_.bias) main.operands[DNNL_ARG_BIAS] = at(formats_.bias, o.bias);
        if (conv_.add) main.operands[DNNL_ARG_ATTR_MULTIPLE_POST_OP(0) | DNNL_ARG_SRC_1] = at(formats_.y, o.add);
        break;
    case OnednnPass::input_gradient:
        main.operands.insert({{DNNL_ARG_DIFF_DST, at(formats_.y, o.a)},
                              {DNNL_ARG_WEIGHTS, filters},
                              {DNNL_ARG_DIFF_SRC, at(formats_.x, o.out)}});
        break;
    case OnednnPass::filter_gradient:
        main.operands.insert({{DNNL_ARG_DIFF_DST, at(formats_.y, o.a)},
                              {DNNL_ARG_SRC, at(formats_.x, o.b)},
                              {DNNL_ARG_DIFF_WEIGHTS, filters}});
        break;
    }
    std::vector<Step> steps{main};
    if (reorders())
        steps.insert(back ? steps.end() : steps.begin(), {reorder_,
                                                          {{DNNL_ARG_FROM, back ? filters : ours},
                                                           {DNNL_ARG_TO, back ? ours : filters},
                                                           {DNNL_ARG_SCRATCHPAD, at(reorder_scratchpad_, scratch)}}});
    return [steps = std::move(steps)] {
        for (const Step& step : steps) step.primitive.execute(stream(), step.operands);
        stream().wait();
    };
}

/// oneDNN crashes where it gets no memory for the code that it generates, so what that takes must be there.
void expect_memory()
{
    constexpr std::size_t kRoom = std::size_t(64) << 20;
    void* const room = ::mmap(nullptr, kRoom, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    BIFRONS_CHECK(device, room != MAP_FAILED, "oneDNN: needs ", kRoom >> 20,
                  " MiB of memory to prepare a convolution, and the system gives none (", std::strerror(errno),
                  "). Raise the limit (`ulimit -v`), or lower the batch size or the resolution.");
    ::munmap(room, kRoom);
}

/// Whether oneDNN uses an instruction set here, or one that contains it: a set is a number with a bit for each part.
bool uses(dnnl::cpu_isa set)
{
    return (unsigned(dnnl::get_effective_cpu_isa()) & unsigned(set)) == unsigned(set);
}

const char* instructions()
{
    using Isa = dnnl::cpu_isa;
    if (uses(Isa::avx512_core_amx)) return "AVX-512 with AMX";
    if (uses(Isa::avx512_core)) return "AVX-512";
    if (uses(Isa::avx2)) return "AVX2";
    return uses(Isa::avx) ? "AVX" : "SSE4.1";
}

} // namespace

bool onednn_available()
{
    return true;
}

std::string onednn_description()
{
    const dnnl_version_t& v = *dnnl::version();
    return str(v.major, ".", v.minor, ".", v.patch, ", ", instructions());
}

bool onednn_multiplies_bf16()
{
#if defined(__x86_64__)
    const bool amd = __builtin_cpu_is("amd");
#else
    const bool amd = false;
#endif
    return uses(dnnl::cpu_isa::avx512_core_amx) || (amd && uses(dnnl::cpu_isa::avx512_core_bf16));
}

std::shared_ptr<const OnednnCall> onednn_call(const OnednnConv& conv, int threads)
{
    constexpr std::size_t kKept = 1024;
    static std::mutex mutex;
    static std::map<std::pair<OnednnConv, int>, std::shared_ptr<const OnednnCall>> kept;
    const std::lock_guard lock(mutex);
    if (const auto found = kept.find({conv, threads}); found != kept.end()) return found->second;
    if (kept.size() == kKept) kept.clear(); // those in use live on with their users
    expect_memory();
    const ThreadCount count(threads); // a primitive's work is divided for the count when it is created
    auto call = std::make_shared<const Call>(conv);
    return kept[{conv, threads}] = *call ? call : nullptr;
}

} // namespace bifrons::kernels

#else

namespace bifrons::kernels {

bool onednn_available()
{
    return false;
}

std::string onednn_description()
{
    return "";
}

bool onednn_multiplies_bf16()
{
    return false;
}

std::shared_ptr<const OnednnCall> onednn_call(const OnednnConv&, int)
{
    return nullptr;
}

} // namespace bifrons::kernels

#endif
