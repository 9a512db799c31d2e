// kernels/losses/total.h - the total loss: a weighted sum of scalars in device memory, its gradient, and their list.
//
//   total = sum_i weight_i * value_i              v_i = upstream * weight_i              list_i = value_i
//
// Definition  total_ref.h, run by one thread on every device      CUDA  total.cu      Tests
// tests/kernels/total_test.cpp
#pragma once

#include "kernels/pointwise/epilogue.h"

namespace bifrons::kernels {

/// The terms of a total: an array by value, so that it can be a kernel's argument.
struct LossTerms {
    static constexpr int kMax = 32;
    ConstView value[kMax] = {}; ///< [1] each
    float weight[kMax] = {};
    int count = 0;

    /// Throws Error(shape) for one too many.
    void add(ConstView term, float factor);
};

/// total[0] = the formula above.   values read, total [1] written; f32, or f64 (cpu), all alike.
/// Summed in f64 in the order of the terms. A weight of 0 does not hide a value that is not finite.
struct WeightedSum {
    static constexpr const char* kName = "weighted_sum";
    LossTerms terms = {};
    View total = {};

    void check(Target target) const;
    Cost cost(Target target) const;
};
BIFRONS_OPERATION(WeightedSum)

/// list[i] = value_i, without its weight.   values read, list [terms.count] written; f32, or f64 (cpu), all alike.
struct ListTerms {
    static constexpr const char* kName = "list_terms";
    LossTerms terms = {};
    View list = {};

    void check(Target target) const;
    Cost cost(Target target) const;
};
BIFRONS_OPERATION(ListTerms)

/// v = upstream[0] * weight, what one term receives, stored as d says (one element).   upstream [1] read.
struct ScaleScalar {
    static constexpr const char* kName = "scale_scalar";
    ConstView upstream = {};
    float weight = 1;
    Store d = {};

    void check(Target target) const;
    Cost cost(Target target) const;
};
BIFRONS_OPERATION(ScaleScalar)

} // namespace bifrons::kernels
