// kernels/conv2d/igemm_operands.cuh - who copies what into the operands' tiles of igemm.cuh. Each thread of the block
// has one place in a tile's row and every kRowsOfPass-th row; it knows its indices from step to step by counting on,
// without divisions. What lies outside of a picture, or behind the last index, becomes zero.
#pragma once

#include "kernels/conv2d/igemm.cuh"

namespace bifrons::kernels::BIFRONS_SIMT_NS {

/// Conv2dShape in the width that the kernels count in.
struct IgemmShape {
    explicit IgemmShape(const Conv2dShape& s)
        : N(int(s.N)), H(int(s.H)), W(int(s.W)), C(int(s.C)), K(int(s.K)), R(int(s.R)), S(int(s.S)), P(int(s.P())),
          Q(int(s.Q())), stride(int(s.stride)), pad(int(s.pad))
    {
    }
    int N, H, W, C, K, R, S, P, Q, stride, pad;
};

/// How the block's threads divide an operand's tile into copies of kCopy bytes.
template <class Tile, int kCopy, int kThreads>
struct Division {
    static constexpr int kOfRow = Tile::kRowBytes / kCopy, kRowsOfPass = kThreads / kOfRow;
    static constexpr int kPasses = Tile::kRows / kRowsOfPass;
    static_assert(kThreads % kOfRow == 0 && Tile::kRows % kRowsOfPass == 0);

    __device__ static int first_row() { return int(threadIdx.x) / kOfRow; }
    __device__ static int byte() { return int(threadIdx.x) % kOfRow * kCopy; }
    __device__ static int element() { return byte() / int(sizeof(typename Tile::T)); }
};

/// A grid of `count` pixels n,a,b of [N,A,B], each with a window into a picture [N,H,W,C]: its origin is at row
/// a * scale + h, column b * scale + v, and tap (r, s) lies r and s pixels from it in the given direction.
struct Windows {
    int count, A, B, scale, h, v;
    int H, W, C;
    int R, S; // taps
};

/// Rows: pixels. Along the row: r,s,c of each one's window.
template <class Tile, int kCopy, int kThreads, int direction>
class WindowRows {
    using Part = Division<Tile, kCopy, kThreads>;
    using T = typename Tile::T;
    static constexpr int kDepth = Tile::kRowBytes / int(sizeof(T));

  public:
    __device__ WindowRows(const Windows& windows, const T* picture, int first_pixel, int first_step)
        : picture_(picture), H_(windows.H), W_(windows.W), C_(windows.C), R_(windows.R), S_(windows.S)
    {
        const int depth = first_step * kDepth + Part::element();
        c_ = depth % C_;
        s_ = depth / C_ % max(S_, 1);
        r_ = depth / C_ / max(S_, 1);
#pragma unroll
        for (int pass = 0; pass < Part::kPasses; ++pass) {
            const int pixel = first_pixel + Part::first_row() + pass * Part::kRowsOfPass;
            const int b = pixel % windows.B, a = pixel / windows.B % windows.A, n = pixel / windows.B / windows.A;
            const bool there = pixel < windows.count;
            h_[pass] = there ? a * windows.scale + windows.h : kFarOutside;
            v_[pass] = b * windows.scale + windows.v;
            origin_[pass] = there ? ((n * H_ + h_[pass]) * W_ + v_[pass]) * C_ : 0;
        }
    }

    __device__ void load(Tile& tile)
    {
        const int tap = direction * (r_ * W_ + s_) * C_ + c_;
#pragma unroll
        for (int pass = 0; pass < Part::kPasses; ++pass) {
            const int h = h_[pass] + direction * r_, v = v_[pass] + direction * s_;
            const bool inside = r_ < R_ && unsigned(h) < unsigned(H_) && unsigned(v) < unsigned(W_);
            cp_async<kCopy>(tile.at(Part::first_row() + pass * Part::kRowsOfPass, Part::byte()),
                            picture_ + (origin_[pass] + tap), inside);
        }
        for (c_ += kDepth; c_ >= C_; c_ -= C_)
            if (++s_ == S_) s_ = 0, ++r_;
    }

  private:
    static constexpr int kFarOutside = -(1 << 30);
    const T* picture_;
    int H_, W_, C_, R_, S_;
    int r_, s_, c_;
    int h_[Part::kPasses], v_[Part::kPasses], origin_[Part::kPasses];
};

/// Rows: those of a matrix [rows, depth].
template <class Tile, int kCopy, int kThreads>
class MatrixRows {
    using Part = Division<Tile, kCopy, kThreads>;
    using T = typename Tile::T;
    static constexpr int kDepth = Tile::kRowBytes / int(sizeof(T));

  public:
    __device__ MatrixRows(const T* matrix, int rows, int depth, int first_row, int first_step)
        : matrix_(matrix), rows_(rows), depth_(depth), row_(first_row + Part::first_row()),
          i_(first_step * kDepth + Part::element())
    {
    }

    __device__ void load(Tile& tile)
    {
#pragma unroll
        for (int pass = 0; pass < Part::kPasses; ++pass) {
            const int row = row_ + pass * Part::kRowsOfPass;
            const bool inside = row < rows_ && i_ < depth_;
            cp_async<kCopy>(tile.at(Part::first_row() + pass * Part::kRowsOfPass, Part::byte()),
                            matrix_ + (inside ? row * depth_ + i_ : 0), inside);
        }
        i_ += kDepth;
    }

  private:
    const T* matrix_;
    int rows_, depth_, row_, i_;
};

/// The taps of a filter that an input gradient's class of pixels uses: r = r0 + stride * i for i < R, likewise s.
struct ClassTaps {
    int r0, s0, R, S;
};

/// A row for each i,j,k of a class: filter k's tap. Along the row: c.
template <class Tile, int kCopy, int kThreads>
class FilterTaps {
    using Part = Division<Tile, kCopy, kThreads>;
    using T = typename Tile::T;

  public:
    __device__ FilterTaps(const IgemmShape& shape, const ClassTaps& taps, const T* filters, int first_channel,
                          int first_step)
        : filters_(filters), C_(shape.C), K_(shape.K), S_(shape.S), filter_(shape.R * shape.S * shape.C),
          stride_(shape.stride), taps_(taps), c_(first_channel + Part::element())
    {
        const int depth = first_step * Tile::kRows + Part::first_row();
        k_ = depth % K_;
        j_ = depth / K_ % max(taps.S, 1);
        i_ = depth / K_ / max(taps.S, 1);
    }

    __device__ void load(Tile& tile)
    {
#pragma unroll
        for (int pass = 0; pass < Part::kPasses; ++pass) {
            const int tap = (taps_.r0 + i_ * stride_) * S_ + taps_.s0 + j_ * stride_;
            cp_async<kCopy>(tile.at(Part::first_row() + pass * Part::kRowsOfPass, Part::byte()),
                            filters_ + (k_ * filter_ + tap * C_ + c_), i_ < taps_.R && c_ < C_);
            for (k_ += Part::kRowsOfPass; k_ >= K_; k_ -= K_)
                if (++j_ == taps_.S) j_ = 0, ++i_;
        }
    }

  private:
    const T* filters_;
    int C_, K_, S_, filter_, stride_;
    ClassTaps taps_;
    int c_, i_, j_, k_;
};

/// A row for each row of a matrix [rows, columns], from one column on.
template <class Tile, int kCopy, int kThreads>
class MatrixColumns {
    using Part = Division<Tile, kCopy, kThreads>;
    using T = typename Tile::T;

  public:
    __device__ MatrixColumns(const T* matrix, int rows, int columns, int first_column, int first_step)
        : matrix_(matrix), rows_(rows), columns_(columns), column_(first_column + Part::element()),
          row_(first_step * Tile::kRows + Part::first_row())
    {
    }

    __device__ void load(Tile& tile)
    {
#pragma unroll
        for (int pass = 0; pass < Part::kPasses; ++pass) {
            const bool inside = row_ < rows_ && column_ < columns_;
            cp_async<kCopy>(tile.at(Part::first_row() + pass * Part::kRowsOfPass, Part::byte()),
                            matrix_ + (inside ? row_ * columns_ + column_ : 0), inside);
            row_ += Part::kRowsOfPass;
        }
    }

  private:
    const T* matrix_;
    int rows_, columns_, column_, row_;
};

/// A row for each pixel of y. Along the row: r,s,c of its window in x.
template <class Tile, int kCopy, int kThreads>
class WindowColumns {
    using Part = Division<Tile, kCopy, kThreads>;
    using T = typename Tile::T;

  public:
    __device__ WindowColumns(const IgemmShape& shape, const T* x, int first_column, int first_step)
        : x_(x), shape_(shape)
    {
        const int column = first_column + Part::element();
        const int r = column / shape.C / shape.S, s = column / shape.C % shape.S;
        c_ = column % shape.C;
        h_ = r < shape.R ? r - shape.pad : -(1 << 30); // far outside
        v_ = s - shape.pad;
        const int pixel = first_step * Tile::kRows + Part::first_row();
        q_ = pixel % shape.Q;
        p_ = pixel / shape.Q % shape.P;
        n_ = pixel / shape.Q / shape.P;
    }

    __device__ void load(Tile& tile)
    {
#pragma unroll
        for (int pass = 0; pass < Part::kPasses; ++pass) {
            const int h = p_ * shape_.stride + h_, v = q_ * shape_.stride + v_;
            const bool inside = n_ < shape_.N && unsigned(h) < unsigned(shape_.H) && unsigned(v) < unsigned(shape_.W);
            cp_async<kCopy>(tile.at(Part::first_row() + pass * Part::kRowsOfPass, Part::byte()),
                            x_ + (inside ? ((n_ * shape_.H + h) * shape_.W + v) * shape_.C + c_ : 0), inside);
            for (q_ += Part::kRowsOfPass; q_ >= shape_.Q; q_ -= shape_.Q)
                if (++p_ == shape_.P) p_ = 0, ++n_;
        }
    }

  private:
    const T* x_;
    IgemmShape shape_;
    int h_, v_, c_; // of the window's tap
    int n_, p_, q_;
};

} // namespace bifrons::kernels::BIFRONS_SIMT_NS
