// The emulated GPU runs PTX as the PTX ISA says, and finds what a GPU would stop for.
#include "tests/emulator/matrix.h"
#include "tests/emulator/module.h"
#include "tests/emulator/run_grid.h"

#include <cmath>
#include <cstring>
#include <gtest/gtest.h>
#include <limits>

namespace bifrons::emulator {

namespace {

using Words = std::vector<std::uint32_t>;

const char* const kStore = "st.global.u32 [%rd2], %r2;";

/// A block of device memory.
class Memory {
  public:
    explicit Memory(std::size_t words) : words_(words), data_(DeviceMemory::instance().reserve(words * 4))
    {
        DeviceMemory::instance().fill_poison(data_);
    }
    ~Memory() { DeviceMemory::instance().release(data_); }
    Memory(const Memory&) = delete;

    std::uint64_t address() const { return reinterpret_cast<std::uint64_t>(data_); }
    std::uint32_t* words() const
    {
        return reinterpret_cast<std::uint32_t*>(DeviceMemory::instance().bytes_at(address(), words_ * 4));
    }

  private:
    std::size_t words_;
    void* data_;
};

/// A kernel whose parameter is the address of its output, which `body` finds in %rd1; %r1 is threadIdx.x, %rd2 the
/// address of word threadIdx.x.
std::string kernel_text(const std::string& body, const std::string& functions = "")
{
    return ".version 9.0\n.target sm_90a\n.address_size 64\n" + functions +
           ".visible .entry k(.param .u64 p0)\n{\n"
           ".reg .pred %p<9>; .reg .b16 %rs<9>; .reg .b32 %r<40>; .reg .f32 %f<20>; .reg .b64 %rd<20>; .reg .f64 "
           "%fd<9>;\n"
           ".shared .align 16 .b8 box[256];\n"
           "ld.param.u64 %rd1, [p0]; mov.u32 %r1, %tid.x; mul.wide.u32 %rd2, %r1, 4; add.s64 %rd2, %rd1, %rd2;\n" +
           body + "\nret;\n}\n";
}

struct Launch {
    unsigned threads = 32, blocks = 1;
    bool pdl = false;
    std::string functions = "";
};

Words run(const std::string& body, Launch launch = {})
{
    Module module(kernel_text(body, launch.functions));
    Memory out(launch.threads * launch.blocks);
    Grid grid{.kernel = module.kernel("k"), .blocks = {launch.blocks, 1, 1}, .threads = {launch.threads, 1, 1}};
    grid.pdl = launch.pdl;
    grid.parameters.resize(8);
    const std::uint64_t address = out.address();
    std::memcpy(grid.parameters.data(), &address, 8);
    run_grid(grid);
    return {out.words(), out.words() + launch.threads * launch.blocks};
}

std::string fault_of(const std::string& body, Launch launch = {})
{
    try {
        run(body, launch);
    } catch (const Fault& fault) {
        return fault.what();
    }
    return "no fault";
}

bool says(const std::string& text, std::initializer_list<const char*> words)
{
    for (const char* word : words)
        if (text.find(word) == std::string::npos) {
            ADD_FAILURE() << "\"" << text << "\" does not say \"" << word << "\"";
            return false;
        }
    return true;
}

TEST(EmulatedPtx, computes_with_registers_constants_and_places)
{
    const Words out = run("mov.u32 %r3, %ctaid.x; mov.u32 %r4, %ntid.x; mad.lo.s32 %r5, %r3, %r4, %r1;"
                          "mul.wide.u32 %rd3, %r5, 4; add.s64 %rd3, %rd1, %rd3;"
                          "mul.lo.s32 %r2, %r5, -3; st.global.u32 [%rd3], %r2;",
                          {.threads = 40, .blocks = 3});
    for (int n = 0; n < 120; ++n) EXPECT_EQ(int(out[std::size_t(n)]), -3 * n);
}

TEST(EmulatedPtx, lanes_part_and_meet_again)
{
    // Lane l adds 1 .. l in a loop of its own length; then all vote.
    const Words out = run("mov.u32 %r2, 0; mov.u32 %r3, 0;\n$again: setp.ge.u32 %p1, %r3, %r1; @%p1 bra $done;"
                          "add.s32 %r3, %r3, 1; add.s32 %r2, %r2, %r3; bra.uni $again;\n$done:"
                          "setp.gt.u32 %p2, %r2, 100; vote.sync.ballot.b32 %r4, %p2, -1; xor.b32 %r2, %r2, %r4;" +
                          std::string(kStore));
    const std::uint32_t above = ~0u << 14; // 13 * 14 / 2 = 91, 14 * 15 / 2 = 105
    for (std::uint32_t l = 0; l < 32; ++l) EXPECT_EQ(out[l], (l * (l + 1) / 2) ^ above) << l;
}

TEST(EmulatedPtx, shifts_beyond_the_width_leave_nothing_but_the_sign)
{
    const Words out =
        run("mov.u32 %r3, 40; mov.u32 %r4, -6; shl.b32 %r5, %r4, %r3; shr.s32 %r6, %r4, %r3;"
            "shr.u32 %r7, %r4, 28; mul.hi.s32 %r8, %r4, 0x40000000; mov.b64 %rd3, {%r4, %r7};"
            "shl.b64 %rd3, %rd3, 4; cvt.u32.u64 %r9, %rd3; shr.u64 %rd3, %rd3, 32; cvt.u32.u64 %r10, %rd3;"
            "xor.b32 %r2, %r9, %r10; add.s32 %r2, %r2, %r5; mad.lo.s32 %r2, %r6, 1000, %r2;"
            "mad.lo.s32 %r2, %r8, 100000, %r2;" +
            std::string(kStore));
    // -6 << 40 = 0; -6 >> 40 = -1; -6 >>> 28 = 15; (-6 * 2^30) >> 32 = -2; the pair 15:0xfffffffa shifted by 4.
    EXPECT_EQ(out[3], (0xffffffa0u ^ 0xffu) - 1000u - 200000u);
}

TEST(EmulatedPtx, a_function_may_be_called_twice_and_return_early)
{
    // f(x) = 7 where x < 10, else the sum of x, x - 1, ..., 10
    const std::string f =
        ".func (.param .b32 r) f(.param .b32 a)\n{\n.reg .pred %p<3>; .reg .b32 %r<5>;\n"
        "ld.param.b32 %r1, [a+0]; setp.ge.u32 %p1, %r1, 10; @%p1 bra $many; mov.u32 %r2, 7;"
        "st.param.b32 [r+0], %r2; ret;\n$many: mov.u32 %r2, 0;\n$next: add.s32 %r2, %r2, %r1;"
        "sub.s32 %r1, %r1, 1; setp.ge.u32 %p1, %r1, 10; @%p1 bra $next; st.param.b32 [r+0], %r2; ret;\n}\n";
    const std::string call = "{ .param .b32 q; st.param.b32 [q+0], %r3; .param .b32 v; call.uni (v), f, (q);"
                             "ld.param.b32 %r4, [v+0]; }";
    const Words out = run("mov.u32 %r3, %r1;" + call + "mov.u32 %r2, %r4; add.s32 %r3, %r1, 1;" + call +
                              "mad.lo.s32 %r2, %r4, 1000, %r2;" + kStore,
                          {.functions = f});
    const auto want = [](unsigned x) { return x < 10 ? 7u : (x + 10) * (x - 9) / 2; };
    for (unsigned l = 0; l < 32; ++l) EXPECT_EQ(out[l], want(l) + 1000 * want(l + 1)) << l;
}

TEST(EmulatedPtx, an_mbarrier_opens_with_its_last_arrival)
{
    const std::string wait = "$again: mbarrier.try_wait.parity.shared.b64 %p1, [box], 0; @!%p1 bra $again;";
    const std::string two_warps = "setp.eq.u32 %p2, %r1, 0; @%p2 mbarrier.init.shared.b64 [box], 2; bar.sync 0;"
                                  "setp.eq.u32 %p3, %r1, 40; @%p3 st.shared.u32 [box+8], 5;"
                                  "and.b32 %r3, %r1, 31; setp.eq.u32 %p4, %r3, 8;"
                                  "@%p4 mbarrier.arrive.shared.b64 %rd3, [box];";
    const Words out = run(two_warps + wait + "ld.shared.u32 %r2, [box+8];" + kStore, {.threads = 64});
    EXPECT_EQ(out[0], 5u);
    EXPECT_EQ(out[63], 5u);
    EXPECT_TRUE(says(fault_of("mbarrier.arrive.shared.b64 %rd3, [box];"), {"not initialised"}));
}

TEST(EmulatedPtx, shuffles_by_hand)
{
    const auto shuffled = [](const std::string& way) {
        return run("add.s32 %r3, %r1, 100; shfl.sync." + way + ", -1; @!%p1 add.s32 %r2, %r2, 1000;" + kStore);
    };
    EXPECT_EQ(shuffled("bfly.b32 %r2|%p1, %r3, 5, 31")[6], 103u);
    const Words up = shuffled("up.b32 %r2|%p1, %r3, 3, 0"), down = shuffled("down.b32 %r2|%p1, %r3, 3, 31");
    EXPECT_EQ(up[10], 107u);
    EXPECT_EQ(up[2], 1102u); // beyond the end: its own value, and false
    EXPECT_EQ(down[10], 113u);
    EXPECT_EQ(down[30], 1130u);
    EXPECT_EQ(shuffled("idx.b32 %r2|%p1, %r3, 9, 6175")[20], 117u); // segments of 8: 16 + 9 % 8
}

TEST(EmulatedPtx, conversions_saturate_and_round_as_asked)
{
    const auto converted = [](const std::string& type, float x) {
        char text[200];
        std::uint32_t bits;
        std::memcpy(&bits, &x, 4);
        std::snprintf(text, sizeof text, "mov.f32 %%f1, 0f%08X; cvt.%s %%r2, %%f1;%s", bits, type.c_str(), kStore);
        return run(text)[0];
    };
    EXPECT_EQ(int(converted("rzi.s32.f32", -2.75f)), -2);
    EXPECT_EQ(int(converted("rni.s32.f32", 2.5f)), 2);
    EXPECT_EQ(int(converted("rmi.s32.f32", -2.25f)), -3);
    EXPECT_EQ(int(converted("rzi.s32.f32", 3e9f)), std::numeric_limits<int>::max());
    EXPECT_EQ(converted("rzi.u32.f32", -1.f), 0u);
    EXPECT_EQ(converted("rzi.s32.f32", NAN), 0u);
    const Words down = run("mov.f32 %f1, 0f3F800000; mov.f32 %f2, 0f2F800000; sub.rm.f32 %f3, %f1, %f2;"
                           "st.global.f32 [%rd2], %f3;"); // 1 - 2^-32
    EXPECT_EQ(down[0], 0x3f7fffffu);
    EXPECT_EQ(run("mov.u32 %r3, 0x44332211; mov.u32 %r4, 0x88776655; prmt.b32 %r2, %r3, %r4, 0x7d14;" +
                  std::string(kStore))[0],
              0x88002255u); // byte 7; the sign of byte 5; byte 1; byte 4
}

TEST(EmulatedPtx, tensor_cores_cut_off_what_is_far_below_the_largest_addend)
{
    const float one[4] = {1, 1, 1, 1};
    const auto sum = [&](float c, float product, int count) {
        const float a[4] = {product, product, product, product};
        return tensor_core_sum(c, a, one, count);
    };
    EXPECT_EQ(sum(1, 0x1p-25f, 4), 1 + 0x1p-23f); // the last bit that is kept: 26 bits
    EXPECT_EQ(sum(1, 0x1p-26f, 4), 1.f);          // each is lost before they are added
    EXPECT_EQ(sum(1, 0x1.8p-24f, 1), 1.f);        // the sum is cut off, not rounded
    EXPECT_EQ(sum(-1, 0x1p-24f, 3), -1 + 0x1.8p-23f);
    EXPECT_EQ(sum(0.25f, 3, 4), 12.25f);
}

TEST(EmulatedPtx, copies_land_when_they_are_waited_for)
{
    const std::string copy = "st.global.u32 [%rd2], %r1; mov.u32 %r3, box; shl.b32 %r4, %r1, 2; add.s32 %r3, %r3, %r4;"
                             "cp.async.ca.shared.global [%r3], [%rd2], 4, 4; cp.async.commit_group;";
    EXPECT_EQ(run(copy + "cp.async.wait_group 0; ld.shared.u32 %r2, [%r3]; add.s32 %r2, %r2, 7;" + kStore)[9], 16u);
    EXPECT_EQ(run(copy + "cp.async.wait_group 1; ld.shared.u32 %r2, [%r3];" + kStore)[9], ~0u);
}

TEST(EmulatedPtx, stops_for_what_a_gpu_stops_for)
{
    EXPECT_TRUE(
        says(fault_of("st.global.u32 [%rd2+4], %r1;"), {"k, block (0,0,0)", "4 bytes", "global", "st.global.u32"}));
    EXPECT_TRUE(says(fault_of("st.global.u32 [%rd1+2], %r1;"), {"2 off"}));
    EXPECT_TRUE(says(fault_of("ld.shared.u32 %r2, [box+256];"), {"shared"}));
    EXPECT_TRUE(says(fault_of("setp.lt.u32 %p1, %r1, 16; @%p1 bra $out; bar.sync 0;\n$out: bar.sync 0;"),
                     {"a part of a warp"}));
    EXPECT_TRUE(says(fault_of("setp.lt.u32 %p1, %r1, 16; @%p1 exit; shfl.sync.bfly.b32 %r2, %r1, 1, 31, -1;"),
                     {"lanes which have ended"}));
    EXPECT_TRUE(says(fault_of("setp.lt.u32 %p1, %r1, 16; @%p1 bra $other; bar.warp.sync -1; bra.uni $out;\n"
                              "$other: bar.warp.sync -1;\n$out: mov.u32 %r2, 0;"),
                     {"no thread can continue", "bar.warp.sync"}));
    EXPECT_TRUE(says(fault_of(kStore, {.pdl = true}), {"before griddepcontrol.wait"}));
    EXPECT_TRUE(says(fault_of("mov.u32 %r2, 1;", {.pdl = true}), {"ends without griddepcontrol.wait"}));
    EXPECT_EQ(fault_of("griddepcontrol.wait; mov.u32 %r2, 1;" + std::string(kStore), {.pdl = true}), "no fault");
    Module past_the_caches(kernel_text("ld.global.nc.u32 %r2, [%rd2];"));
    EXPECT_THROW(past_the_caches.kernel("k"), std::runtime_error);
}

TEST(EmulatedPtx, names_what_it_does_not_know)
{
    Module module(kernel_text("tex.2d.v4.f32.f32 %f1, %f2;"));
    try {
        module.kernel("k");
        FAIL() << "accepted";
    } catch (const std::runtime_error& e) {
        EXPECT_TRUE(says(e.what(), {"tex.2d", "not emulated"}));
    }
    EXPECT_EQ(module.kernel("another"), nullptr);
    for (const char* unknown :
         {"atom.global.inc.u32 %r2, [%rd2], 5;", "mbarrier.arrive.expect_tx.shared.b64 %rd3, [box], 16;",
          "cp.async.mbarrier.arrive.shared.b64 [box];"})
        EXPECT_THROW(Module(kernel_text(unknown)).kernel("k"), std::runtime_error) << unknown;
}

} // namespace

} // namespace bifrons::emulator
