// kernels/losses/style_cpu.h - the cpu device's side of style.h. Runs at once.
#pragma once

#include "kernels/losses/style.h"

namespace bifrons::kernels::cpu {

void style_fwd(const StyleShape& s, ConstView x, ConstView t, float scale, View loss, View moments);
void style_grad(const StyleShape& s, ConstView x, ConstView moments, float scale, ConstView upstream, const Store& d);

} // namespace bifrons::kernels::cpu
