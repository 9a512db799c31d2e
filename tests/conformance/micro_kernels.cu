// tests/conformance/micro_kernels.cu - see micro_kernels.h. Values are whole numbers where the order of a sum is open.
#include "kernels/base/bf16.h"
#include "kernels/device/simt.h"
#include "kernels/ptx/cp_async.h"
#include "kernels/ptx/grid_sync.h"
#include "kernels/ptx/ldmatrix.h"
#include "kernels/ptx/mbarrier.h"
#include "kernels/ptx/mma.h"
#include "tests/conformance/micro_kernels.h"

namespace bifrons::kernels::BIFRONS_SIMT_NS {

namespace {

using std::uint32_t;

// ---- ldmatrix, stmatrix ----

/// 32 rows of 16 bytes.
struct alignas(16) Rows {
    uint32_t word[32][4];
};

/// Each lane names another row than its own number's.
__device__ int row_of_lane()
{
    return int(5 * threadIdx.x + 3) % 32;
}

template <class Load>
__device__ void load_rows(const uint32_t* in, uint32_t* out, const Load& load)
{
    SHARED(Rows, rows);
    for (int i = 0; i < 4; ++i) rows.word[threadIdx.x][i] = in[4 * threadIdx.x + i];
    __syncwarp();
    uint32_t r[4];
    load(r, rows.word[row_of_lane()]);
    for (int i = 0; i < 4; ++i) out[4 * threadIdx.x + i] = r[i];
}

__global__ void ldmatrix_x4_kernel(const uint32_t* in, uint32_t* out)
{
    wait_for_previous_kernel();
    load_rows(in, out, [](uint32_t(&r)[4], const void* row) { ldmatrix_x4(r, row); });
}

__global__ void ldmatrix_x4_trans_kernel(const uint32_t* in, uint32_t* out)
{
    wait_for_previous_kernel();
    load_rows(in, out, [](uint32_t(&r)[4], const void* row) { ldmatrix_x4_trans(r, row); });
}

__global__ void stmatrix_x4_kernel(const uint32_t* in, uint32_t* out)
{
    wait_for_previous_kernel();
    SHARED(Rows, rows);
    uint32_t r[4];
    for (int i = 0; i < 4; ++i) r[i] = in[4 * threadIdx.x + i];
    stmatrix_x4(rows.word[row_of_lane()], r);
    __syncwarp();
    for (int i = 0; i < 4; ++i) out[4 * threadIdx.x + i] = rows.word[threadIdx.x][i];
}

// ---- mma ----

/// -8..7
__device__ float small_number(uint32_t bits)
{
    return float(int(bits & 15) - 8);
}

__device__ uint32_t two_bf16(uint32_t bits)
{
    return to_bf16(small_number(bits)).bits | uint32_t(to_bf16(small_number(bits >> 4)).bits) << 16;
}

/// Operands from the input's bits; the result's bits.
template <class Operand, class Mma>
__device__ void multiply(const uint32_t* in, uint32_t* out, const Operand& operand, const Mma& mma)
{
    const uint32_t* mine = in + 10 * threadIdx.x;
    uint32_t a[4], b[2];
    float d[4];
    for (int i = 0; i < 4; ++i) a[i] = operand(mine[i]);
    for (int i = 0; i < 2; ++i) b[i] = operand(mine[4 + i]);
    for (int i = 0; i < 4; ++i) d[i] = 100 * small_number(mine[6 + i]);
    mma(d, a, b);
    for (int i = 0; i < 4; ++i) out[4 * threadIdx.x + i] = __float_as_uint(d[i]);
}

__global__ void mma_bf16_kernel(const uint32_t* in, uint32_t* out)
{
    wait_for_previous_kernel();
    multiply(
        in, out, [](uint32_t bits) { return two_bf16(bits); },
        [](float(&d)[4], const uint32_t(&a)[4], const uint32_t(&b)[2]) { mma_bf16(d, a, b); });
}

__global__ void mma_tf32_kernel(const uint32_t* in, uint32_t* out)
{
    wait_for_previous_kernel();
    multiply(
        in, out, [](uint32_t bits) { return to_tf32(small_number(bits)); },
        [](float(&d)[4], const uint32_t(&a)[4], const uint32_t(&b)[2]) { mma_tf32(d, a, b); });
}

__global__ void to_tf32_kernel(const uint32_t* in, uint32_t* out)
{
    wait_for_previous_kernel();
    const uint32_t any = in[threadIdx.x];
    const uint32_t bits[] = {any,
                             (any & ~0x1fffu) | 0x1000u,
                             any & ~0x1fffu,
                             any & 0x807fffffu,
                             any | 0x7f800000u,
                             (any & 0x80000000u) | 0x7f800000u,
                             0x7f7fffffu,
                             0x80000000u};
    for (int i = 0; i < 8; ++i) out[8 * threadIdx.x + i] = to_tf32(__uint_as_float(bits[i]));
}

// ---- cp.async ----

using Words = uint32_t[256];

/// The lanes copy backwards; some copy zeros.
template <int Bytes>
__global__ void cp_async_kernel(const uint32_t* in, uint32_t* out)
{
    wait_for_previous_kernel();
    constexpr int kWords = Bytes / 4;
    struct alignas(16) Buffer {
        Words word;
    };
    SHARED(Buffer, buffer);
    const int lane = int(threadIdx.x);
    cp_async<Bytes>(buffer.word + kWords * (31 - lane), in + kWords * lane, in[lane] % 4 != 0);
    cp_async_commit();
    cp_async_wait<0>();
    __syncwarp();
    for (int i = 0; i < kWords; ++i) out[kWords * lane + i] = buffer.word[kWords * lane + i];
}

/// Four groups, read as they arrive.
__global__ void cp_async_wait_kernel(const uint32_t* in, uint32_t* out)
{
    wait_for_previous_kernel();
    SHARED(Words, buffer);
    const int lane = int(threadIdx.x);
    for (int group = 0; group < 4; ++group) {
        cp_async<4>(buffer + 32 * group + lane, in + 32 * group + lane, true);
        cp_async_commit();
    }
    const auto take = [&](int group) { out[32 * group + lane] = buffer[32 * group + lane]; };
    cp_async_wait<3>();
    take(0);
    cp_async_wait<1>();
    take(1);
    take(2);
    cp_async_wait<0>();
    take(3);
}

// ---- mbarrier ----

struct alignas(16) Mailbox {
    uint32_t word[128];
    Mbarrier full, empty;
};

__device__ void open_mailbox(Mailbox& box, unsigned writers, unsigned readers)
{
    if (threadIdx.x == 0) {
        mbarrier_init(box.full, writers);
        mbarrier_init(box.empty, readers);
    }
    __syncthreads();
}

/// The first warp hands the second one words, 32 a phase.
__global__ void mbarrier_kernel(const uint32_t* in, uint32_t* out)
{
    wait_for_previous_kernel();
    SHARED(Mailbox, box);
    open_mailbox(box, 32, 32);
    const unsigned lane = threadIdx.x % 32;
    for (unsigned phase = 0; phase < 5; ++phase) {
        if (threadIdx.x < 32) {
            if (phase > 0) mbarrier_wait(box.empty, (phase - 1) % 2);
            box.word[lane] = in[32 * phase + lane];
            mbarrier_arrive(box.full);
        } else {
            mbarrier_wait(box.full, phase % 2);
            out[32 * phase + lane] = box.word[31 - lane];
            mbarrier_arrive(box.empty);
        }
    }
}

__global__ void cp_async_mbarrier_arrive_kernel(const uint32_t* in, uint32_t* out)
{
    wait_for_previous_kernel();
    SHARED(Mailbox, box);
    open_mailbox(box, 32, 32);
    const unsigned lane = threadIdx.x % 32;
    for (unsigned phase = 0; phase < 3; ++phase) {
        if (threadIdx.x < 32) {
            if (phase > 0) mbarrier_wait(box.empty, (phase - 1) % 2);
            cp_async<16>(box.word + 4 * lane, in + 128 * phase + 4 * lane, true);
            cp_async_mbarrier_arrive(box.full);
        } else {
            mbarrier_wait(box.full, phase % 2);
            for (unsigned i = 0; i < 4; ++i) out[128 * phase + 32 * i + lane] = box.word[32 * i + 31 - lane];
            mbarrier_arrive(box.empty);
        }
    }
}

/// One thread has the words brought, 64 and 192 bytes of them into a buffer that threads wrote before.
__global__ void bulk_copy_kernel(const uint32_t* in, uint32_t* out)
{
    wait_for_previous_kernel();
    SHARED(Mailbox, box);
    for (unsigned i = 0; i < 4; ++i) box.word[32 * i + threadIdx.x] = threadIdx.x;
    if (threadIdx.x == 0) mbarrier_init(box.full, 1);
    fence_proxy_async();
    __syncthreads();
    if (threadIdx.x == 0) {
        mbarrier_expect_tx(box.full, 256);
        bulk_copy(box.word + 16, in, 64, box.full);
        bulk_copy(box.word + 64, in + 100, 192, box.full);
        mbarrier_arrive(box.full);
    }
    mbarrier_wait(box.full, 0);
    for (unsigned i = 0; i < 4; ++i) out[32 * i + threadIdx.x] = box.word[32 * i + threadIdx.x];
}

// ---- between blocks and kernels ----

/// Three rounds in which each block takes over the words of the next one; the counter is the last word.
__global__ void grid_sync_kernel(const uint32_t* in, uint32_t* out)
{
    wait_for_previous_kernel();
    uint32_t* const counter = out + 192;
    const unsigned i = unsigned(global_thread());
    out[i] = in[i];
    for (int round = 0; round < 3; ++round) {
        grid_sync(counter);
        const uint32_t* const from = out + round % 2 * 96;
        out[(1 - round % 2) * 96 + i] = from[(i + 32) % 96] + 1;
    }
}

__global__ void spin_wait_kernel(const uint32_t* in, uint32_t* out)
{
    wait_for_previous_kernel();
    uint32_t* const value = out + 32;
    if (threadIdx.x >= 32) {
        out[threadIdx.x + 32] = in[threadIdx.x];
        __threadfence();
        atomicAdd(value, 1);
    } else {
        spin_wait(value, [](unsigned now) { return now == 32; });
        out[threadIdx.x] = out[95 - threadIdx.x];
    }
}

__global__ void grid_dependency_kernel(const uint32_t* in, uint32_t* out)
{
    wait_for_previous_kernel();
    out[threadIdx.x] = out[threadIdx.x] * 2 + in[threadIdx.x];
}

// ---- CUDA's words ----

__global__ void shuffle_kernel(const uint32_t* in, uint32_t* out)
{
    wait_for_previous_kernel();
    const int lane = int(threadIdx.x);
    const uint32_t word = in[lane];
    uint32_t* mine = out + 6 * lane;
    mine[0] = __shfl_sync(kWholeWarp, word, int(in[32 + lane] % 64));
    mine[1] = __shfl_up_sync(kWholeWarp, word, 5);
    mine[2] = __shfl_down_sync(kWholeWarp, word, 7);
    mine[3] = __shfl_xor_sync(kWholeWarp, word, 21);
    const unsigned mask = lane < 12 ? 0xfffu : ~0xfffu;
    mine[4] = __shfl_sync(mask, word, lane < 12 ? 3 : 17);
    mine[5] = __float_as_uint(__shfl_xor_sync(mask, float(lane), 1));
}

__global__ void vote_kernel(const uint32_t* in, uint32_t* out)
{
    wait_for_previous_kernel();
    const int lane = int(threadIdx.x);
    const unsigned mask = lane < 12 ? 0xfffu : ~0xfffu;
    const uint32_t word = in[lane];
    const int number = int(word);
    const uint32_t results[] = {__ballot_sync(mask, word & 1),
                                uint32_t(__any_sync(mask, lane == 3)),
                                uint32_t(__all_sync(mask, lane < 12)),
                                __reduce_add_sync(mask, word),
                                __reduce_min_sync(mask, word),
                                __reduce_max_sync(mask, word),
                                uint32_t(__reduce_add_sync(mask, number)),
                                uint32_t(__reduce_min_sync(mask, number)),
                                uint32_t(__reduce_max_sync(mask, number)),
                                __reduce_and_sync(mask, word | 0xf0f0f0f0u),
                                __reduce_or_sync(mask, word & 0x0f0f0f0fu),
                                __reduce_xor_sync(mask, word)};
    for (int i = 0; i < 12; ++i) out[12 * lane + i] = results[i];
}

__global__ void atomic_kernel(const uint32_t* in, uint32_t* out)
{
    wait_for_previous_kernel();
    const uint32_t word = in[threadIdx.x];
    int* const numbers = reinterpret_cast<int*>(out + 8);
    if (threadIdx.x == 0) out[2] = out[4] = ~0u;
    __syncwarp();
    atomicAdd(out, word);
    atomicMax(out + 1, word);
    atomicMin(out + 2, ~word);
    atomicOr(out + 3, word & 0x11111111u);
    atomicAnd(out + 4, word);
    atomicCAS(out + 5, 0u, 77u);
    if (threadIdx.x == 0) out[7] = atomicExch(out + 6, word);
    atomicAdd(numbers, int(word));
    atomicMin(numbers + 1, int(word));
    atomicMax(numbers + 2, int(word));
}

__global__ void bit_kernel(const uint32_t* in, uint32_t* out)
{
    wait_for_previous_kernel();
    const uint32_t word = threadIdx.x == 0 ? 0 : in[threadIdx.x] >> threadIdx.x;
    const uint32_t results[] = {uint32_t(__popc(word)), uint32_t(__clz(int(word))), uint32_t(__ffs(int(word))),
                                __float_as_uint(float(word))};
    for (int i = 0; i < 4; ++i) out[4 * threadIdx.x + i] = results[i];
}

// ---- the table ----

using Kernel = void (*)(const uint32_t*, uint32_t*);

template <Kernel kernel, unsigned Threads = 32>
void start(const kernels::Exec& ex, const uint32_t* in, uint32_t* out)
{
    launch("micro_kernel", kernel, {.threads = {Threads}}, ex, in, out);
}

void start_grid_sync(const kernels::Exec& ex, const uint32_t* in, uint32_t* out)
{
    launch("micro_kernel", grid_sync_kernel, {.blocks = {3}, .threads = {32}, .cooperative = true}, ex, in, out);
}

void start_grid_dependency(const kernels::Exec& ex, const uint32_t* in, uint32_t* out)
{
    for (int i = 0; i < 3; ++i) launch("micro_kernel", grid_dependency_kernel, {.threads = {32}}, ex, in, out);
}

} // namespace

const std::vector<test::MicroKernel>& micro_kernels()
{
    static const std::vector<test::MicroKernel> kernels = {
        {"ldmatrix_x4", 80, 128, start<ldmatrix_x4_kernel>},
        {"ldmatrix_x4_trans", 80, 128, start<ldmatrix_x4_trans_kernel>},
        {"stmatrix_x4", 90, 128, start<stmatrix_x4_kernel>},
        {"mma_bf16", 80, 128, start<mma_bf16_kernel>},
        {"mma_tf32", 80, 128, start<mma_tf32_kernel>},
        {"to_tf32", 80, 256, start<to_tf32_kernel>},
        {"cp_async_4", 80, 32, start<cp_async_kernel<4>>},
        {"cp_async_8", 80, 64, start<cp_async_kernel<8>>},
        {"cp_async_16", 80, 128, start<cp_async_kernel<16>>},
        {"cp_async_wait", 80, 128, start<cp_async_wait_kernel>},
        {"mbarrier", 80, 160, start<mbarrier_kernel, 64>},
        {"cp_async_mbarrier_arrive", 80, 384, start<cp_async_mbarrier_arrive_kernel, 64>},
        {"bulk_copy", 90, 128, start<bulk_copy_kernel>},
        {"grid_sync", 80, 193, start_grid_sync},
        {"spin_wait", 80, 96, start<spin_wait_kernel, 64>},
        {"grid_dependency", 80, 32, start_grid_dependency},
        {"shuffle", 80, 192, start<shuffle_kernel>},
        {"vote", 80, 384, start<vote_kernel>},
        {"atomic", 80, 12, start<atomic_kernel>},
        {"bit", 80, 128, start<bit_kernel>},
    };
    return kernels;
}

} // namespace bifrons::kernels::BIFRONS_SIMT_NS
