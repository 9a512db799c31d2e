// kernels/losses/picture_pair.h - two pictures and a mask: what mse.h and l1.h compare, and what that costs.
#pragma once

#include "kernels/pointwise/epilogue.h"

namespace bifrons::kernels {

struct PicturePair {
    std::int64_t rows = 1, C = 1; // a, b [rows,C], mask [rows] (rows = N*H*W)

    /// Throws Error(shape), naming the operation, for an empty picture and for views that are not all of one type.
    void check(const char* op, ConstView a, ConstView b, ConstView mask) const;
    /// Of the mean, and of its gradient stored as d says.
    Cost fwd_cost(DType dtype, bool masked, Target target) const;
    Cost grad_cost(DType dtype, bool masked, const Store& d) const;
};

} // namespace bifrons::kernels
