// kernels/poisson/poisson.cu - gradient-domain blending. The solver is one cooperative launch: conjugate gradients and
// the V-cycles in it (multigrid.cuh), with barriers among all blocks, so that the iterations end without the host.
// Limit: the latency of some 20 barriers an iteration and level for a face; memory from some 2000 x 2000 px on.
#include "kernels/poisson/poisson.h"

#include "kernels/base/clamp.h"
#include "kernels/device/dispatch.h"
#include "kernels/device/simt.h"
#include "kernels/poisson/poisson_ref.h"

#include "kernels/poisson/multigrid.cuh"

namespace bifrons::kernels::BIFRONS_SIMT_NS {

namespace {

// ---- around the solver: one thread an element ---------------------------------------------------------------------

template <class P>
__global__ void __launch_bounds__(kBlockSize)
    divergence_kernel(PoissonShape s, const P* source, const P* target, const float* m, float* divergence)
{
    wait_for_previous_kernel();
    const std::int64_t i = global_thread();
    if (i < s.size()) divergence[i] = ref::divergence_at(s, source, target, m, i);
}

// ---- the solver ---------------------------------------------------------------------------------------------------

struct Problem {
    PoissonShape shape;
    PoissonLevels levels;
    PoissonBuffers buffers;
    const float* divergence;
    const std::uint8_t* mask; // may be null
    float tolerance;
    float* f;
};

/// Whether pixel (y, x) of a level is solved for: whether the pixels it lies on are, down to the mask.
__device__ bool is_inside(const Problem& p, int level, int y, int x)
{
    for (;; --level, y *= 2, x *= 2) {
        const PoissonLevels::Level& l = p.levels.level[level];
        if (y < 1 || x < 1 || y >= l.H - 1 || x >= l.W - 1) return false;
        if (level == 0) return !p.mask || p.mask[std::int64_t(y) * l.W + x] != 0;
    }
}

/// Whether a pixel within 2 of an inside one is outside.
__device__ bool is_near_edge(const PoissonLevels::Level& l, const std::uint8_t* inside, int y, int x)
{
    if (y < 2 || x < 2 || y >= l.H - 2 || x >= l.W - 2) return true;
    for (int v = y - 2; v <= y + 2; ++v)
        for (int u = x - 2; u <= x + 2; ++u)
            if (!inside[v * l.W + u]) return true;
    return false;
}

/// The mask at every level, by all warps of the grid.
__device__ void make_masks(const Problem& p, const Team& grid)
{
    const auto for_all = [&](const auto& body) {
        for (int i = 0; i < p.levels.depth; ++i) {
            const PoissonLevels::Level& l = p.levels.level[i];
            for (int y = grid.warp; y < l.H; y += grid.warps)
                for (int x = int(threadIdx.x % 32); x < l.W; x += 32) body(i, l, y, x);
        }
    };
    for_all([&](int i, const PoissonLevels::Level& l, int y, int x) {
        p.buffers.inside[l.first + y * l.W + x] = is_inside(p, i, y, x);
    });
    grid.wait();
    for_all([&](int, const PoissonLevels::Level& l, int y, int x) {
        const std::uint8_t* inside = p.buffers.inside + l.first;
        p.buffers.band[l.first + y * l.W + x] = inside[y * l.W + x] && is_near_edge(l, inside, y, x);
    });
    grid.wait();
}

/// The largest of the block's values, in every thread.
__device__ float block_largest(float value)
{
    using Partials = float[kWarps];
    SHARED(Partials, partial);
    for (int distance = 16; distance > 0; distance /= 2)
        value = largest(value, __shfl_xor_sync(kWholeWarp, value, distance));
    __syncthreads(); // the partials of an earlier call may still be being read
    if (threadIdx.x % 32 == 0) partial[threadIdx.x / 32] = value;
    __syncthreads();
    for (int warp = 0; warp < kWarps; ++warp) value = largest(value, partial[warp]);
    return value;
}

/// Conjugate gradients on A u = r for the correction u of f: one channel, by the blocks that have its number modulo C.
class ChannelSolver {
  public:
    __device__ explicit ChannelSolver(const Problem& p)
        : p_(p), C_(int(p.shape.C)), channel_(int(blockIdx.x) % C_), blocks_(int(gridDim.x) / C_),
          member_(int(blockIdx.x) / C_), all_{member_ * kWarps + int(threadIdx.x) / 32, blocks_ * kWarps,
                                              p.buffers.counter},
          one_{int(threadIdx.x) / 32, kWarps, nullptr}, direction_(p.buffers.p + channel_ * p.shape.pixels())
    {
        while (first_of_block_ < p.levels.depth - 1 && p.levels.level[first_of_block_].pixels() > kPixelsOfBlock)
            ++first_of_block_;
    }

    __device__ void solve()
    {
        const Level fine = level(0);
        start(fine);
        double before = 0;
        for (int iteration = 0; iteration < kMostIterations; ++iteration) {
            v_cycle(
                all_, one_, member_ == 0, [this](int i) { return level(i); }, first_of_block_, p_.levels.depth);
            const double rz = product(fine);
            if (largest_of_all() <= p_.tolerance) break; // z is about the error that is left, and is added below
            turn(fine, before > 0 ? float(rz / before) : 0.0f);
            const double energy = energy_of(fine);
            step(fine, energy > 0 ? float(rz / energy) : 0.0f);
            before = rz;
        }
        for_inside(fine, [&](int i, std::int64_t e) { p_.f[e] += fine.z[i]; });
    }

  private:
    __device__ Level level(int i) const
    {
        const PoissonLevels::Level& l = p_.levels.level[i];
        const std::int64_t at = C_ * l.first + channel_ * l.pixels();
        return {l.H, l.W, p_.buffers.z + at, p_.buffers.r + at, p_.buffers.inside + l.first, p_.buffers.band + l.first};
    }

    /// body(pixel, its element in the picture [H,W,C]) for the inside pixels.
    template <class Body>
    __device__ void for_inside(const Level& fine, const Body& body) const
    {
        all_.for_pixels(fine.H, fine.W, [&](int y, int x) {
            const int i = y * fine.W + x;
            if (fine.inside[i]) body(i, std::int64_t(i) * C_ + channel_);
        });
    }

    /// (A p) of an inside pixel; p is 0 outside.
    __device__ float applied(const Level& fine, int i) const
    {
        return 4 * direction_[i] - around(direction_ + i, fine.W);
    }

    __device__ void start(const Level& fine) const
    {
        for_inside(fine,
                   [&](int i, std::int64_t e) { fine.r[i] = ref::laplacian(p_.shape, p_.f, e) - p_.divergence[e]; });
        all_.wait();
    }

    /// Leaves the block's part of a sum in parts [C,blocks] and returns the whole after the others have done so.
    __device__ double add_up(double sum, double* parts) const
    {
        double* const mine = parts + channel_ * blocks_;
        sum = block_sum(sum);
        if (threadIdx.x == 0) mine[member_] = sum;
        all_.wait();
        return block_sum(int(threadIdx.x) < blocks_ ? mine[threadIdx.x] : 0.0);
    }

    /// sum of r z; leaves the largest |z| too.
    __device__ double product(const Level& fine) const
    {
        double sum = 0;
        float most = 0;
        for_inside(fine, [&](int i, std::int64_t) {
            sum += double(fine.r[i]) * double(fine.z[i]);
            most = largest(most, std::fabs(fine.z[i]));
        });
        most = block_largest(most);
        if (threadIdx.x == 0) p_.buffers.largest[channel_ * blocks_ + member_] = most;
        return add_up(sum, p_.buffers.products);
    }

    /// Of all channels: they iterate together, because they meet at the same barriers.
    __device__ float largest_of_all() const
    {
        float most = 0;
        for (int i = int(threadIdx.x); i < int(gridDim.x); i += int(kBlockSize))
            most = largest(most, p_.buffers.largest[i]);
        return block_largest(most);
    }

    /// p = z + beta p
    __device__ void turn(const Level& fine, float beta) const
    {
        for_inside(fine, [&](int i, std::int64_t) { direction_[i] = fine.z[i] + beta * direction_[i]; });
        all_.wait();
    }

    /// sum of p (A p); z is not needed any more and becomes the next V-cycle's zero.
    __device__ double energy_of(const Level& fine) const
    {
        double sum = 0;
        for_inside(fine, [&](int i, std::int64_t) {
            sum += double(direction_[i]) * double(applied(fine, i));
            fine.z[i] = 0;
        });
        return add_up(sum, p_.buffers.energies);
    }

    /// f += alpha p, r -= alpha A p
    __device__ void step(const Level& fine, float alpha) const
    {
        for_inside(fine, [&](int i, std::int64_t e) {
            p_.f[e] += alpha * direction_[i];
            fine.r[i] -= alpha * applied(fine, i);
        });
        all_.wait();
    }

    const Problem& p_;
    int C_, channel_, blocks_, member_;
    Team all_, one_;
    float* direction_;
    int first_of_block_ = 0;
};

__global__ void __launch_bounds__(kBlockSize, 2) // the same
    solve_kernel(const __grid_constant__ Problem problem)
{
    wait_for_previous_kernel();
    make_masks(problem,
               {int(blockIdx.x) * kWarps + int(threadIdx.x) / 32, int(gridDim.x) * kWarps, problem.buffers.counter});
    ChannelSolver(problem).solve();
}

/// A warp a row of each channel, as far as so many blocks run at once; where the levels of one block begin with the
/// picture itself, a channel is one block's.
Grid grid_of(const PoissonShape& s, const PoissonLevels& levels, const Exec& ex)
{
    const std::int64_t resident = resident_blocks(solve_kernel, kBlockSize, 0, ex);
    BIFRONS_CHECK(shape, s.C <= resident, "poisson_solve: the picture has ", s.C, " channels; expected at most ",
                  resident, " on this device");
    const std::int64_t most = std::min<std::int64_t>(resident / s.C, PoissonBuffers::kMostBlocks);
    const std::int64_t blocks =
        s.pixels() <= kPixelsOfBlock || levels.depth == 1 ? 1 : std::min(most, (s.H - 2 + kWarps - 1) / kWarps);
    return {.blocks = {unsigned(blocks * s.C)}, .threads = {kBlockSize}, .cooperative = true};
}

} // namespace

void run(Exec ex, const PoissonDivergence& op)
{
    const auto enqueue = [&]<class P>(const P* from) {
        launch(op.kName, divergence_kernel<P>, grid_1d(op.s.size()), ex, op.s, from, op.target.as<P>(),
               op.m.as<float>(), op.divergence.as<float>());
    };
    if (op.source.dtype == DType::u8) return enqueue(op.source.as<std::uint8_t>());
    enqueue(op.source.as<float>());
}

void run(Exec ex, const PoissonSolve& op)
{
    const PoissonShape& s = op.s;
    if (s.H < 3 || s.W < 3) return; // nothing but edge
    const PoissonLevels levels(s.H, s.W);
    Arena arena(ex.workspace.data);
    const PoissonBuffers buffers(s, levels, arena);
    ex.device->fill(ex.stream, ex.workspace.data, 0, buffers.zeroed);
    launch(op.kName, solve_kernel, grid_of(s, levels, ex), ex,
           Problem{s, levels, buffers, op.divergence.as<float>(), op.mask.as<std::uint8_t>(), op.tolerance,
                   op.f.as<float>()});
}

} // namespace bifrons::kernels::BIFRONS_SIMT_NS
