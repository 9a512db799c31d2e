#include "model/architecture.h"

#include "kernels/base/error.h"

namespace bifrons::model {

void Architecture::check() const
{
    const int step = d || t ? 32 : 16;
    BIFRONS_CHECK(usage, resolution >= step && resolution <= 640 && resolution % step == 0, "resolution is ",
                  resolution, "; expected a multiple of ", step, " in ", step, "..640 for ", name(),
                  ". The nearest is ", std::max(step, std::min(640, (resolution + step / 2) / step * step)), ".");
    const auto check_dims = [&](const char* dims, int value, int low, int high) {
        BIFRONS_CHECK(usage, value >= low && value <= high && value % 2 == 0, dims, " is ", value,
                      "; expected an even number in ", low, "..", high);
    };
    check_dims("e_dims", e_dims, 4, 256);
    check_dims("ae_dims", ae_dims, 8, 1024);
    check_dims("d_dims", d_dims, 4, 256);
    check_dims("d_mask_dims", d_mask_dims, 4, 256);
}

std::string Architecture::name() const
{
    std::string flags;
    for (const auto& [on, letter] : {std::pair{u, 'u'}, {d, 'd'}, {t, 't'}, {c, 'c'}})
        if (on) flags += letter;
    const std::string base = liae ? "liae" : "df";
    return flags.empty() ? base : base + "-" + flags;
}

} // namespace bifrons::model
