#include "kernels/losses/l1.h"

#include "kernels/base/on_type.h"
#include "kernels/losses/picture_pair_cpu.h"

#include <cmath>

namespace bifrons::kernels::cpu {

namespace {

struct AbsoluteDifference {
    static double value(double a, double b) { return std::abs(a - b); }
    template <class T>
    static T slope(T a, T b)
    {
        return T((a > b) - (a < b));
    }
    template <class T>
    static T weight(T m)
    {
        return m;
    }
};

} // namespace

void run(Exec, const L1Fwd& op)
{
    on_type<float, double>(op.a.dtype, [&]<class T>() {
        pair_fwd<AbsoluteDifference>(op.s, op.a.as<T>(), op.b.as<T>(), op.mask.as<T>(), op.scale, op.loss.as<T>());
    });
}

void run(Exec, const L1Grad& op)
{
    on_type<float, double>(op.a.dtype, [&]<class T>() {
        pair_grad<AbsoluteDifference>(op.s, op.a.as<T>(), op.b.as<T>(), op.mask.as<T>(), op.scale, op.upstream.as<T>(),
                                      op.d);
    });
}

} // namespace bifrons::kernels::cpu
