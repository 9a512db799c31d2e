// The simulator's checker: planted mistakes are named with kernel, threads and lines under every schedule, and their
// right twins pass.
#include "kernels/ptx/cp_async.h"
#include "tests/support/sim_fixture.h"

namespace bifrons::kernels::sim {

namespace {

using test::kSchedules, test::says;
using Fixture = test::SimFixture;

// The two lines of a kernel that do not go together: they stand before the statement, on its line.
volatile int first_line, second_line; // also for a thread that is stopped in a loop
#define FIRST first_line = __LINE__,
#define SECOND second_line = __LINE__,

std::string line(int number)
{
    return str("tests/kernels/sim_check_test.cpp:", number);
}

/// The kernel is stopped under every schedule, with these words.
template <class... Parameters, class... Arguments>
void expect_caught(void (*kernel)(Parameters...), const Grid& grid, const std::vector<std::string>& words,
                   const Arguments&... arguments)
{
    for (const std::string schedule : kSchedules) {
        Fixture f(schedule);
        first_line = 0;
        second_line = 0;
        const std::string text = f.error_of(kernel, grid, f.in, f.out, arguments...);
        EXPECT_TRUE(says(text, {"kernel: block (", "thread"})) << schedule;
        EXPECT_TRUE(says(text, words)) << schedule;
        for (const int number : {first_line, second_line})
            EXPECT_TRUE(number == 0 || says(text, {line(number)})) << schedule << ": " << text;
    }
}

template <class... Parameters, class... Arguments>
void expect_passes(void (*kernel)(Parameters...), const Grid& grid, const Arguments&... arguments)
{
    for (const std::string schedule : kSchedules) {
        Fixture f(schedule);
        EXPECT_EQ(f.error_of(kernel, grid, f.in, f.out, arguments...), "") << schedule;
    }
}

// ---- kernels ----

__global__ void reads_early(const float* in, float* out, bool early)
{
    const unsigned i = threadIdx.x;
    float x = 0;
    FIRST x = early ? in[i] : 0;
    wait_for_previous_kernel();
    out[i] = early ? x : in[i];
}

__global__ void writes_early(const float* in, float* out, bool early)
{
    const unsigned i = threadIdx.x;
    if (!early) wait_for_previous_kernel();
    FIRST out[i] = float(i);
    if (early) wait_for_previous_kernel();
    out[i] += in[i];
}

TEST(SimCheck, access_before_the_kernel_before_has_ended)
{
    const std::string why = ", before wait_for_previous_kernel(): the kernel before may still be running";
    expect_caught(reads_early, {.threads = {64}}, {"reads 4 bytes", "of a buffer of 16384 bytes", why}, true);
    expect_passes(reads_early, {.threads = {64}}, false);
    expect_caught(writes_early, {.threads = {64}}, {"writes 4 bytes", "of a buffer of 16384 bytes", why}, true);
    expect_passes(writes_early, {.threads = {64}}, false);
}

using OneCopy = float[32][4];

__global__ void copies_early(const float* in, float* out, bool early)
{
    SHARED(OneCopy, values);
    if (!early) wait_for_previous_kernel();
    FIRST cp_async<16>(values[threadIdx.x], in + 4 * threadIdx.x, true);
    if (early) wait_for_previous_kernel();
    cp_async_commit();
    cp_async_wait<0>();
    out[threadIdx.x] = values[threadIdx.x][0];
}

TEST(SimCheck, copy_before_the_kernel_before_has_ended)
{
    expect_caught(copies_early, {.threads = {32}}, {"reads 16 bytes", "before wait_for_previous_kernel()"}, true);
    expect_passes(copies_early, {.threads = {32}}, false);
}

// ---- threads of a block ----

using Values = float[256];

__global__ void neighbours(const float* in, float* out, bool with_barrier)
{
    wait_for_previous_kernel();
    SHARED(Values, values);
    const unsigned i = threadIdx.x;
    FIRST values[i] = in[i];
    if (with_barrier) __syncthreads();
    SECOND out[i] = values[(i + 40) % blockDim.x];
}

TEST(SimCheck, missing_barrier)
{
    expect_caught(neighbours, {.threads = {128}}, {"no barrier orders the two", "of a SHARED object of 1024 bytes"},
                  false);
    expect_passes(neighbours, {.threads = {128}}, true);
}

__global__ void next_round(const float* in, float* out, bool with_barrier)
{
    wait_for_previous_kernel();
    SHARED(Values, values);
    const unsigned i = threadIdx.x;
    for (int round = 0; round < 3; ++round) {
        FIRST values[i] = in[i] + float(round);
        __syncthreads();
        SECOND out[i] += values[(i + 40) % blockDim.x];
        if (with_barrier) __syncthreads();
    }
}

__global__ void next_round_of_zeros(const float* in, float* out, bool with_barrier)
{
    wait_for_previous_kernel();
    out[threadIdx.x] = 0;
    next_round(in, out, with_barrier);
}

TEST(SimCheck, stage_that_is_overwritten_early)
{
    expect_caught(next_round_of_zeros, {.threads = {128}}, {"has ", "no barrier orders the two"}, false);
    expect_passes(next_round_of_zeros, {.threads = {128}}, true);
}

__global__ void lanes(const float* in, float* out, bool with_sync)
{
    wait_for_previous_kernel();
    SHARED(Values, values);
    const unsigned i = threadIdx.x;
    FIRST values[i] = in[i];
    __shfl_xor_sync(kWholeWarp, in[i], 1); // waits for all lanes, and orders nothing
    if (with_sync) __syncwarp();
    SECOND out[i] = values[i ^ 5];
}

TEST(SimCheck, missing_warp_sync)
{
    expect_caught(lanes, {.threads = {64}}, {"no barrier orders the two"}, false);
    expect_passes(lanes, {.threads = {64}}, true);
}

__global__ void lanes_of_two_warps(const float* in, float* out)
{
    wait_for_previous_kernel();
    SHARED(Values, values);
    const unsigned i = threadIdx.x;
    FIRST values[i] = in[i];
    __syncwarp(); // which is not enough here
    SECOND out[i] = values[i ^ 32];
}

TEST(SimCheck, warp_sync_orders_one_warp)
{
    expect_caught(lanes_of_two_warps, {.threads = {64}}, {"no barrier orders the two"});
}

__global__ void bytes_side_by_side(const float*, float* out, unsigned stride)
{
    wait_for_previous_kernel();
    FIRST reinterpret_cast<std::uint8_t*>(out)[threadIdx.x / stride] = 1;
}

TEST(SimCheck, every_byte_has_its_own_writer)
{
    expect_passes(bytes_side_by_side, {.threads = {64}}, 1u);
    expect_caught(bytes_side_by_side, {.threads = {64}}, {"has written there", "writes 1 bytes"}, 2u);
}

// ---- asynchronous copies ----

constexpr int kStages = 3, kSteps = 8, kThreads = 64;
using Stages = float[kStages][4 * kThreads];

/// Sums tiles that are copied ahead of their use. `groups_left` = kStages - 2 and `ahead` = kStages - 1 are right.
template <int GroupsLeft, int Ahead>
__global__ void pipeline(const float* in, float* out)
{
    wait_for_previous_kernel();
    SHARED(Stages, stages);
    const unsigned t = threadIdx.x;
    const auto begin = [&](int step) {
        if (step < kSteps) FIRST cp_async<16>(&stages[step % kStages][4 * t], in + 4 * kThreads * step + 4 * t, true);
        cp_async_commit();
    };
    for (int step = 0; step < Ahead; ++step) begin(step);
    float sum = 0;
    for (int step = 0; step < kSteps; ++step) {
        cp_async_wait<GroupsLeft>();
        __syncthreads();
        SECOND sum += stages[step % kStages][4 * kThreads - 1 - t];
        begin(step + Ahead);
    }
    cp_async_wait<0>();
    out[t] = sum;
}

TEST(SimCheck, missing_wait_for_a_copy)
{
    expect_caught(pipeline<2, 2>, {.threads = {kThreads}},
                  {"has begun an asynchronous copy", "no thread has waited for it"});
    expect_passes(pipeline<1, 2>, {.threads = {kThreads}});
}

TEST(SimCheck, stage_released_early)
{
    expect_caught(pipeline<2, 3>, {.threads = {kThreads}}, {" cop"});
}

// ---- bounds, and uninitialised memory ----

__global__ void shared_at(const float*, float* out, int i, bool writes)
{
    wait_for_previous_kernel();
    SHARED(Values, values);
    float* const data = values;
    data[threadIdx.x] = 1;
    __syncthreads();
    if (threadIdx.x == 0 && writes) FIRST data[i] = 1;
    if (threadIdx.x == 0 && !writes) FIRST out[0] = data[i];
}

TEST(SimCheck, outside_of_shared_memory)
{
    for (const bool writes : {false, true}) {
        expect_caught(shared_at, {.threads = {256}},
                      {writes ? "thread 0 writes" : "thread 0 reads", "offset 1024 of a SHARED object of 1024 bytes",
                       "that is outside"},
                      256, writes);
        expect_passes(shared_at, {.threads = {256}}, 255, writes);
    }
}

TEST(SimCheck, shared_memory_that_nobody_has_written)
{
    expect_caught(shared_at, {.threads = {64}}, {"thread 0 reads", "offset 256 of ", "nothing has been written there"},
                  64, false);
}

__global__ void global_at(const float* in, float* out, int i, bool writes)
{
    wait_for_previous_kernel();
    if (writes)
        FIRST out[i] = 1;
    else
        FIRST out[0] = in[i];
}

TEST(SimCheck, outside_of_global_memory)
{
    for (const int i : {-1, Fixture::kFloats, Fixture::kFloats + 60})
        for (const bool writes : {false, true})
            expect_caught(global_at, {},
                          {writes ? "thread 0 writes" : "thread 0 reads", str("byte ", 4 * i, " of a buffer of 16384"),
                           "that is outside"},
                          i, writes);
    expect_passes(global_at, {}, Fixture::kFloats - 1, true);
}

__global__ void copies_an_element(const float* from, float* to)
{
    wait_for_previous_kernel();
    *to = *from;
}

TEST(SimCheck, global_memory_that_nobody_has_written)
{
    Fixture f("forward");
    const std::string text = f.error_of(copies_an_element, {}, f.out + 7, f.in);
    EXPECT_TRUE(says(text, {"thread 0 reads 4 bytes", "byte 28 of a buffer", "nothing has been written there"}));
    f.device.copy({}, f.in, f.out, 64);
    EXPECT_TRUE(
        says(f.error_of(copies_an_element, {}, f.in + 7, f.out), {"byte 28 of", "nothing has been written there"}))
        << "a copy of such memory is no better";
    f.device.fill({}, f.out, 0, 64);
    EXPECT_EQ(f.error_of(copies_an_element, {}, f.out + 7, f.in), "");
}

TEST(SimCheck, memory_that_is_not_the_devices)
{
    Fixture f("forward");
    const auto on_host = std::make_unique<float>(1.0f);
    EXPECT_TRUE(says(f.error_of(copies_an_element, {}, on_host.get(), f.out), {"reads", "no buffer of the device"}));
    EXPECT_TRUE(says(f.error_of(copies_an_element, {}, f.in, on_host.get()), {"writes", "no buffer of the device"}));
    EXPECT_TRUE(says(f.error_of(copies_an_element, {}, nullptr, f.out), {"reads", "no buffer of the device"}));
    auto* const freed = static_cast<float*>(f.device.allocate(64));
    f.device.free(freed);
    EXPECT_TRUE(says(f.error_of(copies_an_element, {}, f.in, freed), {"writes", "the buffer has been freed"}));
}

// ---- blocks ----

__global__ void one_place_for_all_blocks(const float* in, float* out, bool in_blocks)
{
    wait_for_previous_kernel();
    if (threadIdx.x == 0) FIRST out[in_blocks ? blockIdx.x : 0] = in[0];
}

__global__ void reads_of_the_next_block(const float*, float* out)
{
    wait_for_previous_kernel();
    if (blockIdx.x == 0)
        FIRST out[threadIdx.x] = 1;
    else
        SECOND out[blockIdx.x * blockDim.x + threadIdx.x] = out[threadIdx.x];
}

TEST(SimCheck, race_between_blocks)
{
    expect_caught(one_place_for_all_blocks, {.blocks = {3}, .threads = {32}},
                  {"has written there", "nothing orders the two blocks", " of block ("}, false);
    expect_passes(one_place_for_all_blocks, {.blocks = {3}, .threads = {32}}, true);
    expect_caught(reads_of_the_next_block, {.blocks = {2}, .threads = {32}}, {"nothing orders the two blocks"});
}

TEST(SimCheck, launches_are_ordered)
{
    Fixture f("forward");
    for (int i = 0; i < 2; ++i)
        EXPECT_EQ(f.error_of(one_place_for_all_blocks, {.blocks = {1}, .threads = {32}}, f.in, f.out, false), "");
}

/// The block that comes last adds what all have stored.
__global__ void last_block_adds(const float* in, float* out, unsigned* count, bool fence_before, bool fence_behind)
{
    wait_for_previous_kernel();
    SHARED(bool, last);
    float* const partial = out + 1;
    if (threadIdx.x < 8) FIRST partial[8 * blockIdx.x + threadIdx.x] = in[threadIdx.x];
    __syncthreads();
    if (threadIdx.x == 0) {
        if (fence_before) __threadfence();
        last = atomicAdd(count, 1u) == gridDim.x - 1;
        if (fence_behind) __threadfence();
    }
    __syncthreads();
    if (!last || threadIdx.x != 33) return;
    float sum = 0;
    for (unsigned i = 0; i < 8 * gridDim.x; ++i) SECOND sum += partial[i];
    out[0] = sum;
}

TEST(SimCheck, fences_and_an_atomic_operation_order_blocks)
{
    const Grid grid{.blocks = {5}, .threads = {64}};
    for (const std::string schedule : kSchedules)
        for (const bool before : {false, true})
            for (const bool behind : {false, true}) {
                Fixture f(schedule);
                auto* const count = static_cast<unsigned*>(f.device.allocate(sizeof(unsigned)));
                f.device.fill({}, count, 0, sizeof(unsigned));
                const std::string text = f.error_of(last_block_adds, grid, f.in, f.out, count, before, behind);
                const bool right = before && behind;
                EXPECT_EQ(text.empty(), right) << schedule << text;
                EXPECT_TRUE(right || says(text, {"thread 33 reads", "nothing orders the two blocks", line(first_line),
                                                 line(second_line)}))
                    << schedule << ": " << text;
                f.device.free(count);
            }
}

// ---- atomic operations, and turns lost in the middle of an update ----

using Counts = unsigned[4];

__global__ void histogram(const float* in, float* out, bool atomically)
{
    wait_for_previous_kernel();
    SHARED(Counts, counts);
    if (threadIdx.x < 4) counts[threadIdx.x] = 0;
    __syncthreads();
    for (unsigned i = threadIdx.x; i < 4096; i += blockDim.x) {
        unsigned& count = counts[unsigned(in[i]) % 4];
        if (atomically)
            atomicAdd(&count, 1u);
        else
            FIRST++ count;
    }
    __syncthreads();
    if (threadIdx.x < 4) out[threadIdx.x] = float(counts[threadIdx.x]);
}

TEST(SimCheck, histogram_without_atomic_operations)
{
    expect_caught(histogram, {.threads = {128}}, {"no barrier orders the two"}, false);
    expect_passes(histogram, {.threads = {128}}, true);
    Fixture f("warps");
    EXPECT_EQ(f.error_of(histogram, {.threads = {128}}, f.in, f.out, true), "");
    for (int i = 0; i < 4; ++i) EXPECT_EQ(f.out[i], 1024);
}

__global__ void reads_a_counter(const float*, float* out)
{
    wait_for_previous_kernel();
    SHARED(unsigned, count);
    if (threadIdx.x == 0) count = 0;
    __syncthreads();
    FIRST atomicAdd(&count, 1u);
    if (threadIdx.x == 40) SECOND out[0] = float(count);
}

TEST(SimCheck, plain_read_beside_atomic_operations)
{
    expect_caught(reads_a_counter, {.threads = {64}}, {"no barrier orders the two"});
}

// ---- barriers ----

__global__ void divergent_barrier(const float*, float*)
{
    wait_for_previous_kernel();
    if (threadIdx.x < 32)
        FIRST __syncthreads();
    else
        SECOND __syncthreads();
}

TEST(SimCheck, divergent_barrier)
{
    expect_caught(divergent_barrier, {.threads = {64}}, {"not the barrier of the others"});
}

__global__ void half_a_warp_shuffles(const float*, float* out)
{
    wait_for_previous_kernel();
    if (threadIdx.x % 32 < 16) FIRST out[threadIdx.x] = __shfl_xor_sync(kWholeWarp, 1.0f, 1);
    SECOND __syncthreads();
}

TEST(SimCheck, deadlock)
{
    expect_caught(half_a_warp_shuffles, {.threads = {64}}, {"wait for each other", ": 0-15 32-47", ": 16-31 48-63"});
}

TEST(SimCheck, goes_on_after_a_kernel_that_was_stopped)
{
    for (const std::string schedule : kSchedules) {
        Fixture f(schedule);
        const Grid grid{.threads = {128}};
        EXPECT_NE(f.error_of(neighbours, grid, f.in, f.out, false), "");
        EXPECT_NE(f.error_of(histogram, grid, f.in, f.out, false), "");
        EXPECT_EQ(f.error_of(neighbours, grid, f.in, f.out, true), "");
        EXPECT_EQ(f.out[100], 12) << schedule;
    }
}

// ---- how accesses suit the memory ----

using Tile = float[32][32];
using PaddedTile = float[32][33];
using Fours = float4[32];

/// Reads a tile's columns.
template <class T>
__global__ void transpose(const float* in, float* out)
{
    wait_for_previous_kernel();
    SHARED(T, tile);
    const unsigned i = threadIdx.x / 32, j = threadIdx.x % 32;
    FIRST tile[i][j] = in[threadIdx.x];
    __syncthreads();
    SECOND out[threadIdx.x] = tile[j][i];
}

__global__ void moves_fours(const float4* in, float* out)
{
    wait_for_previous_kernel();
    SHARED(Fours, fours);
    FIRST fours[threadIdx.x] = in[threadIdx.x];
    SECOND out[2 * threadIdx.x] = fours[threadIdx.x].y;
}

struct Large {
    float value[64];
};
__global__ void moves_a_large_one(const Large* in, float* out)
{
    wait_for_previous_kernel();
    SHARED(Large, large);
    FIRST large = *in;
    SECOND* out = large.value[7];
}

AccessCount count_at(Fixture& f, int number)
{
    return f.device.access_count("kernel", line(number));
}

TEST(SimCheck, bank_conflicts_by_line)
{
    const Grid grid{.threads = {1024}};
    Fixture f("warps"), padded("forward");
    f.device.count_accesses();
    padded.device.count_accesses();
    EXPECT_EQ(f.error_of(transpose<Tile>, grid, f.in, f.out), "");
    EXPECT_EQ(count_at(f, first_line).ways(), 1);
    EXPECT_EQ(count_at(f, second_line).ways(), 32);
    EXPECT_EQ(count_at(f, second_line).phases, 32);
    EXPECT_EQ(padded.error_of(transpose<PaddedTile>, grid, padded.in, padded.out), "");
    EXPECT_EQ(count_at(padded, second_line).ways(), 1);
}

TEST(SimCheck, sectors_by_line)
{
    Fixture f("reverse");
    f.device.count_accesses();
    EXPECT_EQ(f.error_of(moves_fours, {.threads = {32}}, reinterpret_cast<float4*>(f.in), f.out), "");
    const AccessCount loads = count_at(f, first_line), stores = count_at(f, second_line);
    EXPECT_EQ(loads.sectors, 16); // 512 bytes in a row
    EXPECT_EQ(loads.phases, 4);   // of 8 lanes with 16 bytes each
    EXPECT_EQ(loads.ways(), 1);
    EXPECT_EQ(stores.sectors, 8); // every second float of 256 bytes
    EXPECT_EQ(stores.cycles, 4);  // every fourth word: four lanes in each of 8 banks
    const auto all = f.device.access_counts("kernel");
    EXPECT_GE(all.size(), 4u);
    EXPECT_TRUE(f.device.access_counts("another kernel").empty());
}

TEST(SimCheck, counts_a_copy_that_is_wider_than_all_banks)
{
    Fixture f("forward");
    f.device.count_accesses();
    EXPECT_EQ(f.error_of(moves_a_large_one, {.threads = {1}}, reinterpret_cast<Large*>(f.in), f.out), "");
    const AccessCount copy = count_at(f, first_line);
    EXPECT_EQ(copy.sectors, 8); // 256 bytes
    EXPECT_EQ(copy.phases, 1);
    EXPECT_EQ(copy.cycles, 2); // two words in each bank
}

} // namespace

} // namespace bifrons::kernels::sim
