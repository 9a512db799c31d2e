// kernels/losses/lpips_cpu.h - the distance of features on the cpu device.
#pragma once

#include "kernels/losses/lpips.h"

namespace bifrons::kernels::cpu {

void lpips_fwd(const LpipsShape& s, ConstView a, ConstView b, ConstView w, float scale, View loss);
void lpips_grad(const LpipsShape& s, ConstView a, ConstView b, ConstView w, float scale, ConstView upstream,
                const Store& d);

} // namespace bifrons::kernels::cpu
