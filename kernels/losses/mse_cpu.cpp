#include "kernels/losses/mse.h"

#include "kernels/base/on_type.h"
#include "kernels/losses/picture_pair_cpu.h"

namespace bifrons::kernels::cpu {

namespace {

struct SquaredDifference {
    static double value(double a, double b) { return (a - b) * (a - b); }
    template <class T>
    static T slope(T a, T b)
    {
        return 2 * (a - b);
    }
    template <class T>
    static T weight(T m)
    {
        return m * m;
    }
};

} // namespace

void run(Exec, const MseFwd& op)
{
    on_type<float, double>(op.a.dtype, [&]<class T>() {
        pair_fwd<SquaredDifference>(op.s, op.a.as<T>(), op.b.as<T>(), op.mask.as<T>(), op.scale, op.loss.as<T>());
    });
}

void run(Exec, const MseGrad& op)
{
    on_type<float, double>(op.a.dtype, [&]<class T>() {
        pair_grad<SquaredDifference>(op.s, op.a.as<T>(), op.b.as<T>(), op.mask.as<T>(), op.scale, op.upstream.as<T>(),
                                     op.d);
    });
}

} // namespace bifrons::kernels::cpu
