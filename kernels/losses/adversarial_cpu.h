// kernels/losses/adversarial_cpu.h - adversarial losses on the cpu device.
#pragma once

#include "kernels/losses/adversarial.h"

namespace bifrons::kernels::cpu {

void adversarial_fwd(const AdversarialShape& s, ConstView x, float scale, View loss);
void adversarial_grad(const AdversarialShape& s, ConstView x, float scale, ConstView upstream, const Store& d);

} // namespace bifrons::kernels::cpu
