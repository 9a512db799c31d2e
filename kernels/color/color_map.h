// kernels/color/color_map.h - the affine maps of lct and mkl, from the moments of two pictures. Host and device.
#pragma once

#include "kernels/base/clamp.h"

#include <cmath>

namespace bifrons::kernels {

/// Sums over pixels: of weights m, of m v, and of m v v^T (upper triangle by rows: 00 01 02 11 12 22).
struct ColorMoments {
    double weight = 0, first[3] = {}, second[6] = {};

    BIFRONS_HD void add(double m, const float* v)
    {
        weight += m;
        for (int c = 0; c < 3; ++c) first[c] += m * double(v[c]);
        second[0] += m * double(v[0]) * double(v[0]);
        second[1] += m * double(v[0]) * double(v[1]);
        second[2] += m * double(v[0]) * double(v[2]);
        second[3] += m * double(v[1]) * double(v[1]);
        second[4] += m * double(v[1]) * double(v[2]);
        second[5] += m * double(v[2]) * double(v[2]);
    }
    BIFRONS_HD double mean(int c) const { return weight > 0 ? first[c] / weight : 0; }
};

struct Matrix3 {
    double m[3][3];
};

BIFRONS_HD inline Matrix3 product(const Matrix3& a, const Matrix3& b)
{
    Matrix3 c;
    for (int i = 0; i < 3; ++i)
        for (int j = 0; j < 3; ++j) c.m[i][j] = a.m[i][0] * b.m[0][j] + a.m[i][1] * b.m[1][j] + a.m[i][2] * b.m[2][j];
    return c;
}

constexpr double kLeastColorVariance = 1e-5;

BIFRONS_HD inline Matrix3 covariance(const ColorMoments& s)
{
    const double w = s.weight > 0 ? 1 / s.weight : 0, a = s.mean(0), b = s.mean(1), c = s.mean(2);
    const double ab = s.second[1] * w - a * b, ac = s.second[2] * w - a * c, bc = s.second[4] * w - b * c;
    return {{{s.second[0] * w - a * a + kLeastColorVariance, ab, ac},
             {ab, s.second[3] * w - b * b + kLeastColorVariance, bc},
             {ac, bc, s.second[5] * w - c * c + kLeastColorVariance}}};
}

/// One rotation of Jacobi's method in the plane (p, q): a becomes G^T a G with a[p][q] = 0, v becomes v G.
template <int p, int q>
BIFRONS_HD void rotate(Matrix3& a, Matrix3& v)
{
    if (a.m[p][q] == 0) return;
    const double theta = (a.m[q][q] - a.m[p][p]) / (2 * a.m[p][q]);
    const double t = (theta < 0 ? -1 : 1) / (std::fabs(theta) + std::sqrt(theta * theta + 1));
    const double c = 1 / std::sqrt(t * t + 1), s = t * c;
    for (int k = 0; k < 3; ++k) {
        const double kp = a.m[k][p], kq = a.m[k][q], vp = v.m[k][p], vq = v.m[k][q];
        a.m[k][p] = c * kp - s * kq, a.m[k][q] = s * kp + c * kq;
        v.m[k][p] = c * vp - s * vq, v.m[k][q] = s * vp + c * vq;
    }
    for (int k = 0; k < 3; ++k) {
        const double pk = a.m[p][k], qk = a.m[q][k];
        a.m[p][k] = c * pk - s * qk, a.m[q][k] = s * pk + c * qk;
    }
}

/// s^(1/2) or s^(-1/2) of a symmetric positive definite s, through its eigenvectors (Jacobi 1846; eight sweeps are more
/// than double precision needs). Eigenvalues count as kLeastColorVariance / 2 at least: rounding may have eaten them.
BIFRONS_HD inline Matrix3 root(Matrix3 s, bool inverse, double least_value = kLeastColorVariance / 2)
{
    Matrix3 v{{{1, 0, 0}, {0, 1, 0}, {0, 0, 1}}};
    for (int sweep = 0; sweep < 8; ++sweep) {
        rotate<0, 1>(s, v);
        rotate<0, 2>(s, v);
        rotate<1, 2>(s, v);
    }
    Matrix3 scaled, transposed;
    for (int k = 0; k < 3; ++k) {
        const double sigma = std::sqrt(largest(s.m[k][k], least_value)), factor = inverse ? 1 / sigma : sigma;
        for (int i = 0; i < 3; ++i) scaled.m[i][k] = v.m[i][k] * factor, transposed.m[k][i] = v.m[i][k];
    }
    return product(scaled, transposed);
}

/// out = a v + shift.
struct ColorMap {
    float a[3][3], shift[3];

    BIFRONS_HD void operator()(const float* v, float* out) const
    {
        float moved[3];
        for (int i = 0; i < 3; ++i) moved[i] = a[i][0] * v[0] + a[i][1] * v[1] + a[i][2] * v[2] + shift[i];
        for (int i = 0; i < 3; ++i) out[i] = clamp(moved[i], 0.0f, 1.0f);
    }
};

BIFRONS_HD inline Matrix3 lct_matrix(const Matrix3& from, const Matrix3& to)
{
    return product(root(to, false), root(from, true));
}

BIFRONS_HD inline Matrix3 mkl_matrix(const Matrix3& from, const Matrix3& to)
{
    const Matrix3 forth = root(from, false), back = root(from, true);
    const double least_value = kLeastColorVariance * kLeastColorVariance / 4;
    return product(back, product(root(product(forth, product(to, forth)), false, least_value), back));
}

/// The map of lct (or mkl) that takes the moments of x to those of y; the identity where x has no weight.
BIFRONS_HD inline ColorMap color_map(bool mkl, const ColorMoments& x, const ColorMoments& y)
{
    ColorMap map{{{1, 0, 0}, {0, 1, 0}, {0, 0, 1}}, {0, 0, 0}};
    if (!(x.weight > 0)) return map;
    const Matrix3 from = covariance(x), to = covariance(y), a = mkl ? mkl_matrix(from, to) : lct_matrix(from, to);
    for (int i = 0; i < 3; ++i) {
        double shift = y.mean(i);
        for (int j = 0; j < 3; ++j) {
            map.a[i][j] = float(a.m[i][j]);
            shift -= a.m[i][j] * x.mean(j);
        }
        map.shift[i] = float(shift);
    }
    return map;
}

/// rct's means and deviations of the same sums, as ref::transfer_line() wants them.
BIFRONS_HD inline void means_and_deviations(const ColorMoments& s, float (&statistics)[6])
{
    constexpr int kDiagonal[3] = {0, 3, 5};
    for (int c = 0; c < 3; ++c) {
        const double mean = s.mean(c), square = s.weight > 0 ? s.second[kDiagonal[c]] / s.weight : 0;
        statistics[c] = float(mean);
        statistics[3 + c] = float(std::sqrt(largest(square - mean * mean, 0.0)));
    }
}

} // namespace bifrons::kernels
