// A thread streams through a block of rows: each picture row is filtered along the row once and kept in a ring as long
// as windows reach it; a row of windows is a weighted sum of the ring. For the gradient, a second ring takes the rows
// of slopes that the value left, and the same filters spread them back.
#include "kernels/losses/dssim_cpu.h"

#include "kernels/base/clones.h"
#include "kernels/base/on_type.h"
#include "kernels/base/parallel.h"
#include "kernels/losses/dssim_window.h"
#include "kernels/pointwise/epilogue_cpu.h"

namespace bifrons::kernels::cpu {

namespace {

constexpr std::int64_t kBlockRows = 64;

std::int64_t round_up(std::int64_t n, std::int64_t unit)
{
    return (n + unit - 1) / unit * unit;
}

/// The part of the picture that kept taps reach, and what is made of it. "Values" are pixels times channels.
struct Layout {
    DssimShape s;
    int taps;
    std::int64_t margin;                     // pixels on every side that no kept tap reaches
    std::int64_t rows, values;               // of the picture without the margin
    std::int64_t window_rows, window_values; // of the windows
    std::int64_t padded;                     // a row of windows with room for the taps on both sides

    explicit Layout(const DssimShape& shape)
        : s(shape), taps(dssim_taps(shape.window)), margin((shape.window - taps) / 2), rows(s.H - 2 * margin),
          values((s.W - 2 * margin) * s.C), window_rows(s.H - s.window + 1), window_values((s.W - s.window + 1) * s.C),
          padded(window_values + 2 * (taps - 1) * s.C)
    {
    }
    /// Index of the first value of row r, without the margin, of sample n.
    std::int64_t row_begin(std::int64_t n, std::int64_t r) const
    {
        return ((n * s.H + r + margin) * s.W + margin) * s.C;
    }
};

/// Rows 0..rows-1 of every sample, cut into blocks of about kBlockRows.
struct Blocks {
    std::int64_t rows, per_sample, height, count;

    Blocks(std::int64_t n, std::int64_t h)
        : rows(h), per_sample((h + kBlockRows - 1) / kBlockRows), height((h + per_sample - 1) / per_sample),
          count(n * per_sample)
    {
    }
    /// body(block, sample, first row, end row), over the threads.
    template <class Body>
    void for_each(const Body& body) const
    {
        parallel_for(count, 1, [&](std::int64_t block, std::int64_t) {
            const std::int64_t first = block % per_sample * height;
            body(block, block / per_sample, std::min(first, rows), std::min(first + height, rows));
        });
    }
};

template <class T>
struct Pictures {
    const T *a, *b, *mask; // mask null: all ones
};

template <class T>
BIFRONS_CLONES void scale_row(std::int64_t n, T weight, const T* row, T* __restrict out)
{
    for (std::int64_t i = 0; i < n; ++i) out[i] = weight * row[i];
}

template <class T>
BIFRONS_CLONES void add_rows(std::int64_t n, T weight, const T* low, const T* high, T* __restrict out)
{
    for (std::int64_t i = 0; i < n; ++i) out[i] += weight * (low[i] + high[i]);
}

/// out = sum_t weight[t] * rows[t]. The weights are symmetric. (The loops are functions of their own because, nested
/// here, the compiler joins two taps in one scalar loop.)
template <class T>
void filter_rows(int taps, const T* weight, const T* const* rows, std::int64_t n, T* out)
{
    const int half = taps / 2;
    scale_row(n, taps % 2 ? weight[half] : T(0), rows[half], out);
    for (int t = 0; t < half; ++t) add_rows(n, weight[t], rows[t], rows[taps - 1 - t], out);
}

/// Filters maps that lie one behind the other in `row`, n values in all, along the row. The last (taps-1)*C results of
/// every map mix it with the next and mean nothing.
template <class T>
void filter_along(int taps, const T* weight, std::int64_t C, const T* row, std::int64_t n, T* out)
{
    const T* shifted[kMaxDssimTaps];
    for (int t = 0; t < taps; ++t) shifted[t] = row + t * C;
    filter_rows(taps, weight, shifted, n - (taps - 1) * C, out);
}

/// One mask value for each value of a row; ones without a mask.
template <class T>
void expand_mask(const T* mask, std::int64_t C, std::int64_t n, T* out)
{
    if (!mask) {
        std::fill_n(out, n, T(1));
        return;
    }
    for (std::int64_t i = 0; i < n; ++mask)
        for (const std::int64_t end = i + C; i < end; ++i) out[i] = *mask;
}

/// The four maps of one row, one behind the other: a, d, a^2 + b^2, d^2 of the masked pictures.
template <class T>
BIFRONS_CLONES void make_maps(std::int64_t n, const T* a, const T* b, const T* mask, T* __restrict maps)
{
    for (std::int64_t i = 0; i < n; ++i) {
        const T masked_a = mask[i] * a[i], masked_b = mask[i] * b[i], d = mask[i] * (a[i] - b[i]);
        maps[i] = masked_a;
        maps[n + i] = d;
        maps[2 * n + i] = masked_a * masked_a + masked_b * masked_b;
        maps[3 * n + i] = d * d;
    }
}

/// The filtered maps, a row of windows at a time, from the top down.
template <class T>
class WindowRows {
  public:
    static std::int64_t scratch_values(const Layout& l) { return (4 * (l.taps + 2) + 1) * l.values; }

    WindowRows(const Layout& l, const DssimTaps<T>& weight, const Pictures<T>& p, std::int64_t n, std::int64_t first,
               T* scratch)
        : l_(l), weight_(weight), p_(p), n_(n), window_(first - 1), picture_(first), mask_(scratch),
          maps_(mask_ + l.values), filtered_(maps_ + 4 * l.values), ring_(filtered_ + 4 * l.values)
    {
    }

    /// The row of windows that map() shows.
    std::int64_t row() const { return window_; }
    /// 0: a, 1: d, 2: a^2 + b^2, 3: d^2.
    const T* map(int i) const { return filtered_ + i * l_.values; }

    void next()
    {
        ++window_;
        for (; picture_ < window_ + l_.taps; ++picture_) read(picture_);
        const T* rows[kMaxDssimTaps];
        for (int t = 0; t < l_.taps; ++t) rows[t] = ring(window_ + t);
        filter_rows(l_.taps, weight_.weight, rows, 4 * l_.values - (l_.taps - 1) * l_.s.C, filtered_);
    }

  private:
    T* ring(std::int64_t row) const { return ring_ + row % l_.taps * 4 * l_.values; }

    void read(std::int64_t row)
    {
        const std::int64_t begin = l_.row_begin(n_, row);
        expand_mask(p_.mask ? p_.mask + begin / l_.s.C : nullptr, l_.s.C, l_.values, mask_);
        make_maps(l_.values, p_.a + begin, p_.b + begin, mask_, maps_);
        filter_along(l_.taps, weight_.weight, l_.s.C, maps_, 4 * l_.values, ring(row));
    }

    const Layout& l_;
    const DssimTaps<T>& weight_;
    const Pictures<T>& p_;
    std::int64_t n_, window_, picture_;
    T *mask_, *maps_, *filtered_, *ring_;
};

template <class T>
BIFRONS_CLONES double row_loss(std::int64_t n, const T* a, const T* d, const T* squares, const T* dd)
{
    return lane_sum(n, [=](std::int64_t i) { return double(dssim_parts(a[i], d[i], squares[i], dd[i]).loss()); });
}

template <class T>
BIFRONS_CLONES void row_slopes(std::int64_t n, const T* a, const T* d, const T* squares, const T* dd, T* __restrict A,
                               T* __restrict B, T* __restrict D)
{
    for (std::int64_t i = 0; i < n; ++i) {
        const DssimSlopes<T> s = dssim_slopes(a[i], d[i], dssim_parts(a[i], d[i], squares[i], dd[i]));
        A[i] = s.A, B[i] = s.B, D[i] = s.D;
    }
}

/// Row y of A (map 0), B (1) or D (2) of sample n.
template <class T>
T* slope_row(const Layout& l, T* slopes, int map, std::int64_t n, std::int64_t y)
{
    return slopes + ((map * l.s.N + n) * l.window_rows + y) * l.window_values;
}

/// The last rows of slopes, and their sums over the windows that reach a pixel.
template <class T>
class SlopeRows {
  public:
    static std::int64_t scratch_values(const Layout& l) { return 3 * (l.taps + 3) * l.padded; }

    SlopeRows(const Layout& l, const DssimTaps<T>& weight, T* scratch)
        : l_(l), weight_(weight), zero_(scratch), down_(zero_ + 3 * l.padded), out_(down_ + 3 * l.padded),
          ring_(out_ + 3 * l.padded)
    {
        std::fill_n(scratch, scratch_values(l), T(0)); // the room on both sides stays zero
    }

    void read(const T* slopes, std::int64_t n, std::int64_t y)
    {
        for (int map = 0; map < 3; ++map)
            std::copy_n(slope_row(l_, slopes, map, n, y), l_.window_values,
                        ring(y) + map * l_.padded + (l_.taps - 1) * l_.s.C);
    }

    /// Row r of the picture; map() then has l.values values.
    void gather(std::int64_t r)
    {
        const T* rows[kMaxDssimTaps];
        for (int t = 0; t < l_.taps; ++t) rows[t] = r - t >= 0 && r - t < l_.window_rows ? ring(r - t) : zero_;
        filter_rows(l_.taps, weight_.weight, rows, 3 * l_.padded, down_);
        filter_along(l_.taps, weight_.weight, l_.s.C, down_, 3 * l_.padded, out_);
    }
    const T* map(int i) const { return out_ + i * l_.padded; }

  private:
    T* ring(std::int64_t row) const { return ring_ + row % l_.taps * 3 * l_.padded; }

    const Layout& l_;
    const DssimTaps<T>& weight_;
    T *zero_, *down_, *out_, *ring_;
};

template <class T>
BIFRONS_CLONES void row_gradient(std::int64_t n, T factor, const T* A, const T* B, const T* D, const T* a, const T* b,
                                 const T* mask, T* __restrict v)
{
    for (std::int64_t i = 0; i < n; ++i)
        v[i] = factor * mask[i] * (A[i] + mask[i] * (B[i] * a[i] + D[i] * (a[i] - b[i])));
}

/// Scratch of one block: the ring, then one row of v and one of the mask.
template <class T>
std::int64_t grad_block_values(const Layout& l)
{
    return round_up(SlopeRows<T>::scratch_values(l) + 2 * l.s.W * l.s.C, 16);
}

/// Rows [begin, end) of the picture, margin included.
template <class T>
void grad_block(const Layout& l, const DssimTaps<T>& weight, const Pictures<T>& p, T factor, const T* slopes,
                std::int64_t n, std::int64_t begin, std::int64_t end, const Store& d, T* scratch)
{
    const std::int64_t row = l.s.W * l.s.C;
    std::int64_t window = std::max<std::int64_t>(0, begin - l.margin - l.taps + 1);
    SlopeRows<T> rows(l, weight, scratch);
    T *v = scratch + SlopeRows<T>::scratch_values(l), *mask = v + row;
    for (std::int64_t h = begin; h < end; ++h) {
        const std::int64_t r = h - l.margin;
        std::fill_n(v, row, T(0));
        if (r >= 0 && r < l.rows) {
            for (; window <= std::min(r, l.window_rows - 1); ++window) rows.read(slopes, n, window);
            rows.gather(r);
            const std::int64_t i = l.row_begin(n, r);
            expand_mask(p.mask ? p.mask + i / l.s.C : nullptr, l.s.C, l.values, mask);
            row_gradient(l.values, factor, rows.map(0), rows.map(1), rows.map(2), p.a + i, p.b + i, mask,
                         v + l.margin * l.s.C);
        }
        store_gradient_run(d, (n * l.s.H + h) * row, row, v);
    }
}

template <class T>
void grad(const DssimShape& s, const Pictures<T>& p, float scale, const T* slopes, const T* upstream, const Store& d,
          Workspace scratch)
{
    const Layout l(s);
    const DssimTaps<T> weight = gaussian_taps<T>(l.taps);
    const T factor = T(double(*upstream) * scale / double(s.windows()));
    Blocks(s.N, s.H).for_each([&](std::int64_t block, std::int64_t n, std::int64_t begin, std::int64_t end) {
        T* own = static_cast<T*>(scratch.data) + block * grad_block_values<T>(l);
        grad_block(l, weight, p, factor, slopes, n, begin, end, d, own);
    });
}

template <class T>
std::int64_t fwd_block_values(const Layout& l)
{
    return round_up(WindowRows<T>::scratch_values(l), 16);
}

/// Scratch: the blocks' sums in double, then their rows.
template <class T>
void fwd(const DssimShape& s, const Pictures<T>& p, float scale, T* loss, T* slopes, Workspace scratch)
{
    const Layout l(s);
    const DssimTaps<T> weight = gaussian_taps<T>(l.taps);
    const Blocks blocks(s.N, l.window_rows);
    double* sums = static_cast<double*>(scratch.data);
    T* rows = reinterpret_cast<T*>(sums + round_up(blocks.count, 8));
    blocks.for_each([&](std::int64_t block, std::int64_t n, std::int64_t begin, std::int64_t end) {
        WindowRows<T> windows(l, weight, p, n, begin, rows + block * fwd_block_values<T>(l));
        double sum = 0;
        for (std::int64_t y = begin; y < end; ++y) {
            windows.next();
            sum += row_loss(l.window_values, windows.map(0), windows.map(1), windows.map(2), windows.map(3));
            if (slopes)
                row_slopes(l.window_values, windows.map(0), windows.map(1), windows.map(2), windows.map(3),
                           slope_row(l, slopes, 0, n, y), slope_row(l, slopes, 1, n, y), slope_row(l, slopes, 2, n, y));
        }
        sums[block] = sum;
    });
    double sum = 0;
    for (std::int64_t block = 0; block < blocks.count; ++block) sum += sums[block];
    *loss = T(scale * sum / double(s.windows()));
}

template <class T>
Pictures<T> pictures(ConstView a, ConstView b, ConstView mask)
{
    return {a.as<T>(), b.as<T>(), mask.as<T>()};
}

} // namespace

std::size_t dssim_fwd_scratch(const DssimShape& s, DType dtype)
{
    const Layout l(s);
    const Blocks blocks(s.N, l.window_rows);
    return std::size_t(round_up(blocks.count, 8)) * sizeof(double) +
           std::size_t(blocks.count * fwd_block_values<float>(l)) * dtype_bytes(dtype);
}

std::size_t dssim_grad_scratch(const DssimShape& s, DType dtype)
{
    return std::size_t(Blocks(s.N, s.H).count * grad_block_values<float>(Layout(s))) * dtype_bytes(dtype);
}

void run(Exec ex, const DssimFwd& op)
{
    on_type<float, double>(op.a.dtype, [&]<class T>() {
        fwd(op.s, pictures<T>(op.a, op.b, op.mask), op.scale, op.loss.as<T>(), op.slopes.as<T>(), ex.workspace);
    });
}

void run(Exec ex, const DssimGrad& op)
{
    on_type<float, double>(op.a.dtype, [&]<class T>() {
        grad(op.s, pictures<T>(op.a, op.b, op.mask), op.scale, op.slopes.as<T>(), op.upstream.as<T>(), op.d,
             ex.workspace);
    });
}

} // namespace bifrons::kernels::cpu
