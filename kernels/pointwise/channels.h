// kernels/pointwise/channels.h - two tensors side by side along the channels, and apart again.
//
//   y[row, 0 .. A) = a[row, :]        y[row, A .. A+B) = b[row, :]
//
// Definition  channels_ref.h     CPU  channels_cpu.cpp     CUDA  channels.cu     Tests  tests/kernels/channels_test.cpp
#pragma once

#include "kernels/pointwise/epilogue.h"

namespace bifrons::kernels {

struct ChannelsShape {
    std::int64_t rows = 1;     // N*H*W
    std::int64_t A = 1, B = 1; // a [rows,A], b [rows,B], y [rows,A+B]

    BIFRONS_HD std::int64_t size() const { return rows * (A + B); }
};

/// y as above.   a, b read   y written   f32, bf16 or f64 (cpu only), all alike. Exact.   Throws
/// Error(shape).
struct ConcatChannels {
    static constexpr const char* kName = "concat_channels";
    ChannelsShape s = {};
    ConstView a = {}, b = {};
    View y = {};

    void check(Target target) const;
    Cost cost(Target target) const;
};
BIFRONS_OPERATION(ConcatChannels)

/// The inverse, which is also the gradient: y's first A channels stored as da says, its last B as db says. A store
/// whose `out` is empty is left out.   y [rows,A+B] read   da.out [rows,A], db.out [rows,B] written
struct SplitChannels {
    static constexpr const char* kName = "split_channels";
    ChannelsShape s = {};
    ConstView y = {};
    Store da = {}, db = {};

    void check(Target target) const;
    Cost cost(Target target) const;
};
BIFRONS_OPERATION(SplitChannels)

} // namespace bifrons::kernels
