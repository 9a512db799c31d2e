// What every device promises: memory, order, recording, and clear refusals.
#include "kernels/base/parallel.h"
#include "kernels/device/cpu_device.h"
#include "kernels/pointwise/epilogue.h"
#include "tests/support/devices.h"
#include "tests/support/thread_limit.h"

#include <atomic>

#include <omp.h>

using namespace bifrons;
using namespace bifrons::kernels;
using namespace bifrons::test;

namespace {

class DeviceTest : public OnDevice {
  protected:
    /// Enqueues x = x + x on the stream.
    void double_it(View x, std::int64_t n, Stream stream = {})
    {
        Exec ex = exec();
        ex.stream = stream;
        run(ex, StoreGradient{n, x, {.out = x, .add = x}});
    }
};
BIFRONS_ON_ALL_DEVICES(DeviceTest);

TEST_P(DeviceTest, memory_is_aligned_and_counted)
{
    Device& d = device().device();
    for (const std::size_t bytes : {0, 1, 1000}) {
        void* data = d.allocate(bytes);
        EXPECT_EQ(reinterpret_cast<std::uintptr_t>(data) % 256, 0u);
        d.free(data);
    }
    d.free(nullptr);
    EXPECT_GT(d.free_bytes(), 0u);
    EXPECT_NE(d.describe().find(device_kind_name(d.kind())), std::string::npos);
    EXPECT_EQ(d.target().kind, d.kind());
}

#if !defined(__SANITIZE_ADDRESS__) // which ends the program where malloc would return null
TEST_P(DeviceTest, says_what_was_needed_when_memory_is_out)
{
    try {
        device().device().allocate(std::size_t(1) << 50);
        FAIL();
    } catch (const Error& e) {
        EXPECT_EQ(e.kind(), ErrorKind::device);
        EXPECT_NE(std::string(e.what()).find("1024.0 TiB needed"), std::string::npos) << e.what();
        EXPECT_NE(std::string(e.what()).find("Lower the batch size"), std::string::npos) << e.what();
    }
}
#endif

TEST_P(DeviceTest, copies_and_fills_exactly_the_bytes_asked_for)
{
    Device& d = device().device();
    const View x = device().upload<std::uint8_t>({1, 2, 3, 4, 5, 6});
    d.copy({}, x.as<std::uint8_t>() + 3, x.as<std::uint8_t>() + 1, 2);
    d.fill({}, x.as<std::uint8_t>() + 1, 9, 1);
    EXPECT_EQ(device().download<std::uint8_t>(x, 6), (std::vector<std::uint8_t>{1, 9, 3, 2, 3, 6}));
}

TEST_P(DeviceTest, large_blocks_arrive_whole_both_ways)
{
    // cuda copies them by pieces of 8 MiB.
    constexpr std::size_t kPiece = std::size_t(8) << 20;
    for (const std::size_t bytes : {kPiece, 2 * kPiece + 5}) {
        std::vector<std::uint8_t> values(bytes);
        for (std::size_t i = 0; i < bytes; ++i) values[i] = std::uint8_t(i % 251);
        const View there = device().upload(values);
        EXPECT_EQ(device().download<std::uint8_t>(there, std::int64_t(bytes)), values);
    }
}

TEST_P(DeviceTest, a_recording_runs_when_it_is_replayed_with_what_its_operands_hold_then)
{
    Device& d = device().device();
    const Stream stream = d.create_stream();
    const View x = device().upload<float>({1, -2}), seen = device().upload<float>({0, 0});
    d.begin_recording(stream);
    double_it(x, 2, stream);
    double_it(x, 2, stream);
    d.copy(stream, seen.data, x.data, 2 * sizeof(float));
    d.fill(stream, x.as<float>() + 1, 0, sizeof(float));
    const auto recording = d.end_recording(stream);
    EXPECT_EQ(device().download<float>(x, 2), (std::vector<float>{1, -2}));

    d.replay(stream, *recording);
    d.synchronize(stream);
    EXPECT_EQ(device().download<float>(seen, 2), (std::vector<float>{4, -8}));
    d.replay(stream, *recording);
    d.synchronize(stream);
    EXPECT_EQ(device().download<float>(seen, 2), (std::vector<float>{16, 0}));
    d.destroy_stream(stream);
}

TEST_P(DeviceTest, the_default_stream_can_be_recorded)
{
    Device& d = device().device();
    const View x = device().upload<float>({3});
    d.begin_recording({});
    double_it(x, 1);
    const auto recording = d.end_recording({});
    d.replay({}, *recording);
    EXPECT_EQ(device().download<float>(x, 1), std::vector<float>{6});
}

TEST_P(DeviceTest, a_stream_waits_for_another_streams_event)
{
    Device& d = device().device();
    const Stream first = d.create_stream(), second = d.create_stream();
    const std::int64_t n = 1 << 14;
    const View x = device().upload(std::vector<float>(std::size_t(n), 1.0f));
    const auto begin = d.record_event(first);
    for (int i = 0; i < 8; ++i) double_it(x, n, first);
    const auto end = d.record_event(first);
    d.wait_event(second, *end);
    double_it(x, n, second);
    d.synchronize(second);
    EXPECT_EQ(device().download<float>(x, n), std::vector<float>(std::size_t(n), 512.0f));
    EXPECT_GE(d.elapsed_ms(*begin, *end), 0);
    d.destroy_stream(first), d.destroy_stream(second);
}

TEST(CpuDevice, says_what_to_do_where_threads_cannot_be_started)
{
    const ThreadLimit limit(1);
    try {
        CpuDevice(4);
        FAIL();
    } catch (const Error& e) {
        EXPECT_EQ(e.kind(), ErrorKind::device);
        EXPECT_STREQ(e.what(), "cpu: 2 of 4 threads can be started (Resource temporarily unavailable). Raise the "
                               "limits of processes and memory (`ulimit -u`, `ulimit -v`), or use --device cpu:1.");
    }
}

// ---- loops over the cpu device's threads ----

/// What a loop of n pieces says whose third piece fails, and how many of them were done.
std::pair<std::string, int> failing_loop(CpuDevice& device, int n)
{
    std::atomic<int> done = 0;
    try {
        device.enqueue({}, [&] {
            parallel_for(n, 1, [&](std::int64_t begin, std::int64_t) {
                BIFRONS_CHECK(failed, begin != 2, "piece ", begin);
                ++done;
            });
        });
    } catch (const Error& e) {
        return {e.what(), done};
    }
    return {"no error", done};
}

TEST(ParallelFor, throws_what_a_piece_throws_after_all_pieces)
{
    CpuDevice device(3);
    EXPECT_EQ(failing_loop(device, 64), (std::pair<std::string, int>("piece 2", 63)));
    EXPECT_EQ(failing_loop(device, 2), (std::pair<std::string, int>("no error", 2)));
    device.set_threads(1);
    EXPECT_EQ(failing_loop(device, 3), (std::pair<std::string, int>("piece 2", 2)));
}

TEST(ParallelFor, takes_the_threads_of_the_device_that_it_runs_on)
{
    const int before = omp_get_max_threads();
    CpuDevice three(3), one(1);
    const auto threads_of = [](CpuDevice& device) {
        int threads = 0;
        device.enqueue({}, [&] { threads = omp_get_max_threads(); });
        return threads;
    };
    EXPECT_EQ(threads_of(three), 3);
    EXPECT_EQ(threads_of(one), 1);
    three.begin_recording({});
    int replayed = 0;
    three.enqueue({}, [&] { replayed = omp_get_max_threads(); });
    const auto recording = three.end_recording({});
    one.set_threads(2);
    three.replay({}, *recording);
    EXPECT_EQ(replayed, 3);
    EXPECT_EQ(omp_get_max_threads(), before) << "a device leaves its caller's loops alone";
}

// ---- opening ----

ErrorKind kind_of_refusal(const std::string& name)
{
    try {
        open_device(name);
    } catch (const Error& e) {
        EXPECT_NE(std::string(e.what()).find(name), std::string::npos) << e.what();
        return e.kind();
    }
    ADD_FAILURE() << name << " was opened";
    return ErrorKind::bug;
}

TEST(OpenDevice, refuses_words_it_does_not_know)
{
    for (const char* name : {"", "gpu", "cpu:", "cpu:0", "cpu:x", "plan:tpu", "plan:cuda:sm_10"})
        EXPECT_EQ(kind_of_refusal(name), ErrorKind::usage) << name;
}

TEST(OpenDevice, says_why_there_is_no_gpu)
{
    EXPECT_EQ(kind_of_refusal("cuda:1000"), ErrorKind::device);
}

TEST(OpenDevice, auto_takes_what_it_announces)
{
    const DeviceChoice choice = choose_device();
    EXPECT_FALSE(choice.why.empty());
    EXPECT_EQ(open_device("auto")->describe(), open_device(choice.name)->describe());
}

} // namespace
