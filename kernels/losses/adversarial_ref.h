// kernels/losses/adversarial_ref.h - adversarial losses in loops: the definition. T = double is the oracle.
#pragma once

#include "kernels/losses/adversarial.h"

namespace bifrons::kernels::ref {

/// f of one answer.
template <class T>
BIFRONS_HD T adversarial(AdversarialLoss loss, Verdict wanted, T x)
{
    if (loss == AdversarialLoss::least_squares) {
        const T miss = wanted == Verdict::fake ? x : x - T(1);
        return miss * miss;
    }
    if (wanted == Verdict::fool) return -x;
    const T margin = wanted == Verdict::fake ? T(1) + x : T(1) - x;
    return margin < T(0) ? T(0) : margin; // a NaN margin stays NaN
}

template <class T>
BIFRONS_HD T adversarial_slope(AdversarialLoss loss, Verdict wanted, T x)
{
    if (loss == AdversarialLoss::least_squares) return T(2) * (wanted == Verdict::fake ? x : x - T(1));
    switch (wanted) {
    case Verdict::fool:
        return T(-1);
    case Verdict::fake:
        return x > T(-1) ? T(1) : T(0);
    case Verdict::real:
        break;
    }
    return x < T(1) ? T(-1) : T(0);
}

template <class T>
void adversarial_fwd(const AdversarialShape& s, const T* x, T scale, T* loss)
{
    T sum = 0;
    for (std::int64_t i = 0; i < s.n; ++i) sum += adversarial(s.loss, s.wanted, x[i]);
    *loss = scale * sum / T(s.n);
}

/// v = upstream * dloss/dx, before it is stored.
template <class T>
void adversarial_grad(const AdversarialShape& s, const T* x, T scale, T upstream, T* v)
{
    for (std::int64_t i = 0; i < s.n; ++i) v[i] = upstream * scale / T(s.n) * adversarial_slope(s.loss, s.wanted, x[i]);
}

} // namespace bifrons::kernels::ref
