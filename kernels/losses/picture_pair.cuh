// kernels/losses/picture_pair.cuh - two pictures and a mask inside a kernel: what mse.cu and l1.cu read.
#pragma once

#include "kernels/device/packet.cuh"
#include "kernels/losses/picture_pair.h"

namespace bifrons::kernels::BIFRONS_SIMT_NS {

struct Pictures {
    std::int64_t n, C;
    const float *a, *b, *mask; // mask may be null

    Pictures(const char* loss, const PicturePair& s, ConstView of_a, ConstView of_b, ConstView of_mask)
        : n(s.rows * s.C), C(s.C), a(of_a.as<float>()), b(of_b.as<float>()), mask(of_mask.as<float>())
    {
        BIFRONS_CHECK(shape, n >> 32 == 0, loss, ": ", n, " elements; expected fewer than 2^32");
    }
    /// Elements i .. i+N-1 of a and b, and the mask over them.
    template <int N>
    __device__ void load(std::int64_t i, float (&m)[N], float (&of_a)[N], float (&of_b)[N]) const
    {
        load_packet(a + i, of_a);
        load_packet(b + i, of_b);
        for (int k = 0; k < N; ++k) m[k] = mask ? mask[unsigned(i + k) / unsigned(C)] : 1.0f;
    }
};

} // namespace bifrons::kernels::BIFRONS_SIMT_NS
