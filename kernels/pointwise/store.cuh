// kernels/pointwise/store.cuh - the store formula inside kernels: an operation that has computed v hands it to store(),
// element by element or a packet of neighbours at a time (packet.cuh).
#pragma once

#include "kernels/device/packet.cuh"
#include "kernels/pointwise/epilogue.h"

namespace bifrons::kernels::BIFRONS_SIMT_NS {

/// y = shuffle(act(v + bias + add)) for elements of v [N,P,Q,K]. T is what y, add and z are stored as; bias is f32.
template <class T>
struct EpilogueStore {
    EpilogueStore(const EpilogueShape& s, const Epilogue& e, View out)
        : Q(s.Q), K(s.K), bias(e.bias.as<float>()), add(e.add.as<T>()), z(e.z.as<T>()), y(out.as<T>()), act(e.act),
          shuffle(e.shuffle)
    {
        BIFRONS_CHECK(shape, s.size() >> 32 == 0, "epilogue: ", s.size(), " elements; expected fewer than 2^32");
    }

    /// i is v's flat index.
    __device__ void store(std::int64_t i, float v) const
    {
        float one[1] = {v};
        store(i, one);
    }

    /// Elements i .. i+N-1, where runs of run() elements are whole packets. v is lost.
    template <int N>
    __device__ void store(std::int64_t i, float (&v)[N]) const
    {
        store(i, bias ? unsigned(i) % unsigned(K) : 0, shuffle == 1 ? i : shuffled(i), v);
    }

    /// The same for channels k .. k+N-1 of a pixel.
    template <int N>
    __device__ void store(int pixel, int k, float (&v)[N]) const
    {
        const std::int64_t i = std::int64_t(pixel) * K + k;
        store(i, k, shuffle == 1 ? i : shuffled(unsigned(pixel), unsigned(k)), v);
    }

    /// Channels (j, c) of one block row are neighbours in the output too: they move as one run.
    BIFRONS_HD std::int64_t run() const { return K / shuffle; }

    __device__ std::int64_t shuffled(std::int64_t i) const
    {
        return shuffled(unsigned(i) / unsigned(K), unsigned(i) % unsigned(K));
    }
    __device__ std::int64_t shuffled(unsigned pixel, unsigned k) const
    {
        const unsigned of_run = unsigned(K) / unsigned(shuffle), q = pixel % unsigned(Q), row = pixel / unsigned(Q);
        return ((std::int64_t(row) * shuffle + k / of_run) * Q + q) * of_run + k % of_run;
    }

    /// Elements i .. i+N-1, which are channels k .. k+N-1, to places `to` and on of y.
    template <int N>
    __device__ void store(std::int64_t i, std::int64_t k, std::int64_t to, float (&v)[N]) const
    {
        if (bias) add_packet(bias + k, v);
        if (add) add_packet(add + i, v);
        if (z) store_packet(z + i, v);
        for (float& element : v) element = act_fwd(act, element);
        store_packet(y + to, v);
    }

    std::int64_t Q, K;
    const float* bias;
    const T* add;
    T *z, *y;
    Activation act;
    int shuffle;
};

/// out = act'(saved) * (v + add) for elements all stored as T.
template <class T>
struct GradientStore {
    explicit GradientStore(const Store& s) : out(s.out.as<T>()), add(s.add.as<T>()), saved(s.saved.as<T>()), act(s.act)
    {
    }

    __device__ void store(std::int64_t i, float v) const
    {
        float one[1] = {v};
        store(i, one);
    }

    /// Elements i .. i+N-1. v is lost.
    template <int N>
    __device__ void store(std::int64_t i, float (&v)[N]) const
    {
        if (add) add_packet(add + i, v);
        if (saved) scale_by_derivative(i, v);
        store_packet(out + i, v);
    }

    template <int N>
    __device__ void scale_by_derivative(std::int64_t i, float (&v)[N]) const
    {
        float at[N];
        load_packet(saved + i, at);
        for (int k = 0; k < N; ++k) v[k] *= act_grad(act, at[k]);
    }

    T* out;
    const T *add, *saved;
    Activation act;
};

/// One of the two, all elements stored as T; s is the shape of v.
template <class T>
struct GradientOrValueStore {
    GradientOrValueStore(const EpilogueShape& s, const GradientOrValue& out)
        : gradient(out.gradient), value(s, out.value, out.y)
    {
    }

    template <int N>
    __device__ void store(std::int64_t i, float (&v)[N]) const
    {
        if (value.y)
            value.store(i, v);
        else
            gradient.store(i, v);
    }

    GradientStore<T> gradient;
    EpilogueStore<T> value;
};

/// Calls f<N>() as on_packets does: elements of each that are stored as one.
template <class T, class F>
void on_packets_of(const EpilogueShape& s, const GradientOrValue& out, const F& f)
{
    const Store& d = out.gradient;
    const Epilogue& e = out.value;
    on_packets<T>(s.K / e.shuffle, {d.out, d.add, d.saved, out.y, e.bias, e.add, e.z}, f);
}

} // namespace bifrons::kernels::BIFRONS_SIMT_NS
