#include "kernels/ptx/ldmatrix.h"

#include <cstring>

namespace bifrons::kernels::sim {

namespace {

constexpr int kRowBytes = 16;

/// One lane's part. Loads write `registers`, stores read them.
struct MatrixLane {
    char* row;
    std::uint32_t* registers;
};

using Matrix = std::uint16_t[8][8];

MatrixLane& lane_of(const WarpArguments& lanes, int lane)
{
    return *static_cast<MatrixLane*>(lanes[std::size_t(lane)]);
}

template <bool Transposed>
std::string load_x4(const WarpArguments& lanes)
{
    if (std::string missing = missing_lane(lanes); !missing.empty()) return missing;
    for (int m = 0; m < 4; ++m) {
        Matrix matrix;
        for (int i = 0; i < 8; ++i) std::memcpy(matrix[i], lane_of(lanes, 8 * m + i).row, kRowBytes);
        for (int l = 0; l < kWarpSize; ++l) {
            const int i = l / 4, j = l % 4 * 2;
            const std::uint32_t low = Transposed ? matrix[j][i] : matrix[i][j];
            const std::uint32_t high = Transposed ? matrix[j + 1][i] : matrix[i][j + 1];
            lane_of(lanes, l).registers[m] = low | high << 16;
        }
    }
    return "";
}

std::string store_x4(const WarpArguments& lanes)
{
    if (std::string missing = missing_lane(lanes); !missing.empty()) return missing;
    for (int m = 0; m < 4; ++m)
        for (int l = 0; l < kWarpSize; ++l)
            std::memcpy(lane_of(lanes, 8 * m + l / 4).row + l % 4 * 4, lane_of(lanes, l).registers + m, 4);
    return "";
}

void meet(MatrixLane mine, Access access, WarpOperation operation, const Site& site)
{
    Executor& executor = Executor::current();
    executor.check_aligned(mine.row, kRowBytes, site);
    executor.check_shared(mine.row, kRowBytes, site);
    executor.note_access(mine.row, kRowBytes, access, site);
    executor.meet_warp(kWholeWarp, &mine, operation, site);
}

/// Loads change nothing through `row`.
char* bytes(const void* row)
{
    return static_cast<char*>(const_cast<void*>(row));
}

} // namespace

void ldmatrix_x4(std::uint32_t (&r)[4], const void* row, const char* file, int line)
{
    meet({bytes(row), r}, Access::read, load_x4<false>, {"ldmatrix_x4", file, line});
}

void ldmatrix_x4_trans(std::uint32_t (&r)[4], const void* row, const char* file, int line)
{
    meet({bytes(row), r}, Access::read, load_x4<true>, {"ldmatrix_x4_trans", file, line});
}

void stmatrix_x4(void* row, const std::uint32_t (&r)[4], const char* file, int line)
{
    std::uint32_t values[4];
    std::memcpy(values, r, sizeof values);
    meet({bytes(row), values}, Access::write, store_x4, {"stmatrix_x4", file, line});
}

} // namespace bifrons::kernels::sim
