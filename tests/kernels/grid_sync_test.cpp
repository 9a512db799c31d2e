// Blocks that wait for each other, and kernels that overlap, on the simulator.
#include "kernels/ptx/grid_sync.h"
#include "tests/support/sim_fixture.h"

namespace bifrons::kernels::sim {

namespace {

using test::kAsyncSchedules, test::says;
using Fixture = test::SimFixture;

unsigned* counter_of(Fixture& f)
{
    auto* counter = reinterpret_cast<unsigned*>(f.out + Fixture::kFloats - 1);
    f.set(counter, 0);
    return counter;
}

/// Each round every thread takes over its neighbour's value, in the next block too.
__global__ void rotate(const float* in, float* a, float* b, int rounds, unsigned* counter, bool waits)
{
    wait_for_previous_kernel();
    using Own = float[32];
    SHARED(Own, own); // each block has its own
    const std::int64_t i = global_thread(), n = std::int64_t(gridDim.x) * blockDim.x;
    own[threadIdx.x] = in[i];
    a[i] = own[threadIdx.x];
    for (int round = 0; round < rounds; ++round) {
        if (waits) grid_sync(counter);
        b[i] = a[(i + 1) % n];
        std::swap(a, b);
    }
    __syncthreads();
    if (own[threadIdx.x] != in[i]) a[i] = NAN;
}

TEST(GridSync, all_blocks_meet)
{
    for (const std::string schedule : kAsyncSchedules) {
        Fixture f(schedule);
        unsigned* const counter = counter_of(f);
        const Grid grid = {.blocks = {5}, .threads = {24}, .cooperative = true};
        for (int launch = 0; launch < 3; ++launch) { // the counter needs no reset
            EXPECT_EQ(f.error_of(rotate, grid, f.in, f.out, f.out + 120, 7, counter, true), "") << schedule;
            for (int i = 0; i < 120; ++i) EXPECT_EQ(f.out[120 + i], float((i + 7) % 120)) << schedule;
        }
    }
}

TEST(GridSync, a_missing_grid_barrier_shows)
{
    BIFRONS_SKIP_WHERE_CHECKED();
    for (const std::string schedule : {"forward", "reverse", "random:1", "warps:1"}) {
        Fixture f(schedule);
        const Grid grid = {.blocks = {5}, .threads = {24}, .cooperative = true};
        EXPECT_EQ(f.error_of(rotate, grid, f.in, f.out, f.out + 120, 7, counter_of(f), false), "");
        int wrong = 0;
        for (int i = 0; i < 120; ++i) wrong += !(f.out[120 + i] == float((i + 7) % 120));
        EXPECT_GT(wrong, 0) << schedule;
    }
}

TEST(GridSync, needs_a_cooperative_launch_that_fits)
{
    Fixture f("forward");
    EXPECT_TRUE(says(f.error_of(rotate, {.blocks = {2}, .threads = {24}}, f.in, f.out, f.out, 1, counter_of(f), true),
                     {"grid_sync", "not cooperative"}));
    const Grid large = {.blocks = {kResidentBlocks + 1}, .threads = {24}, .cooperative = true};
    EXPECT_TRUE(says(f.error_of(rotate, large, f.in, f.out, f.out, 1, counter_of(f), true),
                     {"launched with 7 blocks that are to run at once", "at most resident_blocks() = 6"}));
    EXPECT_EQ(resident_blocks(rotate, 24, 0, f.exec()), kResidentBlocks);
}

__global__ void one_block_stays_away(unsigned* counter)
{
    wait_for_previous_kernel();
    if (blockIdx.x != 1) grid_sync(counter);
}

TEST(GridSync, reports_who_waits_in_which_block)
{
    for (const std::string schedule : kAsyncSchedules) {
        Fixture f(schedule);
        const Grid grid = {.blocks = {3}, .threads = {32}, .cooperative = true};
        EXPECT_TRUE(
            says(f.error_of(one_block_stays_away, grid, counter_of(f)),
                 {"wait for each other", "1 thread in spin_wait at ", "the value is 2147483647) in block (0,0,0): 0",
                  "31 threads in __syncthreads at ", "in block (2,0,0): 1-31"}))
            << schedule;
    }
}

__global__ void wait_for_a_value(unsigned* value, float* out)
{
    wait_for_previous_kernel();
    if (threadIdx.x == 40) {
        *out = 5;
        __threadfence();
        atomicExch(value, 3);
    }
    if (threadIdx.x == 0) {
        spin_wait(value, [](unsigned now) { return now >= 3; });
        out[1] = *out;
    }
}

TEST(GridSync, spin_wait_lets_others_run)
{
    for (const std::string schedule : kAsyncSchedules) {
        Fixture f(schedule);
        EXPECT_EQ(f.error_of(wait_for_a_value, {.threads = {64}}, counter_of(f), f.out), "") << schedule;
        EXPECT_EQ(f.out[1], 5);
    }
}

enum class Waits { all, in_first_block, none };

__global__ void add_after_the_kernel_before(float* x, Waits who)
{
    if (who == Waits::all || (who == Waits::in_first_block && blockIdx.x == 0)) wait_for_previous_kernel();
    if (who == Waits::all) x[global_thread()] += 1;
}

TEST(GridSync, each_thread_waits_for_the_kernel_before)
{
    Fixture f("forward");
    const Grid grid = {.blocks = {2}, .threads = {32}};
    EXPECT_EQ(f.error_of(add_after_the_kernel_before, grid, f.in, Waits::all), "");
    EXPECT_EQ(f.in[3], 4);
    EXPECT_TRUE(says(f.error_of(add_after_the_kernel_before, grid, f.in, Waits::in_first_block),
                     {"kernel: block (1,0,0)", "thread 0 ends without wait_for_previous_kernel()"}));
    EXPECT_TRUE(says(f.error_of(add_after_the_kernel_before, grid, f.in, Waits::none),
                     {"kernel: block (0,0,0)", "thread 0 ends without wait_for_previous_kernel()"}));
}

TEST(GridSync, clusters_divide_the_grid)
{
    Fixture f("forward");
    EXPECT_EQ(f.error_of(add_after_the_kernel_before, {.blocks = {4}, .cluster = 2}, f.in, Waits::all), "");
    EXPECT_TRUE(says(f.error_of(add_after_the_kernel_before, {.blocks = {3}, .cluster = 2}, f.in, Waits::all),
                     {"3 blocks along x in clusters of 2"}));
}

} // namespace

} // namespace bifrons::kernels::sim
