// kernels/resample/windows.h - which windows of a pooling lie over a position: what its backward pass gathers from.
#pragma once

#include "kernels/base/view.h"

namespace bifrons::kernels {

/// The windows along one axis that hold position h: first <= p < end.
struct Windows {
    std::int64_t first, end;
};
BIFRONS_HD inline Windows windows_over(std::int64_t h, std::int64_t window, std::int64_t stride, std::int64_t P)
{
    const std::int64_t first = h < window ? 0 : (h - window) / stride + 1;
    const std::int64_t end = h / stride + 1;
    return {first, end < P ? end : P};
}

} // namespace bifrons::kernels
