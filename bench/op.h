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

/// Where in a training the tensors of a case come from.
struct Place {
    Network network;
    std::int64_t batch;
    DType dtype;

    std::int64_t pixels() const { return batch * network.resolution * network.resolution; }
    /// Drawn as Bench::normal_values() does.
    Input normal(std::int64_t n, std::uint32_t seed, bool leaky = false) const
    {
        return {.values = Bench::normal_values(n, dtype, seed, 1, leaky), .dtype = dtype};
    }
};

/// A file's cases are a table of these.
struct OpRow {
    const char *family, *what;
    OpCase (*make)(const Place&);
    bool always = true; ///< else passes_over() some networks
};

/// The rows for every network, batch and precision that is stored in another way; or in f32, which operations have that
/// know no other.
void add_ops(const Grid& grid, const std::vector<OpRow>& rows, Cases& cases);
void add_f32_ops(const Grid& grid, const std::vector<OpRow>& rows, Cases& cases);

} // namespace bifrons::bench
