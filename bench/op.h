// bench/op.h - the benchmark of an operation that moves more than it computes. Its peer is a copy of as many bytes by
// the device itself: the best that memory gives. Its results are compared with the cpu device's on the same operands.
#pragma once

#include "bench/bench.h"

namespace bifrons::bench {

/// What is read: values rounded to the type, or bytes as they are.
struct Input {
    std::vector<float> values = {};
    DType dtype = DType::f32;
    std::vector<std::uint8_t> bytes = {};
};

/// What is written; `inout` starts as these values, and nothing is compared but what the first call made of them.
struct Output {
    std::int64_t n = 0;
    DType dtype = DType::f32;
    std::vector<float> inout = {};
    bool scratch = false; ///< not a result
};

struct OpCase {
    using Views = std::vector<View>;
    std::vector<Input> in;
    std::vector<Output> out;
    using Run = std::function<void(Exec, const Views& in, const Views& out)>;
    Run run;
    Run in_f32 = {}; ///< the cpu's call with f32 in place of bf16, where it is another
    /// |ours - cpu| <= error * (1 + |cpu|), and a rounding to bf16 besides where that is stored.
    double error = 0x1p-20;
};

/// Throws Error(usage) where the device has no kernel for it.
Work op_work(Bench& bench, const OpCase& c);

} // namespace bifrons::bench
