// kernels/losses/total_ref.h - the total loss: the definition.
#pragma once

#include "kernels/losses/total.h"

namespace bifrons::kernels::ref {

template <class T>
BIFRONS_HD void weighted_sum(const LossTerms& terms, T* total)
{
    double sum = 0;
    for (int i = 0; i < terms.count; ++i)
        sum += double(terms.weight[i]) * double(*static_cast<const T*>(terms.value[i].data));
    *total = T(sum);
}

template <class T>
BIFRONS_HD void list_terms(const LossTerms& terms, T* list)
{
    for (int i = 0; i < terms.count; ++i) list[i] = *static_cast<const T*>(terms.value[i].data);
}

/// What ScaleScalar stores.
template <class T>
BIFRONS_HD T scale_scalar(const T* upstream, float weight)
{
    return *upstream * T(weight);
}

} // namespace bifrons::kernels::ref
