// kernels/base/parallel.h - loops of the cpu device over its threads. Results never depend on the thread count: pieces
// are fixed by n alone, and sums of pieces are added in their order.
#pragma once

#include <algorithm>
#include <cstdint>
#include <exception>

namespace bifrons::kernels {

/// body(begin, end) over disjoint pieces of [0, n) of at most `grain` elements each. The first exception of a piece is
/// thrown again here, after all pieces; OpenMP would end the program.
template <class Body>
void parallel_for(std::int64_t n, std::int64_t grain, const Body& body)
{
    const std::int64_t pieces = (n + grain - 1) / grain;
    std::exception_ptr failure;
#pragma omp parallel for schedule(static) if (pieces > 1)
    for (std::int64_t piece = 0; piece < pieces; ++piece) {
        try {
            body(piece * grain, std::min(n, (piece + 1) * grain));
        } catch (...) {
#pragma omp critical(bifrons_parallel_for)
            if (!failure) failure = std::current_exception();
        }
    }
    if (failure) std::rethrow_exception(failure);
}

/// Sum over [0, n) of body(begin, end), which returns a piece's sum; at most 256 pieces.
template <class Body>
double parallel_sum(std::int64_t n, const Body& body)
{
    constexpr std::int64_t kPieces = 256;
    const std::int64_t grain = std::max<std::int64_t>(1024, (n + kPieces - 1) / kPieces);
    double partial[kPieces] = {};
    parallel_for(n, grain, [&](std::int64_t begin, std::int64_t end) { partial[begin / grain] = body(begin, end); });
    double sum = 0;
    for (double p : partial) sum += p;
    return sum;
}

/// Sum over [0, n) of term(i). Sixteen interleaved sums: the loop vectorises, also in clones of its caller for other
/// instruction sets, without changing a bit.
template <class Term>
__attribute__((always_inline)) inline double lane_sum(std::int64_t n, const Term& term)
{
    constexpr int kLanes = 16;
    double lane[kLanes] = {};
    std::int64_t i = 0;
    for (; i + kLanes <= n; i += kLanes)
        for (int j = 0; j < kLanes; ++j) lane[j] += term(i + j);
    for (; i < n; ++i) lane[i % kLanes] += term(i);
    double sum = 0;
    for (double l : lane) sum += l;
    return sum;
}

} // namespace bifrons::kernels
