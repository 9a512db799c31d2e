// CUDA's words on the simulator: shuffles, votes, sums of lanes, atomics, functions on bits, vectors.
#include "tests/support/sim_fixture.h"

namespace bifrons::kernels::sim {

namespace {

using test::kSchedules, test::says;
using Fixture = test::SimFixture;

int* ints(float* memory)
{
    return reinterpret_cast<int*>(memory);
}

unsigned* unsigneds(float* memory)
{
    return reinterpret_cast<unsigned*>(memory);
}

__global__ void shuffles(int* out)
{
    wait_for_previous_kernel();
    const int t = int(threadIdx.x);
    out[t] = __shfl_sync(kWholeWarp, 10 * t, 5);
    out[64 + t] = __shfl_sync(kWholeWarp, 10 * t, t + 33); // of the warp, counted round
    out[128 + t] = __shfl_up_sync(kWholeWarp, 10 * t, 3);
}

TEST(Collectives, shuffles_from_a_lane_and_from_below)
{
    for (const std::string schedule : kSchedules) {
        Fixture f(schedule);
        EXPECT_EQ(f.error_of(shuffles, {.threads = {64}}, ints(f.out)), "") << schedule;
        EXPECT_EQ(ints(f.out)[40], 370);
        EXPECT_EQ(ints(f.out)[64 + 30], 310);
        EXPECT_EQ(ints(f.out)[64 + 63], 320);
        EXPECT_EQ(ints(f.out)[128 + 2], 20);
        EXPECT_EQ(ints(f.out)[128 + 3], 0);
        EXPECT_EQ(ints(f.out)[128 + 36], 330);
    }
}

__global__ void votes(unsigned* out)
{
    wait_for_previous_kernel();
    const unsigned t = threadIdx.x, lane = t % 32;
    if (lane == 31) return; // votes do without it
    const unsigned mask = lane < 8 ? 0xffu : 0xffffff00u;
    unsigned* mine = out + 16 * t;
    mine[0] = __ballot_sync(mask, t % 3 == 0 ? -7 : 0);
    mine[1] = unsigned(__any_sync(mask, lane == 20));
    mine[2] = unsigned(__all_sync(mask, lane < 8));
    mine[3] = __reduce_add_sync(mask, lane);
    mine[4] = __reduce_min_sync(mask, lane + 1);
    mine[5] = __reduce_max_sync(mask, lane);
    mine[6] = unsigned(__reduce_add_sync(mask, -int(lane)));
    mine[7] = unsigned(__reduce_min_sync(mask, -int(lane)));
    mine[8] = unsigned(__reduce_max_sync(mask, -int(lane)));
    mine[9] = __reduce_and_sync(mask, lane | 64);
    mine[10] = __reduce_or_sync(mask, lane);
    mine[11] = __reduce_xor_sync(mask, 1u << lane);
}

TEST(Collectives, votes_and_sums_of_the_lanes_of_a_mask)
{
    for (const std::string schedule : kSchedules) {
        Fixture f(schedule);
        const unsigned* out = unsigneds(f.out);
        EXPECT_EQ(f.error_of(votes, {.threads = {32}}, unsigneds(f.out)), "") << schedule;
        const unsigned low[] = {0x49, 0, 1, 28, 1, 7, unsigned(-28), unsigned(-7), 0, 64, 7, 0xff};
        const unsigned high[] = {0x49249200u,  1,  0,  437,        9, 30, unsigned(-437), unsigned(-30),
                                 unsigned(-8), 64, 31, 0x7fffff00u};
        for (int i = 0; i < 12; ++i) {
            EXPECT_EQ(out[16 * 3 + i], low[i]) << i;
            EXPECT_EQ(out[16 * 30 + i], high[i]) << i;
        }
    }
}

__global__ void counts(unsigned* out, int* signed_out, unsigned long long* wide)
{
    wait_for_previous_kernel();
    using Counter = unsigned;
    SHARED(Counter, in_block);
    if (threadIdx.x == 0) in_block = 0;
    __syncthreads();
    atomicAdd(&in_block, 2);
    __syncthreads();
    const unsigned i = unsigned(global_thread());
    if (threadIdx.x == 0) out[10 + blockIdx.x] = in_block;
    atomicAdd(out, 1);
    atomicMin(out + 1, i + 5);
    atomicMax(out + 2, i);
    atomicAnd(out + 3, ~(1u << i % 32));
    atomicOr(out + 4, 1u << i % 32);
    atomicMin(signed_out, -int(i));
    atomicMax(signed_out + 1, -int(i));
    atomicAdd(signed_out + 2, -1);
    atomicAdd(wide, 1ull << 32);
    if (i == 3) {
        out[5] = atomicExch(out + 6, 77);
        out[7] = atomicCAS(out + 8, 1, 5);
        out[9] = atomicCAS(out + 8, 2, 6);
    }
}

TEST(Collectives, atomics_count_every_thread)
{
    for (const std::string schedule : kSchedules) {
        Fixture f(schedule);
        unsigned* out = unsigneds(f.out);
        const unsigned before[] = {0, 100, 0, ~0u, 0, 0, 9, 0, 2, 0, 0, 0, 0};
        for (std::size_t i = 0; i < std::size(before); ++i) f.set(out + i, before[i]);
        int* signed_out = ints(f.out) + 20;
        for (int i = 0; i < 3; ++i) f.set(signed_out + i, -5);
        auto* wide = reinterpret_cast<unsigned long long*>(f.out + 32);
        f.set(wide, 1);
        EXPECT_EQ(f.error_of(counts, {.blocks = {3}, .threads = {8}}, out, signed_out, wide), "") << schedule;
        const unsigned after[] = {24, 5, 23, 0xff000000u, 0xffffffu, 9, 77, 2, 6, 2, 16, 16, 16};
        for (int i = 0; i < 13; ++i) EXPECT_EQ(out[i], after[i]) << schedule << " " << i;
        EXPECT_EQ(signed_out[0], -23);
        EXPECT_EQ(signed_out[1], 0);
        EXPECT_EQ(signed_out[2], -29);
        EXPECT_EQ(*wide, (24ull << 32) + 1);
    }
}

__global__ void last_block(const float* in, float* partial, unsigned* done, float* out)
{
    wait_for_previous_kernel();
    using Flag = bool;
    SHARED(Flag, last);
    const float sum = block_sum(in[global_thread()]);
    if (threadIdx.x == 0) {
        partial[blockIdx.x] = sum;
        __threadfence();
        last = atomicAdd(done, 1) == gridDim.x - 1;
        __threadfence();
    }
    __syncthreads();
    if (!last || threadIdx.x != 0) return;
    float total = 0;
    for (unsigned b = 0; b < gridDim.x; ++b) total += partial[b];
    *out = total;
}

TEST(Collectives, the_last_block_sees_what_all_have_done)
{
    for (const std::string schedule : kSchedules) {
        Fixture f(schedule);
        unsigned* done = unsigneds(f.out) + 100;
        f.set(done, 0);
        EXPECT_EQ(f.error_of(last_block, {.blocks = {5}, .threads = {64}}, f.in, f.out, done, f.out + 50), "");
        EXPECT_EQ(f.out[50], 319 * 320 / 2) << schedule;
    }
}

TEST(Collectives, functions_on_bits)
{
    EXPECT_EQ(__popc(0), 0);
    EXPECT_EQ(__popc(0xf0000001u), 5);
    EXPECT_EQ(__clz(0), 32);
    EXPECT_EQ(__clz(1), 31);
    EXPECT_EQ(__clz(-1), 0);
    EXPECT_EQ(__ffs(0), 0);
    EXPECT_EQ(__ffs(1), 1);
    EXPECT_EQ(__ffs(int(0x80000000u)), 32);
    EXPECT_EQ(__float_as_uint(-2.0f), 0xc0000000u);
    EXPECT_EQ(__float_as_int(1.0f), 0x3f800000);
    EXPECT_EQ(__uint_as_float(0x40400000u), 3.0f);
    EXPECT_EQ(__int_as_float(0x40400000), 3.0f);
}

TEST(Collectives, vectors_are_as_large_and_aligned_as_on_the_gpu)
{
    static_assert(sizeof(float4) == 16 && alignof(float4) == 16 && sizeof(uint2) == 8 && alignof(uint2) == 8);
    const float4 f = make_float4(1, 2, 3, 4);
    const uint4 u = make_uint4(1, 2, 3, 4);
    const int4 i = make_int4(-1, -2, -3, -4);
    EXPECT_EQ(f.x + 10 * f.y + 100 * f.z + 1000 * f.w, 4321);
    EXPECT_EQ(u.x + 10 * u.y + 100 * u.z + 1000 * u.w, 4321u);
    EXPECT_EQ(i.x + 10 * i.y + 100 * i.z + 1000 * i.w, -4321);
    EXPECT_EQ(make_float2(1, 2).y + float(make_int2(3, 4).y) + float(make_uint2(5, 6).y), 12);
}

} // namespace

} // namespace bifrons::kernels::sim
