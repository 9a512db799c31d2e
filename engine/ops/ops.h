// engine/ops/ops.h - the differentiable operations. Each is one function in a file of its own name: check, allocate,
// forward, record. Formulas, error bounds and sources stand with the kernels.
//
// Tensors are NHWC [N,H,W,C]; filters KRSC. Values stay on the tape's device. Throws Error(shape) with the values.
#pragma once

#include "engine/tape.h"
#include "kernels/color/color_affine.h"
#include "kernels/conv2d/conv2d.h"
#include "kernels/losses/adversarial.h"
#include "kernels/pointwise/mask_pixels.h"

namespace bifrons {

/// What may be fused into the store of an operation's result: y = shuffle(act(v + bias + add)).
struct Conv2dOptions {
    Var bias = {}; ///< [K]
    std::int64_t stride = 1;
    std::int64_t pad = 0;
    Var add = {}; ///< same shape as the convolution's result: a skip connection
    kernels::Activation act = {};
    int shuffle = 1; ///< pixel shuffle factor, TensorFlow's order
    /// Store the result as f32 although the operands are bf16: for the last layers, whose result is a picture.
    bool f32_result = false;
};

/// x [N,H,W,C], w [K,R,S,C] -> [N,P,Q,K], or [N,f*P,f*Q,K/f^2] shuffled.
Var conv2d(Tape& tape, const Var& x, const Var& w, const Conv2dOptions& o = {});

/// x [N,P,Q,K], w [K,R,S,C] -> [N, stride*P, stride*Q, C]; options as conv2d, without pad (it follows from the sizes).
Var conv2d_transpose(Tape& tape, const Var& x, const Var& w, const Conv2dOptions& o = {});

/// Each channel with its own filter, as kernels/conv2d/depthwise.h pads: x [N,H,W,C], w [R,R,C], bias [C] ->
/// [N,ceil(H/stride),ceil(W/stride),C]. Has no gradient: throws where x wants one.
Var depthwise(Tape& tape, const Var& x, const Tensor& w, const Tensor& bias, std::int64_t stride = 1);

/// x [N,C], w [K,C] -> [N,K].
Var dense(Tape& tape, const Var& x, const Var& w, const Var& bias = {}, kernels::Activation act = {});

/// y = shuffle(act(x + add)) by itself; x [N,H,W,C].
struct PointwiseOptions {
    Var add = {};
    kernels::Activation act = {};
    int shuffle = 1;
};
Var pointwise(Tape& tape, const Var& x, const PointwiseOptions& o);

/// x + add below zero times its channel's slope [C]; add may be empty, or have fewer channels than x, which then count
/// as zeros. Has no gradient: throws where x or add wants one.
Var prelu(Tape& tape, const Var& x, const Tensor& slope, const Var& add = {});

/// The same values in another element type, rounded to nearest; x itself if it has the type already.
Var cast(Tape& tape, const Var& x, DType dtype);

/// The same elements in another shape. x must have no other use.
Var reshape(Tape& tape, const Var& x, const Shape& shape);

/// Equal parts along the first dimension. x must have no other use.
std::vector<Var> split(Tape& tape, const Var& x, int parts);

/// Rows [begin, end) of the first dimension, which x's other readers do not mind. Costs no copy forward.
Var rows(Tape& tape, const Var& x, std::int64_t begin, std::int64_t end);

/// [N0, ..] and [N1, ..] -> [N0+N1, ..].
Var concat_rows(Tape& tape, const Var& a, const Var& b);

/// [.., C0] and [.., C1] -> [.., C0+C1].
Var concat_channels(Tape& tape, const Var& a, const Var& b);

/// y = x * rsqrt(mean(x^2) + 1e-6), the mean over each sample's elements. x [N,F].
Var pixel_norm(Tape& tape, const Var& x);

/// x weighted, pixel by pixel, with a constant mask [N,H,W,1], or with what the mask leaves out.
Var mask_pixels(Tape& tape, const Var& x, const Tensor& mask, kernels::MaskSide side = kernels::MaskSide::inside);

/// Largest of each window. ceil: see kernels::MaxPoolShape.
Var max_pool(Tape& tape, const Var& x, int window, int stride, bool ceil = false);

/// Mean of each window.
Var avg_pool(Tape& tape, const Var& x, int window, int stride);

/// A rim of `pad` pixels that mirrors what lies inside.
Var pad_reflect(Tape& tape, const Var& x, int pad);

/// Each pixel of a picture [N,H,W,3], times the mask [N,H,W,1] (may be empty), through an affine map of its colours;
/// stored as `dtype`.
Var color_affine(Tape& tape, const Var& x, const Tensor& mask, const kernels::ColorAffine& map, DType dtype);

/// Every pixel repeated factor x factor times.
Var upsample_nearest(Tape& tape, const Var& x, int factor);

/// Scalar losses, shape [1]; the prediction gets a gradient, target and mask [N,H,W,1] (may be empty) are constants.
Var l1(Tape& tape, const Var& prediction, const Tensor& target, const Tensor& mask, float scale);
Var mse(Tape& tape, const Var& prediction, const Tensor& target, const Tensor& mask, float scale);
Var dssim(Tape& tape, const Var& prediction, const Tensor& target, const Tensor& mask, int window, float scale);
/// Binary cross-entropy of logits, against a target 0..1 of the same shape or one label for all.
Var bce(Tape& tape, const Var& logits, const Tensor& target, const Tensor& mask, float scale);
Var bce(Tape& tape, const Var& logits, float label, float scale);
/// What a discriminator's answers are worth by least squares or hinge.
Var adversarial(Tape& tape, const Var& answers, kernels::AdversarialLoss loss, kernels::Verdict wanted, float scale);
/// Squared differences of neighbouring pixels, summed over each picture.
Var total_variation(Tape& tape, const Var& picture, float scale);
/// Distance of features [N,H,W,C] that have been scaled to length 1, see kernels/losses/lpips.h; weights [C] may be
/// empty. f32 also where the features are bf16.
Var lpips(Tape& tape, const Var& features, const Tensor& target, const Tensor& weights, float scale);

/// How far the channels' means and deviations are from the target's: kernels/losses/style.h.
Var style(Tape& tape, const Var& picture, const Tensor& target, float scale);

/// Low-pass, zero outside: kernels/color/gaussian_blur.h. reach: taps on either side, 0 for three sigma.
Var gaussian_blur(Tape& tape, const Var& x, float sigma, int reach = 0);

/// Weighted sum of scalars, shape [1].
Var total(Tape& tape, const std::vector<Var>& losses, const std::vector<float>& weights);

} // namespace bifrons
