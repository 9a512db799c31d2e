#include "kernels/color/color_affine.h"

#include "kernels/color/color_affine_cpu.h"
#include "kernels/device/dispatch.h"

namespace bifrons::kernels {

namespace {

void check(const Exec& ex, const char* op, std::int64_t pixels, DType picture, DType mapped, ConstView mask)
{
    BIFRONS_CHECK(shape, pixels >= 1, op, ": ", pixels, " pixels; expected at least one");
    check_elements(ex, op, picture);
    check_elements(ex, op, mapped);
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

Cost color_affine_fwd_cost(std::int64_t pixels, DType dtype, DType y_dtype, bool masked)
{
    return {.flops = 18.0 * double(pixels),
            .bytes = 3.0 * double(pixels) * double(dtype_bytes(dtype) + dtype_bytes(y_dtype)) +
                     mask_bytes(pixels, dtype, masked)};
}

void color_affine_fwd(Exec ex, std::int64_t pixels, const ColorAffine& map, ConstView x, ConstView mask, View y)
{
    check(ex, "color_affine_fwd", pixels, x.dtype, y.dtype, mask);
    if (accounted(ex, "color_affine_fwd", color_affine_fwd_cost(pixels, x.dtype, y.dtype, bool(mask)))) return;
    if (on_cpu(ex)) return ex.device->enqueue(ex.stream, [=] { cpu::color_affine_fwd(pixels, map, x, mask, y); });
    BIFRONS_SIMT(ex, "color_affine_fwd", color_affine_fwd(ex, pixels, map, x, mask, y));
}

Cost color_affine_grad_cost(std::int64_t pixels, DType dtype, DType dy_dtype, bool masked, const Store& d)
{
    return {.flops = 18.0 * double(pixels),
            .bytes = 3.0 * double(pixels) * double(dtype_bytes(dy_dtype)) + mask_bytes(pixels, dtype, masked) +
                     d.bytes(3 * pixels, dtype)};
}

void color_affine_grad(Exec ex, std::int64_t pixels, const ColorAffine& map, ConstView dy, ConstView mask,
                       const Store& d)
{
    check(ex, "color_affine_grad", pixels, d.out.dtype, dy.dtype, mask);
    d.check("color_affine_grad", d.out.dtype);
    if (accounted(ex, "color_affine_grad", color_affine_grad_cost(pixels, d.out.dtype, dy.dtype, bool(mask), d)))
        return;
    if (on_cpu(ex)) return ex.device->enqueue(ex.stream, [=] { cpu::color_affine_grad(pixels, map, dy, mask, d); });
    BIFRONS_SIMT(ex, "color_affine_grad", color_affine_grad(ex, pixels, map, dy, mask, d));
}

} // namespace bifrons::kernels
