#include "kernels/ptx/mma.h"

#include "kernels/base/clones.h"

#include <bit>

namespace bifrons::kernels::sim {

namespace {

struct MmaLane {
    float* d;
    const std::uint32_t *a, *b;
};

struct Matrices {
    float a[16][16], b[16][8], d[16][8];
};

MmaLane& lane_of(const WarpArguments& lanes, int lane)
{
    return *static_cast<MmaLane*>(lanes[std::size_t(lane)]);
}

/// A row of d.
typedef float Row __attribute__((vector_size(32), aligned(4), may_alias));

/// One k after the other, the columns at once. The clones give the same bits: nothing is contracted.
template <int K>
inline __attribute__((always_inline)) void multiply_columns(Matrices& m)
{
    for (int i = 0; i < 16; ++i) {
        Row& d = reinterpret_cast<Row&>(m.d[i]);
        Row sum = d;
        for (int k = 0; k < K; ++k) sum += m.a[i][k] * reinterpret_cast<const Row&>(m.b[k]);
        d = sum;
    }
}

BIFRONS_CLONES void multiply_k16(Matrices& m)
{
    multiply_columns<16>(m);
}

BIFRONS_CLONES void multiply_k8(Matrices& m)
{
    multiply_columns<8>(m);
}

void gather_bf16(Matrices& m, const MmaLane& lane, int g, int t)
{
    const auto low = [](std::uint32_t r) { return std::bit_cast<float>(r << 16); };
    const auto high = [](std::uint32_t r) { return std::bit_cast<float>(r & 0xffff0000u); };
    for (int i = 0; i < 4; ++i) {
        float* a = &m.a[g + 8 * (i % 2)][2 * t + 8 * (i / 2)];
        a[0] = low(lane.a[i]), a[1] = high(lane.a[i]);
    }
    for (int i = 0; i < 2; ++i) {
        m.b[2 * t + 8 * i][g] = low(lane.b[i]);
        m.b[2 * t + 8 * i + 1][g] = high(lane.b[i]);
    }
}

void gather_tf32(Matrices& m, const MmaLane& lane, int g, int t)
{
    for (int i = 0; i < 4; ++i) m.a[g + 8 * (i % 2)][t + 4 * (i / 2)] = std::bit_cast<float>(lane.a[i]);
    for (int i = 0; i < 2; ++i) m.b[t + 4 * i][g] = std::bit_cast<float>(lane.b[i]);
}

/// NaN may have any bits.
bool is_tf32(std::uint32_t bits)
{
    return (bits & 0x1fff) == 0 || (bits & 0x7fffffff) > 0x7f800000;
}

std::string not_tf32(const WarpArguments& lanes)
{
    for (int l = 0; l < kWarpSize; ++l) {
        const MmaLane& lane = lane_of(lanes, l);
        for (int i = 0; i < 6; ++i)
            if (const std::uint32_t bits = i < 4 ? lane.a[i] : lane.b[i - 4]; !is_tf32(bits))
                return str("lane ", l, " has ", std::bit_cast<float>(bits), " in ", i < 4 ? "a[" : "b[", i % 4,
                           "], which is not a tf32 number. Round it with to_tf32.");
    }
    return "";
}

template <class Gather, class Multiply>
void multiply_add(const WarpArguments& lanes, const Gather& gather, const Multiply& multiply)
{
    Matrices m;
    const auto for_each_d = [&](const auto& f) {
        for (int l = 0; l < kWarpSize; ++l)
            for (int i = 0; i < 4; ++i) f(m.d[l / 4 + 8 * (i / 2)][l % 4 * 2 + i % 2], lane_of(lanes, l).d[i]);
    };
    for (int l = 0; l < kWarpSize; ++l) gather(m, lane_of(lanes, l), l / 4, l % 4);
    for_each_d([](float& matrix, float lane) { matrix = lane; });
    multiply(m);
    for_each_d([](float matrix, float& lane) { lane = matrix; });
}

std::string mma_bf16_of_warp(const WarpArguments& lanes)
{
    if (std::string missing = missing_lane(lanes); !missing.empty()) return missing;
    multiply_add(lanes, gather_bf16, multiply_k16);
    return "";
}

std::string mma_tf32_of_warp(const WarpArguments& lanes)
{
    if (std::string missing = missing_lane(lanes); !missing.empty()) return missing;
    if (std::string wrong = not_tf32(lanes); !wrong.empty()) return wrong;
    multiply_add(lanes, gather_tf32, multiply_k8);
    return "";
}

} // namespace

void mma_bf16(float (&d)[4], const std::uint32_t (&a)[4], const std::uint32_t (&b)[2], const char* file, int line)
{
    MmaLane mine{d, a, b};
    Executor::current().meet_warp(kWholeWarp, &mine, mma_bf16_of_warp, {"mma_bf16", file, line});
}

void mma_tf32(float (&d)[4], const std::uint32_t (&a)[4], const std::uint32_t (&b)[2], const char* file, int line)
{
    MmaLane mine{d, a, b};
    Executor::current().meet_warp(kWholeWarp, &mine, mma_tf32_of_warp, {"mma_tf32", file, line});
}

std::uint32_t to_tf32(float x)
{
    constexpr std::uint32_t kInfinity = 0x7f800000, kNan = 0x7fffffff, kHalfUlp = 0x1000;
    const auto bits = std::bit_cast<std::uint32_t>(x);
    const std::uint32_t magnitude = bits & 0x7fffffff;
    if (magnitude > kInfinity) return kNan;
    return magnitude == kInfinity ? bits : (bits + kHalfUlp) & ~(2 * kHalfUlp - 1);
}

} // namespace bifrons::kernels::sim
