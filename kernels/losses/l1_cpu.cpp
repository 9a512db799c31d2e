#include "kernels/losses/l1_cpu.h"

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

void l1_fwd(const L1Shape& s, ConstView a, ConstView b, ConstView mask, float scale, View loss)
{
    on_type<float, double>(a.dtype, [&]<class T>() {
        pair_fwd<AbsoluteDifference>(s, a.as<T>(), b.as<T>(), mask.as<T>(), scale, loss.as<T>());
    });
}

void l1_grad(const L1Shape& s, ConstView a, ConstView b, ConstView mask, float scale, ConstView upstream,
             const Store& d)
{
    on_type<float, double>(a.dtype, [&]<class T>() {
        pair_grad<AbsoluteDifference>(s, a.as<T>(), b.as<T>(), mask.as<T>(), scale, upstream.as<T>(), d);
    });
}

} // namespace bifrons::kernels::cpu
