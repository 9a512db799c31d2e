// mbarrier and the asynchronous copies that arrive there, on the simulator: pipelines of a producer and consumers, and
// what it says about wrong ones.
#include "kernels/ptx/cp_async.h"
#include "kernels/ptx/mbarrier.h"
#include "tests/support/sim_fixture.h"

namespace bifrons::kernels::sim {

namespace {

using test::kAsyncSchedules, test::says;
using Fixture = test::SimFixture;

constexpr int kStages = 2, kSteps = 7, kTile = 128; // floats; the producer's 32 lanes copy 4 each

struct Pipeline {
    Mbarrier full[kStages], empty[kStages];
    alignas(16) float tile[kStages][kTile];
};

enum class Bug { none, no_wait_for_full, released_early, too_few_arrivals, too_many_arrivals, no_wait_for_empty };

/// Who fills a stage: each lane of the producer's warp by cp.async, or one of them by a bulk copy.
template <bool Bulk>
__device__ void fill(Pipeline& p, int stage, const float* from)
{
    const int lane = int(threadIdx.x);
    if constexpr (Bulk) {
        if (lane != 0) return;
        mbarrier_expect_tx(p.full[stage], kTile * sizeof(float));
        mbarrier_arrive(p.full[stage]);
        bulk_copy(p.tile[stage], from, kTile * sizeof(float), p.full[stage]);
    } else {
        cp_async<16>(&p.tile[stage][4 * lane], from + 4 * lane, true);
        cp_async_mbarrier_arrive(p.full[stage]);
    }
}

template <bool Bulk>
__device__ void produce(Pipeline& p, const float* in, Bug bug)
{
    for (int step = 0; step < kSteps; ++step) {
        const int stage = step % kStages, round = step / kStages;
        if (round > 0 && bug != Bug::no_wait_for_empty) mbarrier_wait(p.empty[stage], unsigned(round - 1) % 2);
        fill<Bulk>(p, stage, in + kTile * step);
    }
}

__device__ void consume(Pipeline& p, float* out, Bug bug)
{
    const int t = int(threadIdx.x) - 32;
    float sum = 0;
    for (int step = 0; step < kSteps; ++step) {
        const int stage = step % kStages;
        if (bug != Bug::no_wait_for_full) mbarrier_wait(p.full[stage], unsigned(step / kStages) % 2);
        if (bug == Bug::released_early) mbarrier_arrive(p.empty[stage]);
        __syncwarp();
        sum += p.tile[stage][kTile - 1 - t];
        __syncwarp();
        if (bug != Bug::released_early) mbarrier_arrive(p.empty[stage]);
    }
    out[t] = sum;
}

template <bool Bulk>
__global__ void producer_and_consumers(const float* in, float* out, Bug bug)
{
    wait_for_previous_kernel();
    SHARED(Pipeline, p);
    if (threadIdx.x == 0)
        for (int stage = 0; stage < kStages; ++stage) {
            const int arrivals = Bulk ? 1 : 32;
            mbarrier_init(p.full[stage], unsigned(arrivals + (bug == Bug::too_many_arrivals ? 1 : 0)));
            mbarrier_init(p.empty[stage], bug == Bug::too_few_arrivals ? 32 : 64);
        }
    __syncthreads();
    if (threadIdx.x < 32)
        produce<Bulk>(p, in, bug);
    else
        consume(p, out, bug);
}

constexpr Grid kGrid = {.threads = {96}};

float sum_of(int thread)
{
    float sum = 0;
    for (int step = 0; step < kSteps; ++step) sum += float(kTile * (step + 1) - 1 - thread);
    return sum;
}

/// Whether the simulator says something, or a result is wrong.
template <bool Bulk>
bool shows(const std::string& schedule, Bug bug, std::string* text = nullptr)
{
    Fixture f(schedule);
    const std::string said = f.error_of(producer_and_consumers<Bulk>, kGrid, f.in, f.out, bug);
    if (text) *text = said;
    for (int t = 0; t < 64; ++t)
        if (!(f.out[t] == sum_of(t))) return true;
    return !said.empty();
}

TEST(Mbarrier, pipelines_are_right_under_every_schedule)
{
    for (const std::string schedule : kAsyncSchedules) {
        EXPECT_FALSE(shows<false>(schedule, Bug::none)) << schedule;
        EXPECT_FALSE(shows<true>(schedule, Bug::none)) << schedule;
    }
}

TEST(Mbarrier, late_copies_show_a_missing_wait)
{
    for (const std::string schedule : {"forward:late", "reverse:late", "random:1:late", "warps:1:late"}) {
        EXPECT_TRUE(shows<false>(schedule, Bug::no_wait_for_full)) << schedule;
        EXPECT_TRUE(shows<true>(schedule, Bug::no_wait_for_full)) << schedule;
    }
}

TEST(Mbarrier, a_stage_that_is_released_too_early_shows)
{
    // The standing four schedules; between them each bug is seen. Some hide it.
    int seen = 0;
    for (const std::string schedule : {"forward", "reverse", "random:1", "warps:1"})
        seen += shows<false>(schedule, Bug::released_early) + shows<true>(schedule, Bug::released_early);
    EXPECT_GE(seen, 2);
    for (const std::string schedule : {"forward", "reverse", "random:1", "warps:1"}) {
        EXPECT_TRUE(shows<false>(schedule, Bug::no_wait_for_empty)) << schedule;
        EXPECT_TRUE(shows<false>(schedule, Bug::too_few_arrivals)) << schedule;
    }
}

TEST(Mbarrier, a_wrong_number_of_arrivals_shows)
{
    for (const std::string schedule : kAsyncSchedules) {
        std::string text;
        EXPECT_TRUE(shows<false>(schedule, Bug::too_many_arrivals, &text)) << schedule;
        EXPECT_TRUE(says(text, {"the threads wait for each other", "64 threads in mbarrier_wait at ",
                                "mbarrier_test.cpp", "phase 0 misses 1 of 33 arrivals and 0 bytes", ": 32-95"}))
            << schedule;
        EXPECT_TRUE(shows<true>(schedule, Bug::too_many_arrivals, &text)) << schedule;
        EXPECT_TRUE(says(text, {"wait for each other", "phase 0 misses 1 of 2 arrivals"})) << schedule;
    }
}

__global__ void one_barrier(int arrivals, int threads_that_arrive, int times, unsigned bytes)
{
    wait_for_previous_kernel();
    SHARED(Mbarrier, barrier);
    if (threadIdx.x == 0) mbarrier_init(barrier, unsigned(arrivals));
    __syncthreads();
    if (threadIdx.x == 0 && bytes > 0) mbarrier_expect_tx(barrier, bytes);
    if (int(threadIdx.x) < threads_that_arrive)
        for (int i = 0; i < times; ++i) mbarrier_arrive(barrier);
    mbarrier_wait(barrier, 0);
}

TEST(Mbarrier, a_phase_ends_with_the_last_arrival)
{
    for (const std::string schedule : kAsyncSchedules) {
        Fixture f(schedule);
        EXPECT_EQ(f.error_of(one_barrier, {.threads = {40}}, 40, 40, 1, 0u), "") << schedule;
        EXPECT_EQ(f.error_of(one_barrier, {.threads = {40}}, 3, 3, 1, 0u), "") << schedule;
        EXPECT_TRUE(says(f.error_of(one_barrier, {.threads = {40}}, 41, 40, 1, 0u),
                         {"40 threads in mbarrier_wait at ", "phase 0 misses 1 of 41 arrivals and 0 bytes): 0-39"}));
        EXPECT_TRUE(says(f.error_of(one_barrier, {.threads = {40}}, 40, 40, 1, 512u),
                         {"phase 0 misses 0 of 40 arrivals and 512 bytes"}));
        EXPECT_TRUE(says(f.error_of(one_barrier, {.threads = {40}}, 1, 1, 2, 16u),
                         {"thread 0 is in mbarrier_arrive at ", "all arrivals of the barrier's phase have come"}));
    }
}

__global__ void wrong_barriers(int what)
{
    wait_for_previous_kernel();
    SHARED(Pipeline, p);
    if (what == 0) mbarrier_arrive(p.full[0]);
    if (what == 1) mbarrier_init(p.full[0], 0);
    if (what == 2) mbarrier_init(p.full[0], 1), mbarrier_init(p.full[0], 1);
    Mbarrier local;
    if (what == 3) mbarrier_init(local, 1);
}

TEST(Mbarrier, barriers_are_initialised_once_in_shared_memory)
{
    Fixture f("forward");
    const char* const words[] = {"not been initialised", "with 0 arrivals", "initialised before",
                                 "do not lie in one object of shared memory"};
    for (int what = 0; what < 4; ++what)
        EXPECT_TRUE(says(f.error_of(wrong_barriers, {}, what), {"thread 0 is in mbarrier_", words[what]}));
}

__global__ void leaves_while_copies_are_under_way(const float* in, bool bulk)
{
    wait_for_previous_kernel();
    SHARED(Pipeline, p);
    mbarrier_init(p.full[0], 1);
    if (bulk) {
        bulk_copy(p.tile[0], in, 16, p.full[0]);
    } else {
        cp_async<16>(p.tile[0], in, true);
        cp_async_mbarrier_arrive(p.full[0]);
    }
}

TEST(Mbarrier, copies_are_waited_for_before_the_block_ends)
{
    for (const bool bulk : {false, true}) {
        Fixture f("forward");
        EXPECT_TRUE(
            says(f.error_of(leaves_while_copies_are_under_way, {}, f.in, bulk),
                 {"no thread has waited for", "begun by thread 0", bulk ? "bulk_copy" : "cp_async_mbarrier_arrive"}));
        EXPECT_FALSE(shows<false>("forward", Bug::none)) << "afterwards";
    }
}

__global__ void bulk_copy_of(const float* in, int to, int from, unsigned bytes)
{
    wait_for_previous_kernel();
    SHARED(Pipeline, p);
    mbarrier_init(p.full[0], 1);
    fence_proxy_async();
    mbarrier_expect_tx(p.full[0], bytes);
    bulk_copy(p.tile[0] + to, in + from, bytes, p.full[0]);
    mbarrier_arrive(p.full[0]);
    mbarrier_wait(p.full[0], 0);
}

TEST(Mbarrier, bulk_copies_are_checked)
{
    Fixture f("random");
    EXPECT_EQ(f.error_of(bulk_copy_of, {}, f.in, 4, 8, 64u), "");
    EXPECT_TRUE(says(f.error_of(bulk_copy_of, {}, f.in, 0, 0, 24u),
                     {"bulk_copy at ", "with 24 bytes; expected a multiple of 16"}));
    EXPECT_TRUE(says(f.error_of(bulk_copy_of, {}, f.in, 2, 0, 16u), {"8 bytes beyond a multiple of 16"}));
    EXPECT_TRUE(says(f.error_of(bulk_copy_of, {}, f.in, 0, 1, 16u), {"4 bytes beyond a multiple of 16"}));
    EXPECT_TRUE(says(f.error_of(bulk_copy_of, {}, f.in, 4, 0, unsigned(sizeof(float) * kStages * kTile)),
                     {"do not lie in one object"}));
}

} // namespace

} // namespace bifrons::kernels::sim
