#include "engine/ops/ops.h"
#include "kernels/pointwise/channels.h"

namespace bifrons {

Var concat_channels(Tape& tape, const Var& a, const Var& b)
{
    const Shape &as = a.shape(), &bs = b.shape();
    BIFRONS_CHECK(shape, as.rank() == 4 && bs.rank() == 4 && as[0] == bs[0] && as[1] == bs[1] && as[2] == bs[2],
                  "concat_channels: ", as, " and ", bs, "; expected [N,H,W,*] with the same N, H, W");
    const kernels::ChannelsShape s{.rows = as[0] * as[1] * as[2], .A = as[3], .B = bs[3]};
    const Tensor y = tape.empty({as[0], as[1], as[2], s.A + s.B}, a.dtype());
    kernels::run(tape.exec(), kernels::ConcatChannels{s, a.view(), b.view(), y.view()});

    return tape.record("concat_channels", y, {a, b}, [s](const Tensor& d, Grads& grads) {
        const kernels::Exec ex = grads.tape().exec();
        if (const auto da = grads.want(0); da.out) kernels::run(ex, kernels::SplitChannels{s, d.view(), da, {}});
        if (const auto db = grads.want(1); db.out) kernels::run(ex, kernels::SplitChannels{s, d.view(), {}, db});
    });
}

} // namespace bifrons
