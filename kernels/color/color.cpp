#include "kernels/color/color.h"

#include "kernels/color/color_cpu.h"
#include "kernels/color/gaussian_blur.h"
#include "kernels/device/dispatch.h"

namespace bifrons::kernels {

namespace {

bool is_cpu(Target target)
{
    return target.kind == DeviceKind::cpu;
}

float* floats(const Exec& ex)
{
    return static_cast<float*>(ex.workspace.data);
}

void check_strength(const char* op, const char* name, float strength)
{
    BIFRONS_CHECK(shape, strength >= 0 && strength <= 1, op, ": ", name, " is ", strength, "; expected 0..1");
}

} // namespace

Cost lab_cost(std::int64_t n)
{
    return {.flops = 120.0 * double(n), .bytes = 24.0 * double(n)};
}

void bgr_to_lab(Exec ex, std::int64_t n, ConstView bgr, View lab)
{
    if (accounted(ex, "bgr_to_lab", lab_cost(n))) return;
    if (on_cpu(ex)) return ex.device->enqueue(ex.stream, [=] { cpu::bgr_to_lab(n, bgr.as<float>(), lab.as<float>()); });
    BIFRONS_SIMT(ex, "bgr_to_lab", bgr_to_lab(ex, n, bgr, lab));
}

void lab_to_bgr(Exec ex, std::int64_t n, ConstView lab, View bgr)
{
    if (accounted(ex, "lab_to_bgr", lab_cost(n))) return;
    if (on_cpu(ex)) return ex.device->enqueue(ex.stream, [=] { cpu::lab_to_bgr(n, lab.as<float>(), bgr.as<float>()); });
    BIFRONS_SIMT(ex, "lab_to_bgr", lab_to_bgr(ex, n, lab, bgr));
}

Cost color_statistics_cost(std::int64_t n, Target target)
{
    return {.flops = 19.0 * double(n),
            .bytes = 16.0 * double(n),
            .workspace_bytes = is_cpu(target) ? 0 : kColorSumBlocks * (4 + 3) * sizeof(double)};
}

void color_statistics(Exec ex, std::int64_t n, ConstView x, ConstView mask, View statistics)
{
    if (accounted(ex, "color_statistics", color_statistics_cost(n, ex.device->target()))) return;
    if (on_cpu(ex))
        return ex.device->enqueue(
            ex.stream, [=] { cpu::color_statistics(n, x.as<float>(), mask.as<float>(), statistics.as<float>()); });
    BIFRONS_SIMT(ex, "color_statistics", color_statistics(ex, n, x, mask, statistics));
}

Cost color_transfer_cost(std::int64_t n, Target target)
{
    return {.flops = 3 * lab_cost(n).flops + 2 * color_statistics_cost(n, target).flops,
            .bytes = 40.0 * double(n),
            .workspace_bytes = is_cpu(target) ? std::size_t(n) * 12 : kColorSumBlocks * (7 + 6) * sizeof(double)};
}

void color_transfer(Exec ex, std::int64_t n, ConstView x, ConstView target, ConstView mask, float alpha, View out)
{
    check_strength("color_transfer", "alpha", alpha);
    if (accounted(ex, "color_transfer", color_transfer_cost(n, ex.device->target()))) return;
    if (on_cpu(ex))
        return ex.device->enqueue(ex.stream, [=] {
            cpu::color_transfer(n, x.as<float>(), target.as<float>(), mask.as<float>(), alpha, out.as<float>(),
                                floats(ex));
        });
    BIFRONS_SIMT(ex, "color_transfer", color_transfer(ex, n, x, target, mask, alpha, out));
}

Cost light_transfer_cost(const LightShape& s, Target target)
{
    const Cost blur = gaussian_blur_cost({s.H, s.W, 1, s.sigma});
    const double n = double(s.pixels());
    return {.flops = 3 * blur.flops + 50 * n,
            .bytes = 3 * blur.bytes + 64 * n,
            .workspace_bytes =
                is_cpu(target) ? std::size_t(s.pixels()) * 16 : 2 * aligned(std::size_t(s.pixels()) * 12)};
}

void light_transfer(Exec ex, const LightShape& s, ConstView x, ConstView target, ConstView mask, float beta, View out)
{
    check_strength("light_transfer", "beta", beta);
    BIFRONS_CHECK(shape, s.sigma >= 0.1f && s.sigma <= 1000, "light_transfer: sigma is ", s.sigma,
                  "; expected 0.1..1000 px");
    if (accounted(ex, "light_transfer", light_transfer_cost(s, ex.device->target()))) return;
    if (on_cpu(ex))
        return ex.device->enqueue(ex.stream, [=] {
            cpu::light_transfer(s, x.as<float>(), target.as<float>(), mask.as<float>(), beta, out.as<float>(),
                                floats(ex));
        });
    BIFRONS_SIMT(ex, "light_transfer", light_transfer(ex, s, x, target, mask, beta, out));
}

} // namespace bifrons::kernels
