#include "kernels/color/color.h"

#include "kernels/color/color_cpu.h"
#include "kernels/color/gaussian_blur.h"
#include "kernels/device/dispatch.h"

namespace bifrons::kernels {

namespace {

float* floats(const Exec& ex)
{
    return static_cast<float*>(ex.workspace.data);
}

/// Says whether the work is to be enqueued: not on plan. Throws where there is no kernel.
bool runs(const Exec& ex, const char* op, const Cost& cost)
{
    if (accounted(ex, op, cost)) return false;
    if (!on_cpu(ex)) throw_no_kernel(ex, op);
    return true;
}

void check_strength(const char* op, const char* name, float strength)
{
    BIFRONS_CHECK(shape, strength >= 0 && strength <= 1, op, ": ", name, " is ", strength, "; 0..1 expected");
}

} // namespace

Cost lab_cost(std::int64_t n)
{
    return {.flops = 120.0 * double(n), .bytes = 24.0 * double(n)};
}

void bgr_to_lab(Exec ex, std::int64_t n, ConstView bgr, View lab)
{
    if (!runs(ex, "bgr_to_lab", lab_cost(n))) return;
    ex.device->enqueue(ex.stream, [=] { cpu::bgr_to_lab(n, bgr.as<float>(), lab.as<float>()); });
}

void lab_to_bgr(Exec ex, std::int64_t n, ConstView lab, View bgr)
{
    if (!runs(ex, "lab_to_bgr", lab_cost(n))) return;
    ex.device->enqueue(ex.stream, [=] { cpu::lab_to_bgr(n, lab.as<float>(), bgr.as<float>()); });
}

Cost color_statistics_cost(std::int64_t n)
{
    return {.flops = 19.0 * double(n), .bytes = 16.0 * double(n)};
}

void color_statistics(Exec ex, std::int64_t n, ConstView x, ConstView mask, View statistics)
{
    if (!runs(ex, "color_statistics", color_statistics_cost(n))) return;
    ex.device->enqueue(ex.stream,
                       [=] { cpu::color_statistics(n, x.as<float>(), mask.as<float>(), statistics.as<float>()); });
}

Cost color_transfer_cost(std::int64_t n)
{
    return {.flops = 3 * lab_cost(n).flops + 2 * color_statistics_cost(n).flops,
            .bytes = 40.0 * double(n),
            .workspace_bytes = std::size_t(n) * 12};
}

void color_transfer(Exec ex, std::int64_t n, ConstView x, ConstView target, ConstView mask, float alpha, View out)
{
    check_strength("color_transfer", "alpha", alpha);
    if (!runs(ex, "color_transfer", color_transfer_cost(n))) return;
    ex.device->enqueue(ex.stream, [=] {
        cpu::color_transfer(n, x.as<float>(), target.as<float>(), mask.as<float>(), alpha, out.as<float>(), floats(ex));
    });
}

Cost light_transfer_cost(const LightShape& s)
{
    const Cost blur = gaussian_blur_cost({s.H, s.W, 1, s.sigma});
    const double n = double(s.pixels());
    return {.flops = 3 * blur.flops + 50 * n,
            .bytes = 3 * blur.bytes + 64 * n,
            .workspace_bytes = std::size_t(s.pixels()) * 16};
}

void light_transfer(Exec ex, const LightShape& s, ConstView x, ConstView target, ConstView mask, float beta, View out)
{
    check_strength("light_transfer", "beta", beta);
    BIFRONS_CHECK(shape, s.sigma >= 0.1f && s.sigma <= 1000, "light_transfer: sigma is ", s.sigma,
                  "; 0.1..1000 px expected");
    if (!runs(ex, "light_transfer", light_transfer_cost(s))) return;
    ex.device->enqueue(ex.stream, [=] {
        cpu::light_transfer(s, x.as<float>(), target.as<float>(), mask.as<float>(), beta, out.as<float>(), floats(ex));
    });
}

} // namespace bifrons::kernels
