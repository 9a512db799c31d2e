#include "kernels/dense/dense.h"

#include "kernels/conv2d/conv2d.h"

namespace bifrons::kernels {

void DenseShape::check(const char* op) const
{
    BIFRONS_CHECK(shape, N >= 1 && C >= 1 && K >= 1, op, ": x [", N, ",", C, "], w [", K, ",", C,
                  "]; expected sizes of at least 1");
}

namespace {

Conv2dShape as_conv2d(const DenseShape& s)
{
    return {.N = s.N, .C = s.C, .K = s.K, .tf32 = s.tf32};
}

} // namespace

void dense_fwd(Exec ex, const DenseShape& s, ConstView x, ConstView w, View y, const Epilogue& e)
{
    s.check("dense_fwd");
    BIFRONS_CHECK(shape, e.shuffle == 1, "dense_fwd: shuffle ", e.shuffle, "; expected 1: a dense layer has no pixels");
    conv2d_fwd(ex, as_conv2d(s), x, w, y, e);
}

Cost dense_fwd_cost(const DenseShape& s, DType dtype, const Epilogue& e, Target target)
{
    return conv2d_fwd_cost(as_conv2d(s), dtype, e, target);
}

void dense_dgrad(Exec ex, const DenseShape& s, ConstView dy, ConstView w, const Store& d)
{
    s.check("dense_dgrad");
    conv2d_dgrad(ex, as_conv2d(s), dy, w, d);
}

Cost dense_dgrad_cost(const DenseShape& s, DType dtype, const Store& d, Target target)
{
    return conv2d_dgrad_cost(as_conv2d(s), dtype, d, target);
}

void dense_wgrad(Exec ex, const DenseShape& s, ConstView dy, ConstView x, View dw, View db, bool accumulate)
{
    s.check("dense_wgrad");
    conv2d_wgrad(ex, as_conv2d(s), dy, x, dw, db, accumulate);
}

Cost dense_wgrad_cost(const DenseShape& s, DType dtype, bool bias, bool accumulate, Target target)
{
    return conv2d_wgrad_cost(as_conv2d(s), dtype, bias, accumulate, target);
}

} // namespace bifrons::kernels
