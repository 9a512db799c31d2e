// tests/parity/rounding.h - what rounding may do to a network, found by doing it: LibTorch operations whose results are
// moved, forward and backward, by as much as rounding typically moves ours, with random signs.
//
// Every contract in kernels/ bounds |v - exact| by gamma(terms) * (the same sum of absolute values), where gamma is
// sqrt(terms + 1) units with a factor of safety of 8. Here that factor is left out, but every result is moved by the
// whole of the rest, where rounding rarely moves any. Looking at the gradients propagates all bounds through the
// network together, its kinks included: an activation that rounding could put on the other side of its kink is put
// there.
#pragma once

#include <torch/torch.h>

namespace bifrons::parity {

using torch::Tensor;

class Rounding {
  public:
    /// unit: 2^-24 for f32, 2^-53 for f64, 0 for none.
    explicit Rounding(double unit = 0, std::uint64_t seed = 0)
        : unit_(unit), random_(at::make_generator<at::CPUGeneratorImpl>(seed))
    {
    }
    bool none() const { return unit_ == 0; }
    /// v +- sqrt(terms + 1) units of magnitude.
    Tensor moved(const Tensor& v, const Tensor& magnitude, double terms)
    {
        const Tensor sign = at::randint(0, 2, v.sizes(), random_, v.options()) * 2 - 1;
        return v + std::sqrt(terms + 1) * unit_ * sign * magnitude;
    }

  private:
    double unit_;
    at::Generator random_;
};

/// Stride and padding of a convolution, or of the convolution that a transposed one mirrors.
struct Geometry {
    std::int64_t stride = 1, pad = 0;
    bool transposed = false;
    std::int64_t extra =
        0; ///< rows and columns that a transposed convolution adds at the end: LibTorch's output_padding
};

namespace detail {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

inline Tensor convolve(const Tensor& x, const Tensor& w, const Tensor& b, const Geometry& g)
{
    return at::convolution(x, w, b, {g.stride, g.stride}, {g.pad, g.pad}, {1, 1}, g.transposed, {g.extra, g.extra}, 1);
}

inline std::array<Tensor, 3> convolve_backward(const Tensor& dy, const Tensor& x, const Tensor& w, const Geometry& g)
{
    const std::int64_t channels = dy.size(1);
    const auto [dx, dw, db] =
        at::convolution_backward(dy, x, w, at::IntArrayRef(&channels, 1), {g.stride, g.stride}, {g.pad, g.pad}, {1, 1},
                                 g.transposed, {g.extra, g.extra}, 1, {true, true, true});
    return {dx, dw, db};
}

struct Convolution : torch::autograd::Function<Convolution> {
    static Tensor forward(AutogradContext* ctx, const Tensor& x, const Tensor& w, const Tensor& b, Geometry g,
                          Rounding* rounding)
    {
        ctx->save_for_backward({x, w});
        ctx->saved_data["stride"] = g.stride;
        ctx->saved_data["pad"] = g.pad;
        ctx->saved_data["transposed"] = g.transposed;
        ctx->saved_data["extra"] = g.extra;
        ctx->saved_data["rounding"] = reinterpret_cast<std::int64_t>(rounding);
        const Tensor y = convolve(x, w, b, g);
        if (rounding->none()) return y;
        const double terms = double(w.numel()) / double(b.numel());
        return rounding->moved(y, convolve(x.abs(), w.abs(), b.abs(), g), terms);
    }
    static variable_list backward(AutogradContext* ctx, variable_list upstream)
    {
        const Tensor dy = upstream[0], x = ctx->get_saved_variables()[0], w = ctx->get_saved_variables()[1];
        const Geometry g{ctx->saved_data["stride"].toInt(), ctx->saved_data["pad"].toInt(),
                         ctx->saved_data["transposed"].toBool(), ctx->saved_data["extra"].toInt()};
        auto* rounding = reinterpret_cast<Rounding*>(ctx->saved_data["rounding"].toInt());
        auto [dx, dw, db] = convolve_backward(dy, x, w, g);
        if (!rounding->none()) {
            const auto [ax, aw, ab] = convolve_backward(dy.abs(), x.abs(), w.abs(), g);
            const double terms = double(w.numel()) / double(x.size(1)),
                         positions = double(dy.numel()) / double(dy.size(1));
            dx = rounding->moved(dx, ax, terms);
            dw = rounding->moved(dw, aw, positions);
            db = rounding->moved(db, ab, positions);
        }
        return {dx, dw, db, Tensor(), Tensor()};
    }
};

struct Rounded : torch::autograd::Function<Rounded> {
    static Tensor forward(AutogradContext* ctx, const Tensor& x, double terms, Rounding* rounding)
    {
        ctx->saved_data["terms"] = terms;
        ctx->saved_data["rounding"] = reinterpret_cast<std::int64_t>(rounding);
        return rounding->moved(x, x.abs(), terms);
    }
    static variable_list backward(AutogradContext* ctx, variable_list upstream)
    {
        auto* rounding = reinterpret_cast<Rounding*>(ctx->saved_data["rounding"].toInt());
        return {rounding->moved(upstream[0], upstream[0].abs(), ctx->saved_data["terms"].toDouble()), Tensor(),
                Tensor()};
    }
};

} // namespace detail

/// x [N,C,H,W], w OIHW (transposed: IOHW), b [K].
inline Tensor convolution(const Tensor& x, const Tensor& w, const Tensor& b, const Geometry& g, Rounding& rounding)
{
    return detail::Convolution::apply(x, w, b, g, &rounding);
}

/// x, moved as a sum of `terms` numbers of one sign would be; its gradient likewise.
inline Tensor rounded(const Tensor& x, double terms, Rounding& rounding)
{
    return rounding.none() ? x : detail::Rounded::apply(x, terms, &rounding);
}

} // namespace bifrons::parity
