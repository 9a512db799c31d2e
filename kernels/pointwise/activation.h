// kernels/pointwise/activation.h - the activation functions and their derivatives, host and device.
//
//   leaky   y = z > 0 ? z : slope*z           relu    leaky with slope 0
//   sigmoid y = 1 / (1 + exp(-z))             tanh    y = tanh(z)
//   xcosx   y = z cos(z)   (DeepFaceLab's flag `c`)
#pragma once

#include "kernels/base/exact_math.h"

namespace bifrons::kernels {

enum class Act : std::uint8_t { none, leaky, relu, sigmoid, tanh, xcosx };

struct Activation {
    Act kind = Act::none;
    float slope = 0; ///< leaky only
};

inline Activation leaky(float slope)
{
    return {Act::leaky, slope};
}

/// The derivative of these follows from the output y; of the others from the input z. See act_grad.
BIFRONS_HD inline bool act_saves_input(Activation a)
{
    return a.kind == Act::xcosx;
}

// Of an f32 not libm's, whose reduction of large angles would give every kernel that stores a stack.
BIFRONS_HD inline float act_sin(float z)
{
    return exact_sincos_of_radians(z).sin;
}
BIFRONS_HD inline float act_cos(float z)
{
    return exact_sincos_of_radians(z).cos;
}
BIFRONS_HD inline double act_sin(double z)
{
    return std::sin(z);
}
BIFRONS_HD inline double act_cos(double z)
{
    return std::cos(z);
}

template <class T>
BIFRONS_HD T act_fwd(Activation a, T z)
{
    switch (a.kind) {
    case Act::none:
        return z;
    case Act::leaky:
        return z > T(0) ? z : T(a.slope) * z;
    case Act::relu:
        return z > T(0) ? z : T(0);
    case Act::sigmoid:
        return T(1) / (T(1) + std::exp(-z));
    case Act::tanh:
        return std::tanh(z);
    case Act::xcosx:
        return z * act_cos(z);
    }
    return z;
}

/// dy/dz, given saved = y, or z where act_saves_input. At the kink of leaky and relu: the left derivative.
template <class T>
BIFRONS_HD T act_grad(Activation a, T saved)
{
    switch (a.kind) {
    case Act::none:
        return T(1);
    case Act::leaky:
        return saved > T(0) ? T(1) : T(a.slope);
    case Act::relu:
        return saved > T(0) ? T(1) : T(0);
    case Act::sigmoid:
        return saved * (T(1) - saved);
    case Act::tanh:
        return T(1) - saved * saved;
    case Act::xcosx:
        return act_cos(saved) - saved * act_sin(saved);
    }
    return T(1);
}

} // namespace bifrons::kernels
