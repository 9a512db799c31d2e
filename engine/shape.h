// engine/shape.h - sizes of a dense tensor, outermost first.
#pragma once

#include "kernels/base/error.h"

#include <array>
#include <initializer_list>
#include <ostream>

namespace bifrons {

class Shape {
  public:
    static constexpr int kMaxRank = 4;

    Shape() = default;
    Shape(std::initializer_list<std::int64_t> dims)
    {
        BIFRONS_CHECK(shape, dims.size() <= kMaxRank, "shape: ", dims.size(), " dimensions; expected at most 4");
        for (const std::int64_t d : dims) {
            BIFRONS_CHECK(shape, d >= 0, "shape: dimension ", rank_, " is ", d, "; expected 0 or more");
            dims_[std::size_t(rank_++)] = d;
        }
    }
    int rank() const { return rank_; }
    /// Size of dimension i; throws outside 0..rank-1.
    std::int64_t operator[](int i) const
    {
        BIFRONS_CHECK(shape, i >= 0 && i < rank_, "shape: dimension ", i, " of ", rank_);
        return dims_[std::size_t(i)];
    }
    /// Number of elements; 1 for rank 0.
    std::int64_t size() const
    {
        std::int64_t n = 1;
        for (int i = 0; i < rank_; ++i) n *= dims_[std::size_t(i)];
        return n;
    }
    /// This shape with another first dimension.
    Shape with_rows(std::int64_t rows) const
    {
        Shape s = *this;
        BIFRONS_CHECK(shape, rank_ >= 1, "shape: a scalar has no rows");
        s.dims_[0] = rows;
        return s;
    }
    bool operator==(const Shape& other) const = default;

  private:
    std::array<std::int64_t, kMaxRank> dims_{};
    int rank_ = 0;
};

inline std::ostream& operator<<(std::ostream& out, const Shape& s)
{
    out << '[';
    for (int i = 0; i < s.rank(); ++i) out << (i ? "," : "") << s[i];
    return out << ']';
}

} // namespace bifrons
