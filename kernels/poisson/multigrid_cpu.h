// kernels/poisson/multigrid_cpu.h - multigrid for the 5-point Laplacian on the pixels of a mask, 0 around them.
//
//   A z = r       A z = 4 z(y,x) - z(y-1,x) - z(y+1,x) - z(y,x-1) - z(y,x+1)
//
// One V-cycle with as many sweeps in one order before the coarse correction as in the opposite order after it, so that
// it is a symmetric positive definite approximation of the inverse of A: a preconditioner for conjugate gradients.
// Sweeps are red-black Gauss-Seidel, two more over a band along the mask's edge, where coarse levels know little of an
// irregular mask. A coarse pixel is inside if the fine pixel it lies on is.
// (Trottenberg, Oosterlee, Schueller 2001, "Multigrid", 2.5 and 7.8.)
#pragma once

#include "kernels/base/arena.h"

namespace bifrons::kernels::cpu {

/// Where the pixels of a picture lie that is stored as its red pixels (y + x even), then its black ones, each a picture
/// of half the width: a sweep over one colour reads and writes neighbours in memory.
struct Checkerboard {
    std::int64_t H = 0, W = 0;

    std::int64_t half() const { return (W + 1) / 2; }
    std::int64_t plane() const { return H * half(); }
    std::int64_t size() const { return 2 * plane(); }
    std::int64_t at(std::int64_t y, std::int64_t x) const { return (y + x) % 2 * plane() + y * half() + x / 2; }
};

/// One colour of an inner row: elements [begin, end) without those on the picture's edge; element k is pixel
/// x = 2 k + (y + colour) % 2. Its neighbours, in the other colour, are k - half and k + half, k and k + side.
struct CheckerRow {
    CheckerRow(const Checkerboard& c, std::int64_t y, int colour)
        : here(colour * c.plane() + y * c.half()), there((1 - colour) * c.plane() + y * c.half()),
          side((y + colour) % 2 ? 1 : -1), begin(side < 0), end((c.W - (side > 0)) / 2)
    {
    }
    std::int64_t here, there; ///< where the row of this colour and that of the other start
    std::int64_t side, begin, end;
};

/// The mask at every resolution, shared by the channels of a picture.
class MaskPyramid {
  public:
    struct Level {
        Checkerboard layout;
        float* inside;          ///< 1 inside and 0 outside, a checkerboard
        std::int32_t* band;     ///< pixels within 2 of the edge: the red ones from the front, the black from the back
        std::int64_t counts[2]; ///< red, black
    };
    static constexpr int kMaxLevels = 32;

    /// Takes its memory from the arena: the same for every mask of H x W pixels.
    MaskPyramid(std::int64_t H, std::int64_t W, Arena& arena);
    /// mask [H,W] or null for all; pixels on the picture's edge are never inside. To be called first.
    void set_mask(const std::uint8_t* mask);

    int depth() const { return depth_; }
    const Level& level(int i) const { return levels_[i]; }

  private:
    static void collect_band(Level& level, const float* inside, float* least);

    Level levels_[kMaxLevels];
    int depth_ = 0;
    float *plain_, *finer_; ///< scratch [H,W]
};

/// The V-cycle of one channel, on one thread.
class Multigrid {
  public:
    Multigrid(const MaskPyramid& mask, Arena& arena);
    /// Everything is 0.
    void clear();
    /// z = one V-cycle from zero on A z = r.
    void precondition() { cycle(0); }

    /// Of the finest level, checkerboards, 0 outside: right side; solution.
    float* r() const { return levels_[0].r; }
    float* z() const { return levels_[0].z; }

  private:
    struct Level {
        float *r, *z;
        float* rest; ///< r - A z of the red pixels, to be restricted
    };

    void cycle(int depth);
    void correct_from_coarse(int depth);
    void relax(int depth, int colour);
    void relax_band(int depth, int colour);

    const MaskPyramid& mask_;
    Level levels_[MaskPyramid::kMaxLevels];
};

} // namespace bifrons::kernels::cpu
