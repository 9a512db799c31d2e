#include "kernels/optim/update.h"

#include "kernels/base/bf16.h"
#include "kernels/base/clones.h"
#include "kernels/base/on_type.h"
#include "kernels/base/parallel.h"
#include "kernels/optim/update_element.h"

#include <algorithm>

namespace bifrons::kernels::cpu {

namespace {

constexpr std::int64_t kGrain = 16384; // a multiple of the block

/// The n <= kUpdateBlock elements of one block. A function of its own: only so does the compiler believe __restrict.
template <UpdateRule Rule, class T>
BIFRONS_CLONES void update_block(std::int64_t n, const UpdateOptions& o, const UpdateRates<T>& rates,
                                 const T* __restrict kept, T decay, const T* __restrict g, T* __restrict m,
                                 T* __restrict v, T* __restrict w)
{
    const UpdateOptions options = o; // copies, which no store can change
    const UpdateRates<T> same = rates;
    for (std::int64_t i = 0; i < n; ++i) {
        T mean = keeps_mean(Rule) ? m[i] : T(0);
        update_element<Rule>(options, same, kept[i], decay, g[i], mean, v[i], w[i]);
        if (keeps_mean(Rule)) m[i] = mean;
    }
}

/// packed = w, rounded.
template <class T>
BIFRONS_CLONES void round_block(std::int64_t n, const T* w, bf16* packed)
{
    for (std::int64_t i = 0; i < n; ++i) packed[i] = to_bf16(float(w[i]));
}

/// kept[i] for the kUpdateBlock elements from number `first` on.
template <class T>
void draw_block(const StepState& state, std::int64_t first, float keep, T* kept)
{
    for (std::int64_t i = 0; i < kUpdateBlock; i += 4) {
        const UpdateDraw draw(state, (first + i) / 4, keep);
        for (int k = 0; k < 4; ++k) kept[i + k] = draw.kept(k) ? T(1) : T(0);
    }
}

/// Elements [begin, end), begin a multiple of the block.
template <UpdateRule Rule, class T>
void update_run(std::int64_t begin, std::int64_t end, const UpdateOptions& o, const UpdateRates<T>& rates,
                const UpdateArenas& a, const StepState& state, std::int64_t first)
{
    T kept[kUpdateBlock];
    std::fill_n(kept, kUpdateBlock, T(1));
    T *const m = keeps_mean(Rule) ? a.m.as<T>() : nullptr, *const average = a.average ? a.average.as<T>() : nullptr;
    const std::uint8_t* const marks = a.marks ? a.marks.as<std::uint8_t>() : nullptr;
    for (std::int64_t i = begin; i < end; i += kUpdateBlock) {
        const std::int64_t n = std::min(kUpdateBlock, end - i);
        const int mark = marks ? marks[i / kUpdateBlock] : kTrained | kDecays;
        T* const w = a.w.as<T>() + i;
        if (mark & kTrained) {
            if (o.keep < 1) draw_block(state, first + i, o.keep, kept);
            update_block<Rule>(n, o, rates, kept, mark & kDecays ? rates.decay : T(0), a.g.as<T>() + i, m ? m + i : m,
                               a.v.as<T>() + i, w);
            if (a.packed) round_block(n, w, a.packed.as<bf16>() + i);
        }
        if (average)
            for (std::int64_t k = 0; k < n; ++k) average[i + k] += rates.follow * (w[k] - average[i + k]);
    }
}

template <UpdateRule Rule, class T>
void update_as(std::int64_t n, const UpdateOptions& o, const UpdateArenas& a, const StepState& state, int group,
               std::int64_t first)
{
    const UpdateRates<T> rates = update_rates<T>(o, state, group);
    parallel_for(n, kGrain, [&](std::int64_t begin, std::int64_t end) {
        update_run<Rule>(begin, end, o, rates, a, state, first);
    });
}

template <UpdateRule Rule>
void update_by(std::int64_t n, const UpdateOptions& o, const UpdateArenas& a, const StepState& state, int group,
               std::int64_t first)
{
    on_type<float, double>(a.w.dtype, [&]<class T>() { update_as<Rule, T>(n, o, a, state, group, first); });
}

} // namespace

void run(Exec, const Update& op)
{
    const StepState& state = *op.state;
    if (state.skip) return;
    on_rule(op.o.rule, [&]<UpdateRule Rule>() { update_by<Rule>(op.n, op.o, op.a, state, op.group, op.first); });
}

} // namespace bifrons::kernels::cpu
