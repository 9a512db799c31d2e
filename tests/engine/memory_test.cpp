#include "engine/memory.h"
#include "engine/step.h"
#include "engine/tape.h"
#include "engine/tensor.h"
#include "kernels/pointwise/epilogue.h"
#include "tests/support/devices.h"

#include <algorithm>
#include <cmath>
#include <random>

using namespace bifrons;
using namespace bifrons::test;

namespace {

bool overlap(const MemoryPlan::Block& a, const MemoryPlan::Block& b)
{
    return a.born < b.died && b.born < a.died && a.offset < b.offset + b.bytes && b.offset < a.offset + a.bytes;
}

TEST(MemoryPlan, blocks_that_do_not_live_together_share_bytes)
{
    Planner planner;
    void* a = planner.allocate(1000);
    planner.release(a);
    planner.allocate(1000);
    const MemoryPlan plan = planner.plan();
    EXPECT_EQ(plan.bytes, 1024u);
    EXPECT_EQ(plan.blocks[0].offset, plan.blocks[1].offset);
}

TEST(MemoryPlan, never_overlaps_and_stays_near_the_peak)
{
    std::mt19937 random(7);
    Planner planner;
    std::vector<void*> alive;
    for (int i = 0; i < 500; ++i) {
        alive.push_back(planner.allocate(1 + random() % 100000));
        while (alive.size() > 3 && random() % 2) {
            std::swap(alive[random() % alive.size()], alive.back());
            planner.release(alive.back());
            alive.pop_back();
        }
    }
    const MemoryPlan plan = planner.plan();
    for (std::size_t i = 0; i < plan.blocks.size(); ++i)
        for (std::size_t j = 0; j < i; ++j) ASSERT_FALSE(overlap(plan.blocks[i], plan.blocks[j])) << i << " " << j;
    EXPECT_GE(plan.bytes, plan.peak_bytes());
    EXPECT_LE(double(plan.bytes), 1.3 * double(plan.peak_bytes()));
}

TEST(Slab, refuses_what_was_not_planned)
{
    Planner planner;
    planner.allocate(100);
    TestDevice cpu("cpu");
    Slab slab(cpu.device(), {}, planner.plan());
    EXPECT_THROW(slab.allocate(1000), Error);
    EXPECT_NE(slab.allocate(100), nullptr);
    EXPECT_THROW(slab.allocate(100), Error);
    slab.rewind();
    EXPECT_NE(slab.allocate(100), nullptr);
}

// ---- a guarded slab, and what each mistake comes to there ----

/// The devices whose slabs have guards in some build: those that run host work.
std::vector<std::string> guarded_devices()
{
    std::vector<std::string> devices = simulators();
    devices.push_back("cpu");
    return devices;
}

/// A step of three blocks, of which the third takes the first one's place.
class GuardedSlab : public OnDevice {
  protected:
    static constexpr std::size_t kGuard = 256;
    static constexpr std::int64_t kFloats = 10;
    static constexpr std::size_t kBytes = kFloats * sizeof(float);

    static MemoryPlan plan()
    {
        Planner planner(kGuard);
        void* const first = planner.allocate(kBytes);
        planner.allocate(kBytes);
        planner.release(first);
        planner.allocate(kBytes);
        return planner.plan();
    }
    kernels::Device& on() { return device().device(); }
    float* allocate(Slab& slab) { return static_cast<float*>(slab.allocate(kBytes)); }
    /// Ones from there on.
    void write(float* at, std::int64_t n) { on().fill({}, at, 0x3F, std::size_t(n) * sizeof(float)); }
    std::vector<float> read(float* at, std::int64_t n) { return device().download<float>({at, DType::f32}, n); }
    bool all_nan(float* at, std::int64_t n)
    {
        const std::vector<float> values = read(at, n);
        return std::all_of(values.begin(), values.end(), [](float v) { return std::isnan(v); });
    }
    static std::string overrun(Slab& slab)
    {
        try {
            slab.rewind();
        } catch (const Error& e) {
            EXPECT_EQ(e.kind(), ErrorKind::bug);
            return e.what();
        }
        return "none";
    }
};
INSTANTIATE_TEST_SUITE_P(Devices, GuardedSlab, ::testing::ValuesIn(guarded_devices()), device_test_name);

TEST_P(GuardedSlab, what_stays_inside_is_left_alone)
{
    Slab slab(on(), {}, plan());
    for (int run = 0; run < 2; ++run) {
        float* const first = allocate(slab);
        write(first, kFloats);
        EXPECT_FALSE(std::isnan(read(first, kFloats)[0]));
        allocate(slab);
        slab.release(first);
        float* const third = allocate(slab);
        EXPECT_EQ(third, first);
        write(third, kFloats);
        EXPECT_EQ(overrun(slab), "none");
    }
}

TEST_P(GuardedSlab, stale_bytes_are_nan)
{
    Slab slab(on(), {}, plan());
    for (int run = 0; run < 2; ++run) {
        float* const first = allocate(slab);
        EXPECT_TRUE(all_nan(first, kFloats)) << "of the run before";
        write(first, kFloats);
        allocate(slab);
        slab.release(first);
        EXPECT_TRUE(all_nan(first, kFloats)) << "read after its release";
        write(first, kFloats);
        EXPECT_TRUE(all_nan(allocate(slab), kFloats)) << "of the block before";
        slab.rewind();
    }
}

TEST_P(GuardedSlab, neighbours_are_out_of_reach)
{
    constexpr std::int64_t kReach = kGuard / sizeof(float);
    Slab slab(on(), {}, plan());
    float *const first = allocate(slab), *const second = allocate(slab);
    write(first, kFloats);
    write(second, kFloats);
    for (float* const block : {first, second}) {
        EXPECT_TRUE(all_nan(block - kReach, kReach));
        EXPECT_TRUE(all_nan(block + kFloats, kReach));
    }
}

TEST_P(GuardedSlab, a_write_past_either_end_is_found_at_the_rewind)
{
    Slab slab(on(), {}, plan());
    const std::string end = " bytes, was written; an operation wrote outside its operand";
    write(allocate(slab), kFloats + 1);
    EXPECT_EQ(overrun(slab), "slab: byte 40 of allocation 0, of 40" + end);
    allocate(slab);
    write(allocate(slab) - 1, 1);
    EXPECT_EQ(overrun(slab), "slab: byte -4 of allocation 1, of 40" + end);
    EXPECT_EQ(overrun(slab), "none");
}

TEST_P(GuardedSlab, a_write_past_the_end_is_found_when_another_block_is_there)
{
    Slab slab(on(), {}, plan());
    on().begin_recording({});
    float* const first = allocate(slab);
    write(first + kFloats, 1);
    float* const second = allocate(slab);
    slab.release(first);
    for (float* const block : {second, allocate(slab)}) slab.release(block);
    const auto recording = on().end_recording({});
    EXPECT_EQ(overrun(slab), "none") << "not run yet";
    for (int run = 0; run < 2; ++run) {
        on().replay({}, *recording);
        EXPECT_NE(overrun(slab).find("slab: byte 40 of allocation 0"), std::string::npos);
    }
}

class StepTest : public OnDevice {};
BIFRONS_ON_ALL_DEVICES(StepTest);

TEST_P(StepTest, first_run_is_eager_later_ones_are_replayed_and_all_do_the_same)
{
    Pool pool(device().device());
    const Tensor counter = Tensor::empty({4}, DType::f32, pool), one = Tensor::empty({4}, DType::f32, pool);
    counter.upload<float>(exec(), {0, 0, 0, 0});
    one.upload<float>(exec(), {1, 2, 3, 4});
    int bodies = 0;
    Step step(device().device(), {}, [&](kernels::Exec ex, Memory& memory) {
        ++bodies;
        const Tensor sum = Tensor::empty({4}, DType::f32, memory);
        kernels::run(ex, kernels::StoreGradient{4, counter.view(), {.out = sum.view(), .add = one.view()}});
        ex.device->copy(ex.stream, counter.view().data, sum.view().data, sum.bytes());
    });
    EXPECT_EQ(step.slab_bytes(), 0u);
    for (int i = 0; i < 5; ++i) step.run();
    EXPECT_EQ(counter.download<float>(exec()), (std::vector<float>{5, 10, 15, 20}));
    EXPECT_EQ(bodies, 3) << "planned, run, recorded";
    EXPECT_EQ(step.slab_bytes(), step.planned_bytes());
    step.invalidate();
    step.run();
    EXPECT_EQ(counter.download<float>(exec()), (std::vector<float>{6, 12, 18, 24}));
}

TEST_P(StepTest, a_run_that_failed_does_not_count)
{
    int bodies = 0;
    Step step(device().device(), {}, [&](kernels::Exec, Memory&) {
        if (++bodies == 2) throw Error(ErrorKind::failed, "once");
    });
    EXPECT_THROW(step.run(), Error);
    for (int i = 0; i < 3; ++i) step.run();
    EXPECT_EQ(bodies, 4) << "planned, failed, run, recorded";
}

/// What running the step says.
std::string error_of(Step& step)
{
    try {
        step.run();
    } catch (const Error& e) {
        return e.what();
    }
    return "no error";
}

TEST_P(StepTest, each_run_tells_of_a_write_outside_an_operand)
{
    const std::size_t guard = guard_bytes(device().device().target());
    EXPECT_TRUE(guard > 0 || GetParam().rfind("sim", 0) != 0);
    if (guard == 0) GTEST_SKIP() << "no guards";
    Step step(device().device(), {}, [](kernels::Exec ex, Memory& memory) {
        const Tensor t = Tensor::empty({3}, DType::f32, memory);
        ex.device->fill(ex.stream, t.view().data, 0, t.bytes() + 1);
    });
    for (int i = 0; i < 3; ++i) // eager, recorded, replayed
        EXPECT_NE(error_of(step).find("slab: byte 12 of allocation 0, of 12 bytes, was written"), std::string::npos);
}

TEST_P(StepTest, the_workspace_is_no_block_of_the_plan)
{
    Step step(device().device(), {}, [](kernels::Exec ex, Memory& memory) {
        if (ex.device->kind() == kernels::DeviceKind::plan)
            ex.device->account("uses a workspace", {.workspace_bytes = 256});
        else
            memory.allocate(256);
    });
    EXPECT_EQ(step.plan().blocks.size(), 0u);
    EXPECT_EQ(step.workspace_bytes(), 256u);
    EXPECT_EQ(error_of(step), "slab: allocation 0 was not planned");
}

/// The message of an error that a step's body raises, when planned if at all.
std::string error_of(kernels::Device& device, const std::function<void(Tape&)>& body)
{
    Step step(device, {}, [&](kernels::Exec ex, Memory& memory) {
        Tape tape(ex, memory);
        const Tape::Scope network(tape, "decoder_src");
        { // this one is left in peace
            const Tape::Scope layer(tape, "conv0");
        }
        body(tape);
    });
    return error_of(step);
}

TEST_P(StepTest, an_error_names_the_layer)
{
    EXPECT_EQ(error_of(device().device(),
                       [](Tape& tape) {
                           const Tape::Scope block(tape, "res0");
                           const Tape::Scope layer(tape, "conv1");
                           throw Error(ErrorKind::shape, "conv2d: x is wrong");
                       }),
              "decoder_src.res0.conv1: conv2d: x is wrong");
    EXPECT_EQ(error_of(device().device(), [](Tape&) { throw Error(ErrorKind::shape, "add: x is wrong"); }),
              "decoder_src: add: x is wrong");
    EXPECT_EQ(error_of(device().device(), [](Tape&) {}), "no error");
}

TEST_P(StepTest, runs_in_the_slab_of_another_where_that_is_large_enough)
{
    Pool pool(device().device());
    const Tensor out = Tensor::empty({64}, DType::f32, pool);
    const auto filling = [&](std::int64_t elements, int byte) {
        return [&out, elements, byte](kernels::Exec ex, Memory& memory) {
            const Tensor t = Tensor::empty({elements}, DType::f32, memory);
            ex.device->fill(ex.stream, t.view().data, byte, t.bytes());
            ex.device->copy(ex.stream, out.view().data, t.view().data, out.bytes());
        };
    };
    Step host(device().device(), {}, filling(1000, 0)), small(device().device(), {}, filling(64, 0x3F)),
        large(device().device(), {}, filling(5000, 0x40));
    small.share(host);
    large.share(host);
    const float of_small = 0.7470587f, of_large = 3.0039215f; // bytes 3F3F3F3F and 40404040
    for (int i = 0; i < 4; ++i) { // eager, recorded, replayed; and once after the host took another slab
        if (i == 3) host.invalidate();
        host.run();
        EXPECT_EQ(out.download<float>(exec())[63], 0);
        small.run();
        EXPECT_FLOAT_EQ(out.download<float>(exec())[63], of_small);
        large.run();
        EXPECT_FLOAT_EQ(out.download<float>(exec())[63], of_large);
    }
    EXPECT_EQ(small.slab_bytes(), 0u);
    EXPECT_EQ(small.own_bytes(), 0u);
    EXPECT_EQ(large.slab_bytes(), large.planned_bytes());
    EXPECT_EQ(large.own_bytes(), large.planned_bytes());
}

} // namespace
