// kernels/losses/total_variation_cpu.h - total variation on the cpu device.
#pragma once

#include "kernels/losses/total_variation.h"

namespace bifrons::kernels::cpu {

void total_variation_fwd(const TotalVariationShape& s, ConstView p, float scale, View loss);
void total_variation_grad(const TotalVariationShape& s, ConstView p, float scale, ConstView upstream, const Store& d);

} // namespace bifrons::kernels::cpu
