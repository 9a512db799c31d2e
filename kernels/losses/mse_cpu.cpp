#include "kernels/losses/mse_cpu.h"

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

void mse_fwd(const MseShape& s, ConstView a, ConstView b, ConstView mask, float scale, View loss)
{
    on_type<float, double>(a.dtype, [&]<class T>() {
        pair_fwd<SquaredDifference>(s, a.as<T>(), b.as<T>(), mask.as<T>(), scale, loss.as<T>());
    });
}

void mse_grad(const MseShape& s, ConstView a, ConstView b, ConstView mask, float scale, ConstView upstream,
              const Store& d)
{
    on_type<float, double>(a.dtype, [&]<class T>() {
        pair_grad<SquaredDifference>(s, a.as<T>(), b.as<T>(), mask.as<T>(), scale, upstream.as<T>(), d);
    });
}

} // namespace bifrons::kernels::cpu
