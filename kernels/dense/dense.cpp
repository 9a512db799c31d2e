#include "kernels/dense/dense.h"

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

void DenseFwd::check(Target target) const
{
    s.check(kName);
    BIFRONS_CHECK(shape, e.shuffle == 1, "dense_fwd: shuffle ", e.shuffle, "; expected 1: a dense layer has no pixels");
    conv2d().check(target);
}

Conv2dFwd DenseFwd::conv2d() const
{
    return {as_conv2d(s), x, w, y, e};
}

void DenseDgrad::check(Target target) const
{
    s.check(kName);
    conv2d().check(target);
}

Conv2dDgrad DenseDgrad::conv2d() const
{
    return {as_conv2d(s), dy, w, d};
}

void DenseWgrad::check(Target target) const
{
    s.check(kName);
    conv2d().check(target);
}

Conv2dWgrad DenseWgrad::conv2d() const
{
    return {as_conv2d(s), dy, x, dw, db, accumulate};
}

} // namespace bifrons::kernels
