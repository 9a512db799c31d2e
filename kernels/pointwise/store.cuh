// kernels/pointwise/store.cuh - the store formula inside kernels: an operation that has computed v hands it to store().
#pragma once

#include "kernels/base/bf16.h"
#include "kernels/device/simt.h"
#include "kernels/pointwise/epilogue.h"

namespace bifrons::kernels::BIFRONS_SIMT_NS {

/// y = shuffle(act(v + bias + add)) for one element of v [N,P,Q,K]. T is what y, add and z are stored as; bias is f32.
template <class T>
struct EpilogueStore {
    EpilogueStore(const EpilogueShape& s, const Epilogue& e, View out)
        : Q(s.Q), K(s.K), bias(e.bias.as<float>()), add(e.add.as<T>()), z(e.z.as<T>()), y(out.as<T>()), act(e.act),
          shuffle(e.shuffle)
    {
    }

    /// i is v's flat index.
    __device__ void store(std::int64_t i, float v) const
    {
        if (bias) v += bias[i % K];
        if (add) v += to_f32(add[i]);
        if (z) z[i] = from_f32<T>(v);
        y[shuffle == 1 ? i : shuffled(i)] = from_f32<T>(act_fwd(act, v));
    }

    /// Channels (j, c) of one block row are neighbours in the output too: they move as one run.
    __device__ std::int64_t shuffled(std::int64_t i) const
    {
        const std::int64_t run = K / shuffle, pixel = i / K, k = i % K;
        const std::int64_t q = pixel % Q, row = pixel / Q;
        return ((row * shuffle + k / run) * Q + q) * run + k % run;
    }

    std::int64_t Q, K;
    const float* bias;
    const T* add;
    T *z, *y;
    Activation act;
    int shuffle;
};

/// out = act'(saved) * (v + add) for one element; all stored as T.
template <class T>
struct GradientStore {
    explicit GradientStore(const Store& s) : out(s.out.as<T>()), add(s.add.as<T>()), saved(s.saved.as<T>()), act(s.act)
    {
    }

    __device__ void store(std::int64_t i, float v) const
    {
        if (add) v += to_f32(add[i]);
        out[i] = from_f32<T>(saved ? act_grad(act, to_f32(saved[i])) * v : v);
    }

    T* out;
    const T *add, *saved;
    Activation act;
};

} // namespace bifrons::kernels::BIFRONS_SIMT_NS
