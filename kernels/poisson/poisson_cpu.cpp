#include "kernels/poisson/poisson_cpu.h"

#include "kernels/base/clones.h"
#include "kernels/base/parallel.h"
#include "kernels/poisson/multigrid.h"
#include "kernels/poisson/multigrid_cpu.h"
#include "kernels/poisson/poisson_ref.h"

#include <cmath>

namespace bifrons::kernels::cpu {

namespace {

constexpr std::int64_t kGrain = 1 << 16; // pixels that are worth a thread

// ---- vector operations on one channel, stored as a checkerboard ---------------------------------------------------
// Sums go to eight running sums, whatever the width of the vector registers.
constexpr int kLanes = 8;

double total(const double (&lane)[kLanes])
{
    return ((lane[0] + lane[1]) + (lane[2] + lane[3])) + ((lane[4] + lane[5]) + (lane[6] + lane[7]));
}

struct Product {
    double sum;
    float largest;
};

/// sum of r z, and the largest |z|.
BIFRONS_CLONES Product product(std::int64_t n, const float* r, const float* z)
{
    double lane[kLanes] = {};
    float largest[kLanes] = {};
    std::int64_t i = 0;
    for (; i + kLanes <= n; i += kLanes)
        for (int l = 0; l < kLanes; ++l) {
            lane[l] += double(r[i + l]) * double(z[i + l]);
            largest[l] = std::max(largest[l], std::fabs(z[i + l]));
        }
    for (; i < n; ++i) {
        lane[0] += double(r[i]) * double(z[i]);
        largest[0] = std::max(largest[0], std::fabs(z[i]));
    }
    return {total(lane), *std::max_element(largest, largest + kLanes)};
}

/// p = z + beta p
BIFRONS_CLONES void new_direction(std::int64_t n, float beta, const float* z, float* p)
{
    for (std::int64_t i = 0; i < n; ++i) p[i] = z[i] + beta * p[i];
}

/// (A p)(k) of a row; meaningful inside the mask only.
inline float apply(const CheckerRow& row, std::int64_t half, const float* p, const float* other, std::int64_t k)
{
    return 4 * p[k] - ((other[k - half] + other[k + half]) + (other[k] + other[k + row.side]));
}

/// sum of p (A p) over one colour of a row; p is 0 outside the mask.
BIFRONS_CLONES double energy_row(CheckerRow row, std::int64_t half, const float* p, const float* other)
{
    double lane[kLanes] = {};
    std::int64_t k = row.begin;
    for (; k + kLanes <= row.end; k += kLanes)
        for (int l = 0; l < kLanes; ++l) lane[l] += double(p[k + l]) * double(apply(row, half, p, other, k + l));
    for (; k < row.end; ++k) lane[0] += double(p[k]) * double(apply(row, half, p, other, k));
    return total(lane);
}

/// u += alpha p, r -= alpha A p inside the mask
BIFRONS_CLONES void step_row(CheckerRow row, std::int64_t half, float alpha, const float* inside, const float* p,
                             const float* other, float* __restrict u, float* __restrict r)
{
    for (std::int64_t k = row.begin; k < row.end; ++k) {
        u[k] += alpha * p[k];
        r[k] -= alpha * inside[k] * apply(row, half, p, other, k);
    }
}

/// Conjugate gradients on one channel, on one thread: A u = r for the correction u of f.
class ChannelSolver {
  public:
    ChannelSolver(const PoissonShape& s, const MaskPyramid& mask, Arena& arena)
        : s_(s), c_(mask.level(0).layout), inside_(mask.level(0).inside), grid_(mask, arena),
          u_(arena.take<float>(c_.size())), p_(arena.take<float>(c_.size()))
    {
    }

    void solve(const float* divergence, std::int64_t channel, float tolerance, float* f)
    {
        start(divergence, channel, f);
        double before = 0;
        for (int iteration = 0; iteration < kMostIterations; ++iteration) {
            grid_.precondition();
            const Product rz = product(c_.size(), grid_.r(), grid_.z());
            if (rz.largest <= tolerance) break; // z is about the error that is left, and is added below
            advance(iteration == 0 ? 0.0f : float(rz.sum / before), rz.sum);
            before = rz.sum;
        }
        add_to(channel, f);
    }

  private:
    /// body(y, row) for both colours of the rows 1 .. H-2.
    template <class Body>
    void for_rows(const Body& body)
    {
        for (std::int64_t y = 1; y < s_.H - 1; ++y)
            for (const int colour : {0, 1}) body(y, CheckerRow(c_, y, colour));
    }

    /// Element of the picture that is element k of a row.
    std::int64_t element(std::int64_t y, const CheckerRow& row, std::int64_t k, std::int64_t channel) const
    {
        return (y * s_.W + 2 * k + (row.side > 0)) * s_.C + channel;
    }

    /// u = p = 0, r = lap f - divergence inside.
    void start(const float* divergence, std::int64_t channel, const float* f)
    {
        std::fill_n(u_, c_.size(), 0.0f);
        std::fill_n(p_, c_.size(), 0.0f);
        grid_.clear();
        for_rows([&](std::int64_t y, const CheckerRow& row) {
            for (std::int64_t k = row.begin; k < row.end; ++k) {
                const std::int64_t e = element(y, row, k, channel);
                if (inside_[row.here + k] != 0) grid_.r()[row.here + k] = ref::laplacian(s_, f, e) - divergence[e];
            }
        });
    }

    void advance(float beta, double rz)
    {
        new_direction(c_.size(), beta, grid_.z(), p_);
        double pAp = 0;
        for_rows([&](std::int64_t, const CheckerRow& row) {
            pAp += energy_row(row, c_.half(), p_ + row.here, p_ + row.there);
        });
        const float alpha = float(rz / pAp);
        for_rows([&](std::int64_t, const CheckerRow& row) {
            step_row(row, c_.half(), alpha, inside_ + row.here, p_ + row.here, p_ + row.there, u_ + row.here,
                     grid_.r() + row.here);
        });
    }

    void add_to(std::int64_t channel, float* f)
    {
        for_rows([&](std::int64_t y, const CheckerRow& row) {
            for (std::int64_t k = row.begin; k < row.end; ++k) {
                const std::int64_t i = row.here + k;
                if (inside_[i] != 0) f[element(y, row, k, channel)] += u_[i] + grid_.z()[i];
            }
        });
    }

    PoissonShape s_;
    Checkerboard c_;
    const float* inside_;
    Multigrid grid_;
    float *u_, *p_;
};

/// All channels, each on a thread of its own.
void solve(const PoissonShape& s, const float* divergence, const std::uint8_t* mask, float tolerance, float* f,
           Arena arena)
{
    if (s.H < 3 || s.W < 3) return; // nothing but edge
    MaskPyramid pyramid(s.H, s.W, arena);
    pyramid.set_mask(mask);
    parallel_for(s.C, 1, [&](std::int64_t c, std::int64_t) {
        Arena own = arena;
        for (std::int64_t before = 0; before < c; ++before) ChannelSolver(s, pyramid, own); // memory of the others
        ChannelSolver(s, pyramid, own).solve(divergence, c, tolerance, f);
    });
}

std::size_t solve_bytes(const PoissonShape& s)
{
    Arena count(nullptr);
    const MaskPyramid pyramid(s.H, s.W, count);
    for (std::int64_t c = 0; c < s.C; ++c) ChannelSolver(s, pyramid, count);
    return count.used();
}

/// One pixel's divergence; m is null or the pixel's mixing weight.
template <class P>
void divergence_at(const PoissonShape& s, const P* source, const P* target, const float* m, float* divergence)
{
    const std::int64_t down = s.W * s.C, right = s.C;
    const float here = m ? m[0] : 1.0f, up = m ? m[-s.W] : 1.0f, left = m ? m[-1] : 1.0f;
    const auto mixed = [&](float w, std::int64_t i, std::int64_t step) {
        const float ds = float(source[i + step]) - float(source[i]);
        return m ? w * ds + (1 - w) * (float(target[i + step]) - float(target[i])) : ds;
    };
    for (std::int64_t c = 0; c < s.C; ++c)
        divergence[c] =
            mixed(here, c, down) - mixed(up, c - down, down) + mixed(here, c, right) - mixed(left, c - right, right);
}

template <class P>
void divergence_of(const PoissonShape& s, const P* source, const P* target, const float* m, float* divergence)
{
    const std::int64_t row = s.W * s.C;
    parallel_for(s.H, std::max<std::int64_t>(1, kGrain / row), [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t y = begin; y < end; ++y) {
            std::fill_n(divergence + y * row, row, 0.0f);
            if (y == 0 || y == s.H - 1) continue;
            for (std::int64_t p = y * s.W + 1; p < (y + 1) * s.W - 1; ++p)
                divergence_at(s, source + p * s.C, m ? target + p * s.C : nullptr, m ? m + p : nullptr,
                              divergence + p * s.C);
        }
    });
}

} // namespace

void run(Exec, const PoissonDivergence& op)
{
    if (op.source.dtype == DType::u8)
        return divergence_of(op.s, op.source.as<std::uint8_t>(), op.target.as<std::uint8_t>(), op.m.as<float>(),
                             op.divergence.as<float>());
    divergence_of(op.s, op.source.as<float>(), op.target.as<float>(), op.m.as<float>(), op.divergence.as<float>());
}

void run(Exec ex, const PoissonSolve& op)
{
    solve(op.s, op.divergence.as<float>(), op.mask.as<std::uint8_t>(), op.tolerance, op.f.as<float>(),
          Arena(ex.workspace.data));
}

std::size_t poisson_solve_bytes(const PoissonShape& s)
{
    return solve_bytes(s);
}

} // namespace bifrons::kernels::cpu
