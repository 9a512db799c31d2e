// engine/ops/filter_gradients.h - a filter's gradient and its bias's: one pass over both where they are stored alike.
#pragma once

#include "engine/tape.h"

namespace bifrons {

/// Writes a filter's gradient (f32, f64 for f64 operands) and, unless db is empty, its bias's; adds to both or to none.
using WeightGradient = std::function<void(kernels::View dw, kernels::View db, bool accumulate)>;

/// Contributes to input `filter` of an operation and to its bias, the next input, by `gradient`. `d`: the gradient of
/// the stored values, of which the bias's is the sum over all but the last axis. Either input may be a constant, be
/// shared with other operations, or be computed.
void filter_gradients(Grads& grads, int filter, const Shape& filter_shape, const Tensor& d,
                      const WeightGradient& gradient);

} // namespace bifrons
