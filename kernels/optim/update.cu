// kernels/optim/update.cu - an optimizer's update over the flat arenas, a packet of neighbours a thread. Limit: memory
// bandwidth (adam: 28 bytes an element, 30 with the packed copy, 8 more with the average).
#include "kernels/device/packet.cuh"
#include "kernels/device/simt.h"
#include "kernels/optim/update_element.h"

namespace bifrons::kernels::BIFRONS_SIMT_NS {

namespace {

// The powers are in f64, which is slow on some GPUs: one thread of a block computes them for all.
template <UpdateRule Rule, int N>
__global__ void __launch_bounds__(kBlockSize)
    update_kernel(std::int64_t n, UpdateOptions o, const StepState* state, int group, std::int64_t first,
                  const std::uint8_t* marks, float* w, const float* g, float* m, float* v, bf16* packed, float* average)
{
    wait_for_previous_kernel();
    SHARED(UpdateRates<float>, rates);
    if (state->skip) return;
    if (threadIdx.x == 0) {
        const UpdateRates<float> computed = update_rates<float>(o, *state, group);
        rates = computed; // gcc does not show the checker what a call returns into memory
    }
    __syncthreads();
    in_packets<N>(n, [&]<int M>(std::int64_t i) {
        const int mark = marks ? marks[i / kUpdateBlock] : kTrained | kDecays;
        float weight[M];
        load_packet(w + i, weight);
        if (mark & kTrained) {
            const float decay = mark & kDecays ? rates.decay : 0.0f;
            float gradient[M], mean[M] = {}, square[M], kept[M];
            load_packet(g + i, gradient);
            if constexpr (keeps_mean(Rule)) load_packet(m + i, mean);
            load_packet(v + i, square);
            for (float& k : kept) k = 1;
            if (o.keep < 1) {
                const UpdateDraw draw(*state, (first + i) / 4, o.keep);
                for (int k = 0; k < M; ++k) kept[k] = draw.kept(M == 4 ? k : int((first + i) % 4)) ? 1.0f : 0.0f;
            }
            for (int k = 0; k < M; ++k)
                update_element<Rule>(o, rates, kept[k], decay, gradient[k], mean[k], square[k], weight[k]);
            if constexpr (keeps_mean(Rule)) store_packet(m + i, mean);
            store_packet(v + i, square);
            store_packet(w + i, weight);
            if (packed) store_packet(packed + i, weight);
        }
        if (average) {
            float averaged[M];
            load_packet(average + i, averaged);
            for (int k = 0; k < M; ++k) averaged[k] += rates.follow * (weight[k] - averaged[k]);
            store_packet(average + i, averaged);
        }
    });
}

} // namespace

void run(Exec ex, const Update& op)
{
    const UpdateArenas& a = op.a;
    on_rule(op.o.rule, [&]<UpdateRule Rule>() {
        on_packets<float>({a.w, a.g, a.m, a.v, a.packed, a.average}, [&]<int N>() {
            launch(op.kName, update_kernel<Rule, N>, grid_of_packets<N>(op.n), ex, op.n, op.o, op.state, op.group,
                   op.first, a.marks.as<std::uint8_t>(), a.w.as<float>(), a.g.as<float>(), a.m.as<float>(),
                   a.v.as<float>(), a.packed.as<bf16>(), a.average.as<float>());
        });
    });
}

} // namespace bifrons::kernels::BIFRONS_SIMT_NS
