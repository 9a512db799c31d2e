// The simulator: what a right kernel computes under each schedule, and what it says about wrong ones.
#include "tests/support/numerics.h"
#include "tests/support/sim_fixture.h"
#include "tests/support/thread_limit.h"

#include <algorithm>
#include <system_error>

namespace bifrons::kernels::sim {

namespace {

using test::kAddressSanitizer, test::kSchedules, test::says;
using Fixture = test::SimFixture;

// ---- right kernels ----

__global__ void reverse_in_block(const float* in, float* out)
{
    wait_for_previous_kernel();
    using Tile = float[128];
    Tile& tile = dyn_shared<Tile>();
    const int i = int(threadIdx.x), last = int(blockDim.x) - 1;
    tile[i] = in[global_thread()];
    __syncthreads();
    out[global_thread()] = tile[last - i];
}

TEST(Sim, threads_exchange_by_shared_memory)
{
    for (const std::string schedule : kSchedules) {
        Fixture f(schedule);
        EXPECT_EQ(f.error_of(reverse_in_block, {.blocks = {3}, .threads = {128}, .smem = 512}, f.in, f.out), "");
        for (int i : {0, 1, 127, 128, 383}) EXPECT_EQ(f.out[i], float(i / 128 * 128 + 127 - i % 128)) << schedule;
    }
}

__global__ void sum_of_block(const float* in, float* out)
{
    wait_for_previous_kernel();
    const float sum = block_sum(in[global_thread()]), twice = block_sum(2 * in[global_thread()]);
    out[global_thread()] = twice - sum;
}

TEST(Sim, block_sum_is_exact_for_whole_numbers_in_every_thread)
{
    for (const std::string schedule : kSchedules) {
        Fixture f(schedule);
        EXPECT_EQ(f.error_of(sum_of_block, {.blocks = {2}, .threads = {96}}, f.in, f.out), "");
        for (int i : {0, 50, 95}) EXPECT_EQ(f.out[i], 95 * 96 / 2) << schedule;
        for (int i : {96, 191}) EXPECT_EQ(f.out[i], 95 * 96 / 2 + 96 * 96) << schedule;
    }
}

struct Weighted {
    const float* x;
    double operator()(std::int64_t i) const { return double(x[i]) * double(i); }
};

struct StoreFloat {
    float* out;
    void operator()(double sum) const { *out = float(sum); }
};

TEST(Sim, grid_sum_adds_every_element_once)
{
    const std::size_t n = 4001;
    for (const std::string schedule : kSchedules) {
        Fixture f(schedule);
        Exec ex{f.exec()};
        const std::size_t bytes = grid_sum_workspace(f.device.target());
        ex.workspace = {f.device.allocate(bytes), bytes};
        grid_sum("kernel", ex, n, Weighted{f.in}, StoreFloat{f.out});
        EXPECT_EQ(f.out[0], float(double(n - 1) * n * (2 * n - 1) / 6)) << schedule;
        f.device.free(ex.workspace.data);
    }
}

__global__ void ended_lanes(float* out)
{
    wait_for_previous_kernel();
    const int i = int(threadIdx.x);
    if (i >= 40) return; // barriers and warps do without threads that have ended
    __syncthreads();
    __syncwarp();
    out[i] = __shfl_xor_sync(kWholeWarp, float(i), 4);
}

TEST(Sim, nobody_waits_for_threads_that_have_ended)
{
    for (const std::string schedule : kSchedules) {
        Fixture f(schedule);
        EXPECT_EQ(f.error_of(ended_lanes, {.threads = {70}}, f.out), "") << schedule;
        EXPECT_EQ(f.out[5], 1) << schedule;
        EXPECT_EQ(f.out[39], 35) << schedule;
    }
}

__global__ void shift_down(float* out)
{
    wait_for_previous_kernel();
    out[threadIdx.x] = __shfl_down_sync(kWholeWarp, float(threadIdx.x), 3);
}

TEST(Sim, shuffle_down_keeps_its_own_value_at_the_end_of_a_warp)
{
    for (const std::string schedule : kSchedules) {
        Fixture f(schedule);
        EXPECT_EQ(f.error_of(shift_down, {.threads = {64}}, f.out), "") << schedule;
        EXPECT_EQ(f.out[28], 31) << schedule;
        EXPECT_EQ(f.out[29], 29) << schedule;
        EXPECT_EQ(f.out[32], 35) << schedule;
    }
}

__global__ void divergent_barrier()
{
    wait_for_previous_kernel();
    if (threadIdx.x < 32)
        __syncthreads();
    else
        __syncthreads();
}

/// Its number in each element of a block; waits for others in between.
__global__ void record_block(float* out)
{
    wait_for_previous_kernel();
    __syncthreads();
    out[global_thread()] = block_sum(float(blockIdx.x)) / float(blockDim.x);
}

__global__ void record_position(float* out)
{
    wait_for_previous_kernel();
    const unsigned thread = threadIdx.x + blockDim.x * (threadIdx.y + blockDim.y * threadIdx.z);
    const unsigned block = blockIdx.x + gridDim.x * (blockIdx.y + gridDim.y * blockIdx.z);
    out[block * 24 + thread] = float(100 * threadIdx.z + 10 * threadIdx.y + threadIdx.x);
}

TEST(Sim, three_dimensional_grids)
{
    Fixture f("random");
    EXPECT_EQ(f.error_of(record_position, {.blocks = {2, 2, 3}, .threads = {2, 3, 4}}, f.out), "");
    EXPECT_EQ(f.out[23], 321);
    EXPECT_EQ(f.out[11 * 24 + 9], 111);
    EXPECT_TRUE(std::isnan(f.out[12 * 24]));
}

TEST(Sim, workers_share_the_blocks)
{
    SimDevice device(Schedule::parse("random:1"), 3);
    constexpr int kBlocks = 8, kThreads = 64;
    auto* const out = static_cast<float*>(device.allocate(kBlocks * kThreads * sizeof(float)));
    launch("kernel", record_block, {.blocks = {kBlocks}, .threads = {kThreads}}, {.device = &device}, out);
    for (int i = 0; i < kBlocks * kThreads; ++i) EXPECT_EQ(out[i], float(i / kThreads));
    EXPECT_THROW(launch("kernel", divergent_barrier, {.blocks = {4}, .threads = {64}}, {.device = &device}), Error);
    const auto launch_two = [&] {
        launch("kernel", record_block, {.blocks = {2}, .threads = {kThreads}}, {.device = &device}, out);
    };
    if (!kCheckedKernels) { // which one worker runs
        const test::ThreadLimit limit(1);
        launch_two();
        EXPECT_THROW(launch_two(), std::system_error);
    }
    launch_two();
    device.free(out);
}

TEST(Sim, a_recorded_launch_runs_when_it_is_replayed)
{
    Fixture f("forward");
    f.device.begin_recording({});
    launch("kernel", reverse_in_block, {.threads = {128}, .smem = 512}, f.exec(), f.in, f.out);
    const auto recording = f.device.end_recording({});
    EXPECT_TRUE(std::isnan(f.out[0]));
    f.device.replay({}, *recording);
    EXPECT_EQ(f.out[0], 127);
}

// ---- wrong kernels ----

__global__ void reads_before_writing(float* out)
{
    wait_for_previous_kernel();
    using Values = float[4];
    SHARED(Values, values);
    out[global_thread()] = values[threadIdx.x];
    values[threadIdx.x] = 1;
}

TEST(Sim, unwritten_shared_memory_is_nan_in_every_block)
{
    BIFRONS_SKIP_WHERE_CHECKED();
    Fixture f("forward");
    std::fill_n(f.out, 8, 0.0f);
    EXPECT_EQ(f.error_of(reads_before_writing, {.blocks = {2}, .threads = {4}}, f.out), "");
    for (int i = 0; i < 8; ++i) EXPECT_TRUE(std::isnan(f.out[i]));
}

TEST(Sim, names_threads_and_lines_of_a_divergent_barrier)
{
    for (const std::string schedule : kSchedules) {
        const std::string text = Fixture(schedule).error_of(divergent_barrier, {.blocks = {2}, .threads = {64}});
        EXPECT_TRUE(says(text, {"kernel: block (", "not the barrier of the others", "sim_test.cpp:", "__syncthreads"}))
            << schedule;
    }
    EXPECT_TRUE(says(Fixture("forward").error_of(divergent_barrier, {.threads = {64}}), {"thread 32", " 0-31"}));
}

__global__ void half_a_warp_shuffles(float* out)
{
    wait_for_previous_kernel();
    if (threadIdx.x % 32 < 16) out[threadIdx.x] = __shfl_xor_sync(kWholeWarp, 1.0f, 1);
    __syncthreads();
}

TEST(Sim, reports_who_waits_where_in_a_deadlock)
{
    for (const std::string schedule : kSchedules) {
        Fixture f(schedule);
        const std::string text = f.error_of(half_a_warp_shuffles, {.threads = {64}}, f.out);
        EXPECT_TRUE(says(text, {"wait for each other", "32 threads in __shfl_xor_sync at ", ": 0-15 32-47",
                                "32 threads in __syncthreads at ", ": 16-31 48-63"}))
            << schedule;
    }
}

__global__ void shuffle_with_missing_lanes(float* out)
{
    wait_for_previous_kernel();
    out[threadIdx.x] = __shfl_xor_sync(kWholeWarp, 1.0f, 16);
}

__global__ void shuffle_outside_its_mask(float* out)
{
    wait_for_previous_kernel();
    out[threadIdx.x] = __shfl_xor_sync(0xffffu, 1.0f, 1);
}

__global__ void shuffles_of_two_kinds(float* out)
{
    wait_for_previous_kernel();
    if (threadIdx.x < 16)
        out[threadIdx.x] = __shfl_xor_sync(kWholeWarp, 1.0f, 1);
    else
        out[threadIdx.x] = __shfl_down_sync(kWholeWarp, 1.0f, 1);
}

TEST(Sim, reports_shuffles_that_do_not_fit_together)
{
    for (const std::string schedule : kSchedules) {
        Fixture f(schedule);
        EXPECT_TRUE(says(f.error_of(shuffle_with_missing_lanes, {.threads = {16}}, f.out),
                         {"__shfl_xor_sync", "reads from lane", "takes no part"}));
        EXPECT_TRUE(says(f.error_of(shuffle_outside_its_mask, {.threads = {32}}, f.out), {"mask, 0xffff", "own lane"}));
        EXPECT_TRUE(says(f.error_of(shuffles_of_two_kinds, {.threads = {32}}, f.out),
                         {"__shfl_xor_sync", "__shfl_down_sync", "same operation"}));
    }
}

__global__ void writes_at(float* out, int i)
{
    wait_for_previous_kernel();
    out[i] = 1;
}

TEST(Sim, reports_writes_beside_a_buffer)
{
    BIFRONS_SKIP_WHERE_CHECKED();
    if (kAddressSanitizer) GTEST_SKIP() << "see address_sanitizer_names_the_line";
    Fixture f("forward");
    EXPECT_EQ(f.error_of(writes_at, {}, f.out, Fixture::kFloats - 1), "");
    EXPECT_TRUE(says(f.error_of(writes_at, {}, f.out, Fixture::kFloats), {"kernel: byte 16384 of a buffer of 16384"}));
}

TEST(Sim, reports_writes_before_a_buffer)
{
    BIFRONS_SKIP_WHERE_CHECKED();
    if (kAddressSanitizer) GTEST_SKIP() << "see address_sanitizer_names_the_line";
    Fixture f("forward");
    EXPECT_TRUE(says(f.error_of(writes_at, {}, f.out, -1), {"byte -4 of a buffer"}));
}

TEST(Sim, copies_stay_inside_a_buffer)
{
    Fixture f("forward");
    std::vector<float> host(Fixture::kFloats + 1);
    EXPECT_THROW(f.device.copy({}, f.in, host.data(), host.size() * sizeof(float)), Error);
    EXPECT_THROW(f.device.copy({}, host.data(), f.in + 1, (host.size() - 1) * sizeof(float)), Error);
    EXPECT_NO_THROW(f.device.copy({}, host.data(), f.in, (host.size() - 1) * sizeof(float)));
}

__global__ void shared_write_at(int i)
{
    wait_for_previous_kernel();
    using Values = float[33];
    SHARED(Values, values);
    float* data = values;
    data[i] = 1;
}

__global__ void dynamic_of_128_bytes()
{
    wait_for_previous_kernel();
    dyn_shared<float[32]>()[0] = 1;
}

struct TooMuch {
    char bytes[kMaxStaticSharedBytes + 1];
};

__global__ void too_much_shared()
{
    wait_for_previous_kernel();
    SHARED(TooMuch, object);
    object.bytes[0] = 1;
}

TEST(Sim, reports_shared_memory_that_is_not_there)
{
    Fixture f("forward");
    EXPECT_EQ(f.error_of(shared_write_at, {}, 32), "");
    if (!kAddressSanitizer) {
        EXPECT_TRUE(says(f.error_of(shared_write_at, {}, 33),
                         {"SHARED object of 132 bytes", kCheckedKernels ? "that is outside" : "beyond its end"}));
    }
    EXPECT_EQ(f.error_of(dynamic_of_128_bytes, {.smem = 128}), "");
    EXPECT_TRUE(says(f.error_of(dynamic_of_128_bytes, {.smem = 127}), {"dyn_shared of 128 bytes", "gave 127"}));
    EXPECT_TRUE(says(f.error_of(too_much_shared, {}), {"does not fit"}));
    EXPECT_TRUE(says(f.error_of(dynamic_of_128_bytes, {.smem = kMaxSharedBytes + 1}), {"at most"}));
    EXPECT_TRUE(says(f.error_of(dynamic_of_128_bytes, {.threads = {1025}}), {"1025 threads"}));
}

TEST(SimDeathTest, address_sanitizer_names_the_line)
{
    if (!kAddressSanitizer) GTEST_SKIP() << "this build is without";
    EXPECT_DEATH(Fixture("forward").error_of(shared_write_at, {}, 33), "use-after-poison");
    for (const int i : {-1, Fixture::kFloats})
        EXPECT_DEATH(
            {
                Fixture f("forward");
                f.error_of(writes_at, {}, f.out, i);
            },
            "use-after-poison");
}

TEST(Sim, goes_on_after_a_kernel_that_failed)
{
    for (const std::string schedule : kSchedules) {
        Fixture f(schedule);
        EXPECT_NE(f.error_of(divergent_barrier, {.threads = {64}}), "");
        EXPECT_NE(f.error_of(half_a_warp_shuffles, {.threads = {64}}, f.out), "");
        EXPECT_EQ(f.error_of(reverse_in_block, {.blocks = {2}, .threads = {128}, .smem = 512}, f.in, f.out), "");
        EXPECT_EQ(f.out[200], 183) << schedule;
    }
}

TEST(Sim, schedules_by_name)
{
    for (const std::string text : {"forward", "reverse", "random:0", "random:4294967295", "warps:3", "forward:early",
                                   "reverse:random", "random:7:late"})
        EXPECT_EQ(Schedule::parse(text).text(), text);
    EXPECT_EQ(Schedule::parse("random").text(), "random:0");
    EXPECT_EQ(Schedule::parse("warps:late").text(), "warps:0:late");
    EXPECT_EQ(Schedule::parse("forward:late").text(), "forward");
    EXPECT_EQ(Schedule::parse("reverse:early").text(), "reverse");
    EXPECT_EQ(Schedule::parse("warps:3:random").text(), "warps:3");
    for (const std::string text :
         {"", "backward", "random:", "random:-1", "random:1x", "random:4294967296", "warp", "forward:1",
          "warps:", "forward:latest", "random:late:7", "forward:late:early", "late"})
        EXPECT_THROW(Schedule::parse(text), Error) << text;
}

__global__ void order_of_threads(float* out)
{
    wait_for_previous_kernel();
    out[0] = out[0] * 10 + float(threadIdx.x);
}

TEST(Sim, schedules_differ_and_repeat)
{
    BIFRONS_SKIP_WHERE_CHECKED();
    const auto order = [](const std::string& schedule) {
        Fixture f(schedule);
        f.out[0] = 0;
        EXPECT_EQ(f.error_of(order_of_threads, {.threads = {5}}, f.out), "");
        return f.out[0];
    };
    EXPECT_EQ(order("forward"), 1234);
    EXPECT_EQ(order("reverse"), 43210);
    EXPECT_EQ(order("random:1"), order("random:1"));
    EXPECT_NE(order("random:1"), order("random:2"));
}

__global__ void forgets_a_barrier(float* out)
{
    wait_for_previous_kernel();
    using Values = float[2];
    SHARED(Values, values);
    for (int round = 0; round < 2; ++round) {
        __syncwarp();
        if (threadIdx.x % 32 == 0) values[threadIdx.x / 32] = float(round); // the other warp may still be reading
        __syncthreads();
        out[threadIdx.x + 64 * round] = values[0] + values[1];
    }
}

TEST(Sim, a_warp_that_runs_ahead_shows_a_missing_barrier)
{
    BIFRONS_SKIP_WHERE_CHECKED();
    const auto first_round = [](const std::string& schedule) {
        Fixture f(schedule);
        EXPECT_EQ(f.error_of(forgets_a_barrier, {.threads = {64}}, f.out), "");
        EXPECT_EQ(f.out[64], 2);
        return f.out[0] + f.out[32];
    };
    EXPECT_EQ(first_round("forward"), 0) << "hidden: every thread reads before any continues";
    EXPECT_EQ(first_round("warps"), 1);
}

} // namespace

} // namespace bifrons::kernels::sim
