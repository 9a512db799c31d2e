// The instructions of kernels/ptx/ in simulation: layouts against the tables of the PTX ISA, and what wrong use says.
#include "kernels/ptx/cp_async.h"
#include "kernels/ptx/ldmatrix.h"
#include "kernels/ptx/mma.h"
#include "tests/support/numerics.h"
#include "tests/support/sim_fixture.h"

#include <algorithm>
#include <bit>

namespace bifrons::kernels::sim {

namespace {

using test::kAsyncSchedules, test::kSchedules, test::says;
using Fixture = test::SimFixture;

template <class Word>
Word* words(float* memory)
{
    return reinterpret_cast<Word*>(memory);
}

// ---- ldmatrix, stmatrix ----

using Tile = std::uint16_t[32][8];

constexpr std::uint16_t element(int matrix, int row, int column)
{
    return std::uint16_t(1000 * matrix + 10 * row + column);
}

/// Four matrices, side by side in memory, in the rows that the lanes name.
__device__ void fill(Tile& tile)
{
    const int m = int(threadIdx.x) / 8, i = int(threadIdx.x) % 8;
    for (int j = 0; j < 8; ++j) tile[8 * m + i][j] = element(m, i, j);
    __syncwarp();
}

__global__ void load_matrices(std::uint32_t* out, bool transposed)
{
    wait_for_previous_kernel();
    SHARED(Tile, tile);
    fill(tile);
    std::uint32_t r[4];
    const void* row = tile[threadIdx.x];
    if (transposed)
        ldmatrix_x4_trans(r, row);
    else
        ldmatrix_x4(r, row);
    for (int m = 0; m < 4; ++m) out[threadIdx.x * 4 + unsigned(m)] = r[m];
}

TEST(Ldmatrix, lane_holds_two_neighbours_of_a_row)
{
    for (const std::string schedule : kSchedules) {
        Fixture f(schedule);
        auto* out = words<std::uint32_t>(f.out);
        EXPECT_EQ(f.error_of(load_matrices, {.threads = {32}}, out, false), "") << schedule;
        // Lane 6 of matrix 3: row 1, columns 4 and 5.
        EXPECT_EQ(out[6 * 4 + 3], 3014u | 3015u << 16);
        for (int lane = 0; lane < 32; ++lane)
            for (int m = 0; m < 4; ++m)
                EXPECT_EQ(out[lane * 4 + m],
                          element(m, lane / 4, lane % 4 * 2) | unsigned(element(m, lane / 4, lane % 4 * 2 + 1)) << 16);
    }
}

TEST(Ldmatrix, transposed_lane_holds_two_neighbours_of_a_column)
{
    for (const std::string schedule : kSchedules) {
        Fixture f(schedule);
        auto* out = words<std::uint32_t>(f.out);
        EXPECT_EQ(f.error_of(load_matrices, {.threads = {32}}, out, true), "") << schedule;
        // Lane 6 of matrix 3: column 1, rows 4 and 5.
        EXPECT_EQ(out[6 * 4 + 3], 3041u | 3051u << 16);
        for (int lane = 0; lane < 32; ++lane)
            for (int m = 0; m < 4; ++m)
                EXPECT_EQ(out[lane * 4 + m],
                          element(m, lane % 4 * 2, lane / 4) | unsigned(element(m, lane % 4 * 2 + 1, lane / 4)) << 16);
    }
}

__global__ void store_matrices(std::uint16_t* out)
{
    wait_for_previous_kernel();
    SHARED(Tile, tile);
    std::uint32_t r[4];
    for (int m = 0; m < 4; ++m) {
        const int i = int(threadIdx.x) / 4, j = int(threadIdx.x) % 4 * 2;
        r[m] = element(m, i, j) | unsigned(element(m, i, j + 1)) << 16;
    }
    stmatrix_x4(tile[threadIdx.x], r);
    __syncwarp();
    for (int j = 0; j < 8; ++j) out[threadIdx.x * 8 + unsigned(j)] = tile[threadIdx.x][j];
}

TEST(Stmatrix, is_the_inverse_of_ldmatrix)
{
    for (const std::string schedule : kSchedules) {
        Fixture f(schedule);
        auto* out = words<std::uint16_t>(f.out);
        EXPECT_EQ(f.error_of(store_matrices, {.threads = {32}}, out), "") << schedule;
        EXPECT_EQ(out[(8 * 3 + 1) * 8 + 5], 3015);
        for (int row = 0; row < 32; ++row)
            for (int j = 0; j < 8; ++j) EXPECT_EQ(out[row * 8 + j], element(row / 8, row % 8, j));
    }
}

__global__ void load_at(int bytes_off)
{
    wait_for_previous_kernel();
    SHARED(Tile, tile);
    fill(tile);
    std::uint32_t r[4];
    const char* row = reinterpret_cast<const char*>(tile[threadIdx.x]);
    ldmatrix_x4(r, threadIdx.x == 7 ? row + bytes_off : row);
}

TEST(Ldmatrix, row_lies_aligned_in_shared_memory)
{
    Fixture f("forward");
    EXPECT_EQ(f.error_of(load_at, {.threads = {32}}, 24 * 16), "");
    EXPECT_TRUE(says(f.error_of(load_at, {.threads = {32}}, 25 * 16),
                     {"thread 7 is in ldmatrix_x4 at ", "ptx_test.cpp", "do not lie in one object of shared memory"}));
    EXPECT_TRUE(says(f.error_of(load_at, {.threads = {32}}, -8 * 16), {"thread 7", "shared memory"}));
    EXPECT_TRUE(says(f.error_of(load_at, {.threads = {32}}, 4), {"thread 7", "4 bytes beyond a multiple of 16"}));
    EXPECT_TRUE(says(f.error_of(load_at, {.threads = {24}}, 0), {"ldmatrix_x4", "lane 24 takes no part"}));
}

// ---- mma ----

/// Each lane's operands and result, as they stand in its registers.
struct Fragments {
    std::uint32_t a[32][4], b[32][2];
    float d[32][4];
};

__global__ void one_mma(Fragments* f, bool tf32)
{
    wait_for_previous_kernel();
    const unsigned lane = threadIdx.x;
    if (tf32)
        mma_tf32(f->d[lane], f->a[lane], f->b[lane]);
    else
        mma_bf16(f->d[lane], f->a[lane], f->b[lane]);
}

std::uint32_t bf16_bits(float x)
{
    return std::bit_cast<std::uint32_t>(x) >> 16;
}

void set_half(std::uint32_t& r, int half, float x)
{
    r |= bf16_bits(x) << 16 * half;
}

TEST(Mma, bf16_single_elements_where_the_isa_has_them)
{
    // a: row 9 = 8 + 1, column 12 = 8 + 2 * 2 + 0: group 1, thread 2 of it: lane 6, element a6, the low half of a[3].
    // b: row 12, column 5: group 5, thread 2: lane 22, element b2, the low half of b[1].
    // d: row 9, column 5 = 2 * 2 + 1: lane 6, element c3.
    Fixture f("forward");
    auto& m = *words<Fragments>(f.out) = {};
    set_half(m.a[6][3], 0, 3);
    set_half(m.b[22][1], 0, 5);
    m.d[6][3] = 100, m.d[6][2] = 200;
    EXPECT_EQ(f.error_of(one_mma, {.threads = {32}}, &m, false), "");
    EXPECT_EQ(m.d[6][3], 115);
    EXPECT_EQ(m.d[6][2], 200);
    EXPECT_EQ(m.d[5][3], 0);
}

TEST(Mma, tf32_single_elements_where_the_isa_has_them)
{
    // a: row 9, column 6 = 4 + 2: lane 6, a3. b: row 6, column 5: lane 22, b1. d as above.
    Fixture f("forward");
    auto& m = *words<Fragments>(f.out) = {};
    m.a[6][3] = to_tf32(3);
    m.b[22][1] = to_tf32(5);
    m.d[6][3] = 100;
    EXPECT_EQ(f.error_of(one_mma, {.threads = {32}}, &m, true), "");
    EXPECT_EQ(m.d[6][3], 115);
    EXPECT_EQ(m.d[5][3], 0);
}

/// Row and column of each element of a lane as the tables of the ISA say it, element by element.
int row_of_a(int lane, int i, bool tf32)
{
    const int group = lane / 4;
    if (tf32) return i == 0 || i == 2 ? group : group + 8;
    return (0 <= i && i < 2) || (4 <= i && i < 6) ? group : group + 8;
}
int column_of_a(int lane, int i, bool tf32)
{
    const int thread = lane % 4;
    if (tf32) return i < 2 ? thread : thread + 4;
    return i < 4 ? thread * 2 + (i & 1) : thread * 2 + (i & 1) + 8;
}
int row_of_b(int lane, int i, bool tf32)
{
    const int thread = lane % 4;
    if (tf32) return i == 0 ? thread : thread + 4;
    return i < 2 ? thread * 2 + (i & 1) : thread * 2 + (i & 1) + 8;
}

/// Whole numbers that differ along both axes.
float value_of_a(int i, int k)
{
    return float((7 * i + 3 * k) % 17 - 8);
}
float value_of_b(int k, int j)
{
    return float((5 * k + 11 * j) % 13 - 6);
}
float value_of_c(int i, int j)
{
    return float(100 * i + j);
}

Fragments whole_number_fragments(bool tf32)
{
    Fragments m = {};
    const auto set = [&](std::uint32_t* r, int i, float x) {
        if (tf32)
            r[i] = to_tf32(x);
        else
            set_half(r[i / 2], i % 2, x);
    };
    for (int l = 0; l < 32; ++l) {
        for (int i = 0; i < (tf32 ? 4 : 8); ++i)
            set(m.a[l], i, value_of_a(row_of_a(l, i, tf32), column_of_a(l, i, tf32)));
        for (int i = 0; i < (tf32 ? 2 : 4); ++i) set(m.b[l], i, value_of_b(row_of_b(l, i, tf32), l / 4));
        for (int i = 0; i < 4; ++i) m.d[l][i] = value_of_c(l / 4 + (i < 2 ? 0 : 8), l % 4 * 2 + (i & 1));
    }
    return m;
}

TEST(Mma, is_exact_on_whole_numbers)
{
    for (const bool tf32 : {false, true})
        for (const std::string schedule : kSchedules) {
            Fixture f(schedule);
            auto& m = *words<Fragments>(f.out) = whole_number_fragments(tf32);
            EXPECT_EQ(f.error_of(one_mma, {.threads = {32}}, &m, tf32), "") << schedule;
            for (int l = 0; l < 32; ++l)
                for (int e = 0; e < 4; ++e) {
                    const int i = l / 4 + (e < 2 ? 0 : 8), j = l % 4 * 2 + (e & 1);
                    float want = value_of_c(i, j);
                    for (int k = 0; k < (tf32 ? 8 : 16); ++k) want += value_of_a(i, k) * value_of_b(k, j);
                    EXPECT_EQ(m.d[l][e], want) << schedule << " row " << i << " column " << j << " tf32 " << tf32;
                }
        }
}

TEST(Mma, tf32_operands_are_rounded_ones)
{
    Fixture f("forward");
    auto& m = *words<Fragments>(f.out) = whole_number_fragments(true);
    m.b[17][1] = std::bit_cast<std::uint32_t>(1.0f / 3);
    EXPECT_TRUE(says(f.error_of(one_mma, {.threads = {32}}, &m, true), {"mma_tf32", "lane 17", "b[1]", "to_tf32"}));
    m.b[17][1] = 0xffffffff; // poison: NaN
    EXPECT_EQ(f.error_of(one_mma, {.threads = {32}}, &m, true), "");
    EXPECT_TRUE(std::isnan(m.d[0][0]) || std::isnan(m.d[2][0]));
}

TEST(Mma, needs_the_whole_warp)
{
    Fixture f("forward");
    auto& m = *words<Fragments>(f.out) = {};
    EXPECT_TRUE(says(f.error_of(one_mma, {.threads = {31}}, &m, false), {"mma_bf16", "lane 31 takes no part"}));
}

TEST(Mma, to_tf32_rounds_ties_away_from_zero)
{
    const auto rounded = [](float x) { return std::bit_cast<float>(to_tf32(x)); };
    const float ulp = std::ldexp(1.0f, -10); // of 1 in tf32
    EXPECT_EQ(rounded(1 + 0.49f * ulp), 1);
    EXPECT_EQ(rounded(1 + 0.5f * ulp), 1 + ulp);
    EXPECT_EQ(rounded(1 + 1.5f * ulp), 1 + 2 * ulp);
    EXPECT_EQ(rounded(-1 - 0.5f * ulp), -1 - ulp);
    EXPECT_EQ(rounded(0), 0);
    EXPECT_EQ(rounded(INFINITY), INFINITY);
    EXPECT_EQ(rounded(-INFINITY), -INFINITY);
    EXPECT_EQ(rounded(std::nextafter(INFINITY, 0.0f)), INFINITY);
    EXPECT_EQ(to_tf32(NAN), 0x7fffffffu);
}

int ldmatrix_line;

template <int RowBytes>
__global__ void loads_rows(float* out)
{
    wait_for_previous_kernel();
    using Rows = char[32 * RowBytes];
    Rows& rows = dyn_shared<Rows>();
    for (unsigned i = threadIdx.x; i < sizeof(Rows); i += 32) rows[i] = 0;
    __syncwarp();
    std::uint32_t r[4];
    ldmatrix_line = __LINE__, ldmatrix_x4(r, rows + RowBytes * threadIdx.x);
    out[threadIdx.x] = float(r[0]);
}

template <int RowBytes>
double ways_of_loading_rows()
{
    Fixture f("forward");
    f.device.count_accesses();
    EXPECT_EQ(f.error_of(loads_rows<RowBytes>, {.threads = {32}, .smem = 32 * RowBytes}, f.out), "");
    return f.device.access_count("kernel", str("tests/kernels/ptx_test.cpp:", ldmatrix_line)).ways();
}

TEST(Ldmatrix, bank_conflicts_are_counted)
{
    EXPECT_EQ(ways_of_loading_rows<16>(), 1);
    EXPECT_EQ(ways_of_loading_rows<64>(), 4);
    EXPECT_EQ(ways_of_loading_rows<64 + 16>(), 1);
    EXPECT_EQ(ways_of_loading_rows<128>(), 8);
}

// ---- cp.async ----

constexpr int kStages = 3, kSteps = 8, kThreads = 64;
using Stages = float[kStages][4 * kThreads];

/// Sums `kSteps` tiles that are copied ahead of their use. GroupsLeft = kStages - 2 is right. A stage is free when all
/// have come to the barrier of the next step; with `Early` it is filled before that.
template <int GroupsLeft, bool Early = false>
__global__ void pipeline(const float* in, float* out)
{
    wait_for_previous_kernel();
    SHARED(Stages, stages);
    const unsigned t = threadIdx.x;
    const auto begin = [&](int step) {
        if (step < kSteps) cp_async<16>(&stages[step % kStages][4 * t], in + 4 * kThreads * step + 4 * t, true);
        cp_async_commit();
    };
    for (int step = 0; step < kStages - 1; ++step) begin(step);
    float sum = 0;
    for (int step = 0; step < kSteps; ++step) {
        cp_async_wait<GroupsLeft>();
        if (Early) begin(step + kStages - 1);
        __syncthreads();
        sum += stages[step % kStages][4 * kThreads - 1 - t];
        if (!Early) begin(step + kStages - 1);
    }
    cp_async_wait<0>();
    out[t] = sum;
}

float sum_of_pipeline(int thread)
{
    float sum = 0;
    for (int step = 0; step < kSteps; ++step) sum += float(4 * kThreads * (step + 1) - 1 - thread);
    return sum;
}

TEST(CpAsync, a_pipeline_is_right_under_every_schedule)
{
    for (const std::string schedule : kAsyncSchedules) {
        Fixture f(schedule);
        EXPECT_EQ(f.error_of(pipeline<kStages - 2>, {.threads = {kThreads}}, f.in, f.out), "") << schedule;
        for (int t = 0; t < kThreads; ++t) EXPECT_EQ(f.out[t], sum_of_pipeline(t)) << schedule;
    }
}

TEST(CpAsync, late_copies_show_a_wait_that_is_one_group_short)
{
    BIFRONS_SKIP_WHERE_CHECKED();
    for (const std::string schedule : {"forward:late", "reverse:late", "random:1:late", "warps:1:late"}) {
        Fixture f(schedule);
        EXPECT_EQ(f.error_of(pipeline<kStages - 1>, {.threads = {kThreads}}, f.in, f.out), "");
        EXPECT_TRUE(std::any_of(f.out, f.out + kThreads, [](float x) { return std::isnan(x); })) << schedule;
    }
    Fixture f("forward:early");
    EXPECT_EQ(f.error_of(pipeline<kStages - 1>, {.threads = {kThreads}}, f.in, f.out), "");
    EXPECT_EQ(f.out[0], sum_of_pipeline(0)) << "hidden: the data is there before anybody asks";
}

TEST(CpAsync, a_stage_that_is_filled_too_early_shows)
{
    BIFRONS_SKIP_WHERE_CHECKED();
    for (const std::string schedule : kAsyncSchedules) {
        Fixture f(schedule);
        EXPECT_EQ(f.error_of(pipeline<kStages - 2, true>, {.threads = {kThreads}}, f.in, f.out), "");
        int wrong = 0;
        for (int t = 0; t < kThreads; ++t) wrong += !(f.out[t] == sum_of_pipeline(t));
        EXPECT_GT(wrong, 0) << schedule;
    }
}

template <int Bytes>
__global__ void copy_some(const float* in, float* out, int to_byte, int from_byte, int first_invalid)
{
    wait_for_previous_kernel();
    using Bytes64 = char[64];
    SHARED(Bytes64, buffer);
    const unsigned t = threadIdx.x;
    if (t == 0)
        for (char& byte : buffer) byte = char(0xFF); // NaN
    __syncthreads();
    cp_async<Bytes>(buffer + to_byte + Bytes * int(t), reinterpret_cast<const char*>(in) + from_byte + Bytes * int(t),
                    int(t) < first_invalid);
    cp_async_commit();
    cp_async_wait<0>();
    __syncthreads();
    if (t == 0)
        for (int i = 0; i < 16; ++i) std::memcpy(out + i, buffer + 4 * i, 4);
}

TEST(CpAsync, writes_its_bytes_and_zeros_where_there_are_none)
{
    for (const std::string schedule : kAsyncSchedules) {
        Fixture f(schedule);
        EXPECT_EQ(f.error_of(copy_some<4>, {.threads = {3}}, f.in, f.out, 8, 400, 2), "") << schedule;
        EXPECT_TRUE(std::isnan(f.out[1]));
        EXPECT_EQ(f.out[2], 100);
        EXPECT_EQ(f.out[3], 101);
        EXPECT_EQ(f.out[4], 0);
        EXPECT_TRUE(std::isnan(f.out[5]));
        EXPECT_EQ(f.error_of(copy_some<8>, {.threads = {2}}, f.in, f.out, 8, 400, 2), "");
        EXPECT_EQ(f.out[5], 103);
        EXPECT_TRUE(std::isnan(f.out[6]));
        EXPECT_EQ(f.error_of(copy_some<16>, {.threads = {2}}, f.in, f.out, 16, 400, 1), "");
        EXPECT_EQ(f.out[7], 103);
        EXPECT_EQ(f.out[11], 0);
        EXPECT_TRUE(std::isnan(f.out[12]));
    }
}

TEST(CpAsync, addresses_are_checked)
{
    Fixture f("reverse");
    const Grid one;
    EXPECT_TRUE(says(f.error_of(copy_some<8>, one, f.in, f.out, 4, 0, 1),
                     {"thread 0 is in cp_async at ", "ptx_test.cpp", "4 bytes beyond a multiple of 8"}));
    EXPECT_TRUE(says(f.error_of(copy_some<16>, one, f.in, f.out, 0, 8, 1), {"8 bytes beyond a multiple of 16"}));
    EXPECT_TRUE(
        says(f.error_of(copy_some<16>, one, f.in, f.out, 64, 0, 1), {"16 bytes that do not lie in one object"}));
    EXPECT_EQ(f.error_of(copy_some<16>, one, f.in, f.out, 48, 16 * 1023, 1), "");
}

__global__ void leaves_with_a_copy(const float* in, bool commits)
{
    wait_for_previous_kernel();
    SHARED(float, buffer);
    if (threadIdx.x == 3) {
        cp_async<4>(&buffer, in, true);
        if (commits) cp_async_commit();
        if (!commits) cp_async_wait<0>(); // which takes closed groups only
    }
}

TEST(CpAsync, copies_are_waited_for_before_a_thread_ends)
{
    for (const std::string schedule : kAsyncSchedules)
        for (const bool commits : {false, true}) {
            Fixture f(schedule);
            EXPECT_TRUE(says(f.error_of(leaves_with_a_copy, {.threads = {32}}, f.in, commits),
                             {"thread 3 ends with 1 copies", "cp_async at ", "ptx_test.cpp"}))
                << schedule;
            EXPECT_EQ(f.error_of(pipeline<kStages - 2>, {.threads = {kThreads}}, f.in, f.out), "") << "afterwards";
        }
}

} // namespace

} // namespace bifrons::kernels::sim
