// kernels/device/packet.cuh - neighbours moved together: a thread of a memory-bound kernel takes 16 bytes at a time.
//
//   on_packets<T>({x, y}, [&]<int N>() { launch("copy", copy_kernel<T, N>, grid_of_packets<N>(n), ...); });
//
//   in_packets<N>(n, [&]<int M>(std::int64_t i) {       in the kernel; M is N, or 1 for what is left at the end
//       float v[M];
//       load_packet(x + i, v);                           as f32, whatever T is
//       store_packet(y + i, v);
//   });
#pragma once

#include "kernels/base/bf16.h"
#include "kernels/device/simt.h"

#include <initializer_list>

namespace bifrons::kernels::BIFRONS_SIMT_NS {

template <class T, int N>
struct alignas(sizeof(T) * N < 16 ? sizeof(T) * N : 16) Packet {
    T element[N];
};

/// v = p[0, N), in one access for each 16 bytes. p is aligned to N elements, or to 16 bytes where those are more.
template <class T, int N>
__device__ void load_packet(const T* p, float (&v)[N])
{
    const Packet<T, N> packet = *reinterpret_cast<const Packet<T, N>*>(p);
    for (int i = 0; i < N; ++i) v[i] = to_f32(packet.element[i]);
}

template <class T, int N>
__device__ void store_packet(T* p, const float (&v)[N])
{
    Packet<T, N> packet;
    for (int i = 0; i < N; ++i) packet.element[i] = from_f32<T>(v[i]);
    *reinterpret_cast<Packet<T, N>*>(p) = packet;
}

/// v += p[0, N).
template <class T, int N>
__device__ void add_packet(const T* p, float (&v)[N])
{
    float other[N];
    load_packet(p, other);
    for (int i = 0; i < N; ++i) v[i] += other[i];
}

/// Where this thread's packet lies in a dense [*,D], D a multiple of N. In 32 bits: a division in 64 is a function
/// call.
struct RowPlace {
    unsigned row, c;
};
template <int N>
__device__ RowPlace packet_row(std::int64_t D)
{
    const unsigned packets = unsigned(D) / N, packet = unsigned(global_thread()), row = packet / packets;
    return {row, (packet - row * packets) * N};
}

/// The same in a dense [*,B,C,D].
struct Place {
    std::int64_t n, h, w, c;
};
template <int N>
__device__ Place packet_place(std::int64_t B, std::int64_t C, std::int64_t D)
{
    const auto [pixel, c] = packet_row<N>(D);
    const unsigned row = pixel / unsigned(C), n = row / unsigned(B);
    return {n, row - n * unsigned(B), pixel - row * unsigned(C), c};
}

/// body<N>(i) for the packet of [0, n) whose first element is i; single elements, body<1>(i), at the end.
template <int N, class Body>
__device__ void in_packet(std::int64_t i, std::int64_t n, const Body& body)
{
    if (i + N <= n)
        body.template operator()<N>(i);
    else
        for (; i < n; ++i) body.template operator()<1>(i);
}

/// The same for this thread's packet.
template <int N, class Body>
__device__ void in_packets(std::int64_t n, const Body& body)
{
    in_packet<N>(global_thread() * N, n, body);
}

/// Calls f<N>() with N elements of T in 16 bytes, if runs of `run` elements are whole packets and all views begin
/// at a multiple of 16 bytes (an empty one does); else f<1>().
template <class T, class F>
void on_packets(std::int64_t run, std::initializer_list<ConstView> views, const F& f)
{
    constexpr int kElements = 16 / sizeof(T);
    bool fits = run % kElements == 0;
    for (const ConstView view : views) fits = fits && reinterpret_cast<std::uintptr_t>(view.data) % 16 == 0;
    if (fits)
        f.template operator()<kElements>();
    else
        f.template operator()<1>();
}

/// The same where all elements are one run, whose end in_packets sees to.
template <class T, class F>
void on_packets(std::initializer_list<ConstView> views, const F& f)
{
    on_packets<T>(0, views, f);
}

/// Threads enough for n elements in packets of N.
template <int N>
Grid grid_of_packets(std::int64_t n)
{
    const std::int64_t packets = (n + N - 1) / N;
    BIFRONS_CHECK(shape, packets >> 32 == 0, n, " elements do not fit one launch");
    return grid_1d(packets);
}

} // namespace bifrons::kernels::BIFRONS_SIMT_NS
