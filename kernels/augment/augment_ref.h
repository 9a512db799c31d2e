// kernels/augment/augment_ref.h - drawing a batch in loops: the definition. What is random: augment_draw.h. The
// geometry, the filters and the colours are the same code on every device.
#pragma once

#include "kernels/augment/augment_draw.h"
#include "kernels/base/clamp.h"

namespace bifrons::kernels::ref {

template <class T>
struct Point {
    T x, y;
};

/// Where an output position comes from without the warp. Both in pixels of the output, from the centre.
template <class T>
BIFRONS_HD Point<T> inverse_affine(const BatchShape& s, const AugmentDraw& d, Point<T> out)
{
    const T shrink = 1 / T(d.scale);
    const T x = (d.flip ? -out.x : out.x) - T(d.shift_x) * T(s.side), y = out.y - T(d.shift_y) * T(s.side);
    return {(T(d.cos) * x + T(d.sin) * y) * shrink, (T(d.cos) * y - T(d.sin) * x) * shrink};
}

/// The warp's displacement at p (pixels from the centre), in pixels: bilinear between the nodes, zero outside.
template <class T>
BIFRONS_HD Point<T> displacement(const BatchShape& s, const AugmentDraw& d, Point<T> p)
{
    if (d.cells == 0) return {T(0), T(0)};
    const T side = T(s.side), cells = T(d.cells), cells_per_pixel = cells / side;
    const T u = clamp(p.x * cells_per_pixel + cells / 2, T(0), cells);
    const T v = clamp(p.y * cells_per_pixel + cells / 2, T(0), cells);
    const int column = least(int(u), d.cells - 1), row = least(int(v), d.cells - 1);
    const T a = u - T(column), b = v - T(row);
    const auto &n00 = d.nodes[row][column], &n01 = d.nodes[row][column + 1], &n10 = d.nodes[row + 1][column],
               &n11 = d.nodes[row + 1][column + 1];
    return {side * ((1 - b) * ((1 - a) * T(n00.x) + a * T(n01.x)) + b * ((1 - a) * T(n10.x) + a * T(n11.x))),
            side * ((1 - b) * ((1 - a) * T(n00.y) + a * T(n01.y)) + b * ((1 - a) * T(n10.y) + a * T(n11.y)))};
}

enum class Filter { linear, cubic, mean };

/// w[k] is the weight of pixel floor(x) - 1 + k at x = floor(x) + t.
template <class T>
BIFRONS_HD void tap_weights(Filter filter, T t, T w[4])
{
    if (filter == Filter::linear) {
        w[0] = 0, w[1] = 1 - t, w[2] = t, w[3] = 0;
    } else if (filter == Filter::cubic) {
        w[0] = T(0.5) * t * (t * (2 - t) - 1);
        w[1] = T(0.5) * (t * t * (3 * t - 5) + 2);
        w[2] = T(0.5) * t * (t * (4 - 3 * t) + 1);
        w[3] = T(0.5) * t * t * (t - 1);
    } else {
        const T before = largest(T(0), T(0.5) - t), after = largest(T(0), t - T(0.5));
        w[0] = before / 2, w[1] = (1 - after) / 2, w[2] = (1 - before) / 2, w[3] = after / 2;
    }
}

/// Channel c of a picture [side,side,C] at (x, y) in its pixels, 0..1. Outside, the border repeats or there is nothing.
template <class T>
T sample(const std::uint8_t* image, std::int64_t side, std::int64_t C, int c, Filter filter, bool repeat, T x, T y)
{
    const T floor_x = std::floor(x), floor_y = std::floor(y);
    T wx[4], wy[4], sum = 0;
    tap_weights(filter, x - floor_x, wx);
    tap_weights(filter, y - floor_y, wy);
    for (int j = 0; j < 4; ++j)
        for (int i = 0; i < 4; ++i) {
            const std::int64_t row = std::int64_t(floor_y) - 1 + j, column = std::int64_t(floor_x) - 1 + i;
            const bool outside = row < 0 || row >= side || column < 0 || column >= side;
            if (outside && !repeat) continue;
            const std::int64_t at =
                clamp<std::int64_t>(row, 0, side - 1) * side + clamp<std::int64_t>(column, 0, side - 1);
            sum += wy[j] * wx[i] * T(image[at * C + c]);
        }
    return clamp(sum / 255, T(0), T(1));
}

/// Hue turned, saturation and value multiplied, each kept in its range. Grey stays grey and black black: added shifts,
/// as DeepFaceLab has them, would colour their noise.
template <class T>
BIFRONS_HD void shift_color(const AugmentDraw& d, T* bgr)
{
    const T b = bgr[0], g = bgr[1], r = bgr[2], value = largest(r, largest(g, b)),
            chroma = value - least(r, least(g, b));
    if (!(chroma > 0)) {
        for (int c = 0; c < 3; ++c) bgr[c] = least(T(1), bgr[c] * T(d.value));
        return;
    }
    const T hue = value == r   ? (g - b) / chroma
                  : value == g ? (b - r) / chroma + 2
                               : (r - g) / chroma + 4; // -1 .. 5, in sixths
    const T new_value = least(T(1), value * T(d.value));
    const T new_chroma = new_value * least(T(1), chroma / value * T(d.saturation));
    for (int c = 0; c < 3; ++c) {
        T k = hue + T(d.hue) + T(1 + 2 * c); // blue 1, green 3, red 5
        k -= 6 * std::floor(k / 6);
        bgr[c] = new_value - new_chroma * clamp(least(k, 4 - k), T(0), T(1));
    }
}

/// One pixel of sample n, at the face's position p (output pixels from the centre). eyes_mouth may be null.
template <class T>
void sample_face(const BatchShape& s, const Faces& faces, std::int64_t n, const AugmentDraw& d, Point<T> p, T* bgr,
                 T* mask, T* eyes_mouth)
{
    const std::int64_t S = faces.side;
    const auto* recolored = faces.recolored.as<std::uint8_t>();
    const std::uint8_t *image =
                           recolored ? recolored + n * S * S * 3 : faces.images.as<std::uint8_t>() + d.face * S * S * 3,
                       *matte = faces.masks.as<std::uint8_t>() + d.face * S * S;
    const T ratio = T(S - 2 * faces.margin) / T(s.side), x = p.x * ratio + T(S - 1) / 2, y = p.y * ratio + T(S - 1) / 2;
    for (int c = 0; c < 3; ++c) bgr[c] = sample(image, S, 3, c, d.shrunk ? Filter::mean : Filter::cubic, true, x, y);
    const Filter mask_filter = d.shrunk ? Filter::mean : Filter::linear;
    *mask = sample(matte, S, 1, 0, mask_filter, false, x, y);
    if (!eyes_mouth) return;
    const std::uint8_t* features = faces.eyes_mouth.as<std::uint8_t>() + d.face * S * S;
    *eyes_mouth = *mask * sample(features, S, 1, 0, mask_filter, false, x, y);
}

template <class T>
void augment(const BatchShape& s, const AugmentOptions& o, const Faces& faces, std::uint64_t seed, std::uint64_t step,
             T* input, T* target, T* mask, T* eyes_mouth)
{
    for (std::int64_t n = 0; n < s.N; ++n) {
        AugmentDraw d;
        draw_sample(s, o, faces, seed, step, n, d);
        for (std::int64_t pixel = 0; pixel < s.side * s.side; ++pixel) {
            const std::int64_t at = n * s.side * s.side + pixel;
            const Point<T> centre{T(pixel % s.side) + T(0.5) - T(s.side) / 2,
                                  T(pixel / s.side) + T(0.5) - T(s.side) / 2};
            const Point<T> p = inverse_affine(s, d, centre), moved = displacement(s, d, p);
            T unused;
            sample_face(s, faces, n, d, p, target + at * 3, mask + at, eyes_mouth ? eyes_mouth + at : eyes_mouth);
            sample_face(s, faces, n, d, Point<T>{p.x + moved.x, p.y + moved.y}, input + at * 3, &unused,
                        static_cast<T*>(nullptr));
            if (o.hue_deg != 0 || o.saturation != 0 || o.value != 0) shift_color(d, input + at * 3);
        }
    }
}

} // namespace bifrons::kernels::ref
