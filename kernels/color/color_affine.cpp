#include "kernels/color/color_affine.h"

namespace bifrons::kernels {

namespace {

void check_operands(Target target, const char* op, std::int64_t pixels, DType picture, DType mapped, ConstView mask)
{
    BIFRONS_CHECK(shape, pixels >= 1, op, ": ", pixels, " pixels; expected at least one");
    check_elements(target, op, picture);
    check_elements(target, op, mapped);
    BIFRONS_CHECK(shape, picture != DType::bf16 && (mapped == picture || mapped == DType::bf16), op,
                  ": the picture is ", dtype_name(picture), ", the mapped one ", dtype_name(mapped),
                  "; expected f32 or f64, and the same or bf16");
    BIFRONS_CHECK(shape, !mask || mask.dtype == picture, op, ": the mask is ", dtype_name(mask.dtype),
                  "; expected the picture's ", dtype_name(picture));
}

double mask_bytes(std::int64_t pixels, DType dtype, bool masked)
{
    return masked ? double(pixels) * double(dtype_bytes(dtype)) : 0;
}

} // namespace

void ColorAffineFwd::check(Target target) const
{
    check_operands(target, kName, pixels, x.dtype, y.dtype, mask);
}

Cost ColorAffineFwd::cost(Target) const
{
    return {.flops = 18.0 * double(pixels),
            .bytes = 3.0 * double(pixels) * double(dtype_bytes(x.dtype) + dtype_bytes(y.dtype)) +
                     mask_bytes(pixels, x.dtype, bool(mask))};
}

void ColorAffineGrad::check(Target target) const
{
    check_operands(target, kName, pixels, d.out.dtype, dy.dtype, mask);
    d.check(kName, d.out.dtype);
}

Cost ColorAffineGrad::cost(Target) const
{
    return {.flops = 18.0 * double(pixels),
            .bytes = 3.0 * double(pixels) * double(dtype_bytes(dy.dtype)) +
                     mask_bytes(pixels, d.out.dtype, bool(mask)) + d.bytes(3 * pixels, d.out.dtype)};
}

} // namespace bifrons::kernels
