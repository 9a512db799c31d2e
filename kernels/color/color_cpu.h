// kernels/color/color_cpu.h - colours and light on the cpu device. scratch: what the operations' costs say.
#pragma once

#include "kernels/color/color.h"

namespace bifrons::kernels::cpu {

void bgr_to_lab(std::int64_t n, const float* bgr, float* lab);
void lab_to_bgr(std::int64_t n, const float* lab, float* bgr);
void color_statistics(std::int64_t n, const float* x, const float* mask, float* statistics);
void color_transfer(std::int64_t n, const float* x, const float* target, const float* mask, float alpha, float* out,
                    float* scratch);
void light_transfer(const LightShape& s, const float* x, const float* target, const float* mask, float beta, float* out,
                    float* scratch);

} // namespace bifrons::kernels::cpu
