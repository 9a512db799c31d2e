// The emulated CUDA runtime is strict: what waits for the GPU, what may be called while a stream records, what a launch
// may ask for.
#include "tests/emulator/touch_memory.h"

#include <cuda_runtime_api.h>
#include <gtest/gtest.h>

namespace bifrons::emulator {

namespace {

constexpr std::size_t kBytes = 4096;

class EmulatedRuntime : public ::testing::Test {
  protected:
    void SetUp() override
    {
        cudaMemPoolProps properties = {};
        ASSERT_EQ(cudaMemPoolCreate(&pool, &properties), cudaSuccess);
        ASSERT_EQ(cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking), cudaSuccess);
        ASSERT_EQ(cudaStreamCreateWithFlags(&other, cudaStreamNonBlocking), cudaSuccess);
        ASSERT_EQ(cudaMallocFromPoolAsync(&device, kBytes, pool, stream), cudaSuccess);
        void* pinned = nullptr;
        ASSERT_EQ(cudaMallocHost(&pinned, kBytes), cudaSuccess);
        host = static_cast<unsigned char*>(pinned);
        host[0] = 1;
    }
    void TearDown() override
    {
        cudaFreeAsync(device, stream);
        cudaStreamDestroy(stream);
        cudaStreamDestroy(other);
        cudaMemPoolDestroy(pool);
        cudaFreeHost(host);
    }
    cudaMemPool_t pool = nullptr;
    cudaStream_t stream = nullptr, other = nullptr;
    void* device = nullptr;
    unsigned char* host = nullptr; // pinned
};

TEST_F(EmulatedRuntime, work_is_done_when_it_is_waited_for)
{
    EXPECT_EQ(cudaMemsetAsync(device, 7, kBytes, stream), cudaSuccess);
    EXPECT_EQ(cudaMemcpyAsync(host, device, kBytes, cudaMemcpyDefault, stream), cudaSuccess);
    EXPECT_EQ(host[0], 1);
    EXPECT_EQ(cudaStreamSynchronize(stream), cudaSuccess);
    EXPECT_EQ(host[0], 7);
}

TEST_F(EmulatedRuntime, an_event_orders_two_streams)
{
    cudaEvent_t filled = nullptr;
    ASSERT_EQ(cudaEventCreateWithFlags(&filled, cudaEventDisableTiming), cudaSuccess);
    EXPECT_EQ(cudaMemsetAsync(device, 7, kBytes, stream), cudaSuccess);
    EXPECT_EQ(cudaEventRecord(filled, stream), cudaSuccess);
    EXPECT_EQ(cudaStreamWaitEvent(other, filled, 0), cudaSuccess);
    EXPECT_EQ(cudaMemcpyAsync(host, device, kBytes, cudaMemcpyDefault, other), cudaSuccess);
    EXPECT_EQ(cudaStreamSynchronize(other), cudaSuccess);
    EXPECT_EQ(host[0], 7);
    cudaEventDestroy(filled);
}

TEST_F(EmulatedRuntime, without_the_event_the_second_stream_is_too_early)
{
    EXPECT_EQ(cudaMemsetAsync(device, 7, kBytes, stream), cudaSuccess);
    EXPECT_EQ(cudaMemcpyAsync(host, device, kBytes, cudaMemcpyDefault, other), cudaSuccess);
    EXPECT_EQ(cudaStreamSynchronize(other), cudaSuccess);
    EXPECT_NE(host[0], 7);
}

TEST_F(EmulatedRuntime, a_recording_runs_when_it_is_replayed)
{
    cudaGraph_t graph = nullptr;
    cudaGraphExec_t executable = nullptr;
    ASSERT_EQ(cudaStreamBeginCapture(stream, cudaStreamCaptureModeThreadLocal), cudaSuccess);
    EXPECT_EQ(cudaMemsetAsync(device, 7, kBytes, stream), cudaSuccess);
    EXPECT_EQ(cudaMemcpyAsync(host, device, kBytes, cudaMemcpyDefault, stream), cudaSuccess);
    ASSERT_EQ(cudaStreamEndCapture(stream, &graph), cudaSuccess);
    ASSERT_EQ(cudaGraphInstantiate(&executable, graph, 0), cudaSuccess);
    EXPECT_EQ(cudaStreamSynchronize(stream), cudaSuccess);
    EXPECT_EQ(host[0], 1);
    EXPECT_EQ(cudaGraphLaunch(executable, stream), cudaSuccess);
    EXPECT_EQ(cudaStreamSynchronize(stream), cudaSuccess);
    EXPECT_EQ(host[0], 7);
    cudaGraphExecDestroy(executable);
    cudaGraphDestroy(graph);
}

TEST_F(EmulatedRuntime, a_recording_is_broken_by_what_waits_allocates_or_reads_pageable_memory)
{
    unsigned char pageable[16] = {};
    void* more = nullptr;
    const auto breaks = [&](auto call) {
        cudaGraph_t graph = nullptr;
        EXPECT_EQ(cudaStreamBeginCapture(stream, cudaStreamCaptureModeThreadLocal), cudaSuccess);
        EXPECT_EQ(call(), cudaErrorStreamCaptureUnsupported);
        EXPECT_EQ(cudaStreamEndCapture(stream, &graph), cudaErrorStreamCaptureInvalidated);
    };
    breaks([&] { return cudaStreamSynchronize(stream); });
    breaks([&] { return cudaMallocFromPoolAsync(&more, 16, pool, stream); });
    breaks([&] { return cudaMallocHost(&more, 16); });
    breaks([&] { return cudaMemcpyAsync(device, pageable, 16, cudaMemcpyDefault, stream); });
    breaks([&] { return cudaMemcpyAsync(pageable, device, 16, cudaMemcpyDefault, stream); });
}

TEST_F(EmulatedRuntime, refuses_launches_that_a_gpu_would_refuse)
{
    EXPECT_EQ(touch_memory(device, {.stream = stream, .threads = 65}),
              cudaErrorInvalidConfiguration); // its bound is 64
    EXPECT_EQ(touch_memory(device, {.stream = stream, .blocks_y = 65536}), cudaErrorInvalidConfiguration);
    EXPECT_EQ(touch_memory(device, {.stream = stream, .dynamic_shared = 49153}), cudaErrorInvalidConfiguration);
    // It has 4 multiprocessors, and each holds 32 blocks.
    EXPECT_EQ(touch_memory(device, {.stream = stream, .cooperative_blocks = 129}), cudaErrorCooperativeLaunchTooLarge);
    EXPECT_EQ(touch_memory(device, {.stream = stream}), cudaSuccess);
    EXPECT_EQ(cudaMemcpyAsync(host, device, kBytes, cudaMemcpyDefault, stream), cudaSuccess);
    EXPECT_EQ(cudaStreamSynchronize(stream), cudaSuccess);
    EXPECT_EQ(host[0], kTouched);
}

using EmulatedRuntimeDeathTest = EmulatedRuntime;

TEST_F(EmulatedRuntimeDeathTest, the_host_cannot_read_device_memory)
{
    EXPECT_DEATH(host[0] = *static_cast<volatile unsigned char*>(device), "");
}

/// A fault ends everything: these run in a process of their own, which ends with what its last call answers.
TEST_F(EmulatedRuntimeDeathTest, a_fault_shows_where_it_is_waited_for_and_stays)
{
    const auto fault = [&](void* address) {
        if (touch_memory(address, {.stream = stream}) != cudaSuccess) std::exit(1);
        if (cudaStreamSynchronize(stream) == cudaSuccess) std::exit(2);
        cudaGetLastError();
        std::exit(cudaMemsetAsync(device, 0, 1, stream) == cudaErrorIllegalAddress ? 77 : 3);
    };
    EXPECT_EXIT(fault(static_cast<char*>(device) + kBytes), ::testing::ExitedWithCode(77), "no global memory");
    EXPECT_EXIT(fault(host), ::testing::ExitedWithCode(77), "no global memory");
}

} // namespace

} // namespace bifrons::emulator
