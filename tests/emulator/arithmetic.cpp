#include "tests/emulator/arithmetic.h"

#include "tests/emulator/warp.h"

#include "kernels/base/error.h"

#include <algorithm>
#include <bit>
#include <cfenv>
#include <cmath>
#include <limits>
#include <map>
#include <tuple>
#include <type_traits>
#include <utility>

namespace bifrons::emulator {

namespace {

using Text = std::string;

/// Elements of a row: 4 bytes for all narrow types, so that 32 of them are vectors of the processor.
template <class T>
struct RowOf {
    using Type __attribute__((may_alias)) = std::conditional_t<(sizeof(T) < 4), std::uint32_t, T>;
};
template <class T>
using Row = typename RowOf<T>::Type;

template <class T>
constexpr int kRowBytes = sizeof(T) == 8 ? 8 : 4;

/// operands[0] = F(operands[1], ...), lane by lane.
template <class F, class D, class... S, std::size_t... k>
void apply_rows(Warp& warp, const Instruction& i, Lanes lanes, std::index_sequence<k...>)
{
    Row<D>* to = warp.row<Row<D>>(i.operands[0]);
    const auto from = std::make_tuple(static_cast<const Row<S>*>(warp.row<Row<S>>(i.operands[k + 1]))...);
    const auto one = [&](int l) { to[l] = Row<D>(F{}(S(std::get<k>(from)[l])...)); };
    if (lanes == ~Lanes(0)) {
#pragma GCC ivdep
        for (int l = 0; l < kWarpSize; ++l) one(l);
    } else {
        for (int l = 0; l < kWarpSize; ++l)
            if (lanes >> l & 1) one(l);
    }
}

template <class F, class D, class... S>
void apply(Warp& warp, const Instruction& i, Lanes lanes)
{
    apply_rows<F, D, S...>(warp, i, lanes, std::index_sequence_for<S...>{});
}

using Table = std::map<Text, Arithmetic>;

template <class D, class... S, class F>
void add(Table& table, const Text& name, F)
{
    table[name] = {&apply<F, D, S...>, {kRowBytes<D>, kRowBytes<S>...}};
}

// ---- integers ----

/// As in "s32".
template <class T>
Text suffix()
{
    return str(std::is_floating_point_v<T> ? "f" : std::is_signed_v<T> ? "s" : "u", sizeof(T) * 8);
}

template <class... T, class Body>
void for_types(const Body& body)
{
    (body(T{}), ...);
}

template <class T>
constexpr unsigned kBits = sizeof(T) * 8;

template <class T>
void add_integers(Table& t)
{
    using U = std::make_unsigned_t<T>;
    const Text s = Text(".") + suffix<T>();
    add<T, T, T>(t, "add" + s, [](T a, T b) { return T(U(a) + U(b)); });
    add<T, T, T>(t, "sub" + s, [](T a, T b) { return T(U(a) - U(b)); });
    add<T, T, T>(t, "mul.lo" + s, [](T a, T b) { return T(std::uint64_t(a) * std::uint64_t(b)); });
    add<T, T, T, T>(t, "mad.lo" + s,
                    [](T a, T b, T c) { return T(std::uint64_t(a) * std::uint64_t(b) + std::uint64_t(c)); });
    add<T, T, T>(t, "min" + s, [](T a, T b) { return std::min(a, b); });
    add<T, T, T>(t, "max" + s, [](T a, T b) { return std::max(a, b); });
    constexpr auto overflows = [](T a, T b) {
        return std::is_signed_v<T> && b == T(-1) && a == T(U(1) << (kBits<T> - 1));
    };
    add<T, T, T>(t, "div" + s, [](T a, T b) { return b == 0 ? T(-1) : decltype(overflows){}(a, b) ? a : T(a / b); });
    add<T, T, T>(t, "rem" + s, [](T a, T b) { return b == 0 ? a : decltype(overflows){}(a, b) ? T(0) : T(a % b); });
    add<T, T, std::uint32_t>(t, "shr" + s, [](T a, std::uint32_t n) {
        return n < kBits<T> ? T(a >> n) : a < T(0) ? T(-1) : T(0);
    });
    if constexpr (std::is_signed_v<T>) {
        add<T, T>(t, "neg" + s, [](T a) { return T(U(0) - U(a)); });
        add<T, T>(t, "abs" + s, [](T a) { return a < 0 ? T(U(0) - U(a)) : a; });
    }
    if constexpr (sizeof(T) < 8) {
        using Wide =
            std::conditional_t<sizeof(T) == 2, std::conditional_t<std::is_signed_v<T>, std::int32_t, std::uint32_t>,
                               std::conditional_t<std::is_signed_v<T>, std::int64_t, std::uint64_t>>;
        add<Wide, T, T>(t, "mul.wide" + s, [](T a, T b) { return Wide(Wide(a) * Wide(b)); });
        add<Wide, T, T, Wide>(t, "mad.wide" + s, [](T a, T b, Wide c) { return Wide(Wide(a) * Wide(b) + c); });
        add<T, T, T>(t, "mul.hi" + s, [](T a, T b) { return T((Wide(a) * Wide(b)) >> kBits<T>); });
    } else {
        __extension__ using Wide = std::conditional_t<std::is_signed_v<T>, __int128, unsigned __int128>;
        add<T, T, T>(t, "mul.hi" + s, [](T a, T b) { return T((Wide(a) * Wide(b)) >> 64); });
    }
}

template <class T>
void add_bits(Table& t)
{
    const Text s = str(".b", kBits<T>);
    add<T, T, T>(t, "and" + s, [](T a, T b) { return T(a & b); });
    add<T, T, T>(t, "or" + s, [](T a, T b) { return T(a | b); });
    add<T, T, T>(t, "xor" + s, [](T a, T b) { return T(a ^ b); });
    add<T, T>(t, "not" + s, [](T a) { return T(~a); });
    add<T, T, std::uint32_t>(t, "shl" + s, [](T a, std::uint32_t n) { return n < kBits<T> ? T(a << n) : T(0); });
    add<T, T, std::uint32_t>(t, "shr" + s, [](T a, std::uint32_t n) { return n < kBits<T> ? T(a >> n) : T(0); });
    if constexpr (sizeof(T) >= 4) {
        add<std::uint32_t, T>(t, "popc" + s, [](T a) { return std::uint32_t(std::popcount(a)); });
        add<T, T>(t, "brev" + s, [](T a) {
            T reversed = 0;
            for (unsigned bit = 0; bit < kBits<T>; ++bit) reversed |= T(a >> bit & 1) << (kBits<T> - 1 - bit);
            return reversed;
        });
        add<std::uint32_t, T>(t, "clz" + s, [](T a) { return std::uint32_t(std::countl_zero(a)); });
        add<T, T, T, std::uint32_t, std::uint32_t>(t, "bfi" + s, [](T a, T b, std::uint32_t at, std::uint32_t n) {
            at &= 255, n &= 255;
            const T ones = n >= kBits<T> ? T(-1) : T((T(1) << n) - 1);
            const T mask = at >= kBits<T> ? T(0) : T(ones << at);
            return T((b & ~mask) | (at >= kBits<T> ? T(0) : (a << at) & mask));
        });
    }
}

void add_predicates(Table& t)
{
    add<bool, bool, bool>(t, "and.pred", [](bool a, bool b) { return a && b; });
    add<bool, bool, bool>(t, "or.pred", [](bool a, bool b) { return a || b; });
    add<bool, bool, bool>(t, "xor.pred", [](bool a, bool b) { return a != b; });
    add<bool, bool>(t, "not.pred", [](bool a) { return !a; });
    add<bool, bool>(t, "mov.pred", [](bool a) { return a; });
}

// ---- floating point ----

/// F with the processor's rounding set to `mode`.
template <int mode, class T, class F, class... S>
T rounded(F f, S... s)
{
    std::fesetround(mode);
    const auto hidden = [](T x) {
        asm volatile("" : "+x"(x)); // the compiler may not compute before the rounding is set, nor after
        return x;
    };
    const T result = hidden(f(hidden(s)...));
    std::fesetround(FE_TONEAREST);
    return result;
}

template <class T>
T flushed(T x)
{
    return std::fabs(x) < std::numeric_limits<T>::min() ? std::copysign(T(0), x) : x;
}

template <class T, class... S, class F>
void add_rounded(Table& t, const Text& name, F)
{
    const Text s = Text(".") + suffix<T>();
    if (name != "div" && name != "sqrt" && name != "rcp" && name != "fma") add<T, S...>(t, name + s, F{});
    add<T, S...>(t, name + ".rn" + s, F{});
    add<T, S...>(t, name + ".rz" + s, [](S... a) { return rounded<FE_TOWARDZERO, T>(F{}, a...); });
    add<T, S...>(t, name + ".rm" + s, [](S... a) { return rounded<FE_DOWNWARD, T>(F{}, a...); });
    add<T, S...>(t, name + ".rp" + s, [](S... a) { return rounded<FE_UPWARD, T>(F{}, a...); });
    const auto flushing = [](S... a) { return flushed(F{}(flushed(a)...)); };
    if constexpr (sizeof(T) == 4) {
        add<T, S...>(t, name + ".ftz" + s, flushing);
        add<T, S...>(t, name + ".rn.ftz" + s, flushing);
    }
}

template <class T>
void add_floats(Table& t)
{
    const Text s = Text(".") + suffix<T>();
    add_rounded<T, T, T>(t, "add", [](T a, T b) { return a + b; });
    add_rounded<T, T, T>(t, "sub", [](T a, T b) { return a - b; });
    add_rounded<T, T, T>(t, "mul", [](T a, T b) { return a * b; });
    add_rounded<T, T, T>(t, "div", [](T a, T b) { return a / b; });
    add_rounded<T, T, T, T>(t, "fma", [](T a, T b, T c) { return std::fma(a, b, c); });
    add_rounded<T, T>(t, "sqrt", [](T a) { return std::sqrt(a); });
    add_rounded<T, T>(t, "rcp", [](T a) { return T(1) / a; });
    add<T, T, T>(t, "min" + s, [](T a, T b) { return std::fmin(a, b); });
    add<T, T, T>(t, "max" + s, [](T a, T b) { return std::fmax(a, b); });
    add<T, T>(t, "neg" + s, [](T a) { return -a; });
    add<T, T>(t, "abs" + s, [](T a) { return std::fabs(a); });
    add<T, T, T>(t, "copysign" + s, [](T sign, T value) { return std::copysign(value, sign); });
}

void add_approximations(Table& t)
{
    const auto both = [&](const Text& name, auto f) {
        using F = decltype(f);
        add<float, float>(t, name + ".approx.f32", f);
        add<float, float>(t, name + ".approx.ftz.f32", [](float a) { return flushed(F{}(flushed(a))); });
    };
    // Of f64, the high word of the result alone is right; the low one is 0.
    const auto high_word = [](double x) { return std::bit_cast<double>(std::bit_cast<std::uint64_t>(x) >> 32 << 32); };
    using HighWord = decltype(high_word);
    add<double, double>(t, "rcp.approx.ftz.f64", [](double a) { return HighWord{}(1 / flushed(a)); });
    add<double, double>(t, "rsqrt.approx.ftz.f64", [](double a) { return HighWord{}(1 / std::sqrt(flushed(a))); });
    both("ex2", [](float a) { return float(std::exp2(double(a))); });
    both("lg2", [](float a) { return float(std::log2(double(a))); });
    both("rcp", [](float a) { return float(1 / double(a)); });
    both("sqrt", [](float a) { return float(std::sqrt(double(a))); });
    both("rsqrt", [](float a) { return float(1 / std::sqrt(double(a))); });
    both("sin", [](float a) { return float(std::sin(double(a))); });
    both("cos", [](float a) { return float(std::cos(double(a))); });
    both("tanh", [](float a) { return float(std::tanh(double(a))); });
}

// ---- comparisons and choices ----

template <class T>
void add_comparisons(Table& t, const Text& type)
{
    const Text s = "." + type;
    add<bool, T, T>(t, "setp.eq" + s, [](T a, T b) { return a == b; });
    add<bool, T, T>(t, "setp.lt" + s, [](T a, T b) { return a < b; });
    add<bool, T, T>(t, "setp.le" + s, [](T a, T b) { return a <= b; });
    add<bool, T, T>(t, "setp.gt" + s, [](T a, T b) { return a > b; });
    add<bool, T, T>(t, "setp.ge" + s, [](T a, T b) { return a >= b; });
    if constexpr (std::is_floating_point_v<T>) {
        add<bool, T, T>(t, "setp.ne" + s, [](T a, T b) { return a < b || a > b; });
        add<bool, T, T>(t, "setp.equ" + s, [](T a, T b) { return !(a < b || a > b); });
        add<bool, T, T>(t, "setp.neu" + s, [](T a, T b) { return !(a == b); });
        add<bool, T, T>(t, "setp.ltu" + s, [](T a, T b) { return !(a >= b); });
        add<bool, T, T>(t, "setp.leu" + s, [](T a, T b) { return !(a > b); });
        add<bool, T, T>(t, "setp.gtu" + s, [](T a, T b) { return !(a <= b); });
        add<bool, T, T>(t, "setp.geu" + s, [](T a, T b) { return !(a < b); });
        add<bool, T, T>(t, "setp.num" + s, [](T a, T b) { return a == a && b == b; });
        add<bool, T, T>(t, "setp.nan" + s, [](T a, T b) { return a != a || b != b; });
    } else {
        add<bool, T, T>(t, "setp.ne" + s, [](T a, T b) { return a != b; });
    }
}

template <class T>
void add_moves(Table& t, const Text& type)
{
    add<T, T>(t, "mov." + type, [](T a) { return a; });
    add<T, T, T, bool>(t, "selp." + type, [](T a, T b, bool first) { return first ? a : b; });
}

// ---- conversions ----

enum class Rounding { nearest, zero, down, up };

template <class S>
S to_integral(S x, Rounding rounding)
{
    switch (rounding) {
    case Rounding::nearest:
        return std::nearbyint(x);
    case Rounding::zero:
        return std::trunc(x);
    case Rounding::down:
        return std::floor(x);
    case Rounding::up:
        return std::ceil(x);
    }
    return x;
}

/// PTX ISA, cvt: values beyond the integer's range become its ends; NaN becomes 0, for 64-bit sources or results 2^63.
template <class D, class S>
D saturated(S x)
{
    using Limits = std::numeric_limits<D>;
    if (std::isnan(x)) return sizeof(D) == 8 || sizeof(S) == 8 ? D(std::uint64_t(1) << (kBits<D> - 1)) : D(0);
    if (x <= S(Limits::min())) return Limits::min();
    if (x >= S(Limits::max())) return Limits::max();
    return D(x);
}

template <class D, class S, Rounding rounding, bool integral, bool saturate>
void add_conversion(Table& t, const Text& name)
{
    add<D, S>(t, name, [](S x) -> D {
        if constexpr (std::is_floating_point_v<S> && std::is_floating_point_v<D>) {
            D y;
            if constexpr (integral)
                y = D(to_integral(x, rounding));
            else if constexpr (sizeof(D) < sizeof(S) && rounding != Rounding::nearest)
                y = rounding == Rounding::zero && std::fabs(S(D(x))) > std::fabs(x) ? std::nextafter(D(x), D(0)) : D(x);
            else
                y = D(x);
            return saturate ? (std::isnan(y) ? D(0) : std::clamp(y, D(0), D(1))) : y;
        } else if constexpr (std::is_floating_point_v<S>) {
            return saturated<D>(to_integral(x, rounding));
        } else if constexpr (saturate && std::is_integral_v<D>) {
            if (std::cmp_less(x, std::numeric_limits<D>::min())) return std::numeric_limits<D>::min();
            if (std::cmp_greater(x, std::numeric_limits<D>::max())) return std::numeric_limits<D>::max();
            return D(x);
        } else {
            return D(x);
        }
    });
}

template <class D, class S>
void add_conversions(Table& t)
{
    const Text types = str(".", suffix<D>(), ".", suffix<S>());
    constexpr bool from_float = std::is_floating_point_v<S>, to_float = std::is_floating_point_v<D>;
    if constexpr (from_float) {
        add_conversion<D, S, Rounding::nearest, true, false>(t, "cvt.rni" + types);
        add_conversion<D, S, Rounding::zero, true, false>(t, "cvt.rzi" + types);
        add_conversion<D, S, Rounding::down, true, false>(t, "cvt.rmi" + types);
        add_conversion<D, S, Rounding::up, true, false>(t, "cvt.rpi" + types);
    }
    if constexpr (to_float) add_conversion<D, S, Rounding::nearest, false, false>(t, "cvt.rn" + types);
    if constexpr (to_float && from_float && sizeof(D) < sizeof(S))
        add_conversion<D, S, Rounding::zero, false, false>(t, "cvt.rz" + types);
    if constexpr (from_float == to_float) add_conversion<D, S, Rounding::nearest, false, false>(t, "cvt" + types);
    if constexpr (from_float == to_float) add_conversion<D, S, Rounding::nearest, false, true>(t, "cvt.sat" + types);
}

template <class S>
void add_conversions_from(Table& t)
{
    for_types<std::uint8_t, std::int8_t, std::uint16_t, std::int16_t, std::uint32_t, std::int32_t, std::uint64_t,
              std::int64_t, float, double>([&](auto d) { add_conversions<decltype(d), S>(t); });
}

/// To 10 bits of fraction, ties away from zero.
float nearest_tf32(float x)
{
    const auto bits = std::bit_cast<std::uint32_t>(x);
    if (std::isnan(x)) return std::bit_cast<float>(0x7fffffffu);
    return std::isfinite(x) ? std::bit_cast<float>((bits + 0x1000u) & ~0x1fffu) : x;
}

Table make_table()
{
    Table t;
    for_types<std::uint16_t, std::int16_t, std::uint32_t, std::int32_t, std::uint64_t, std::int64_t>(
        [&](auto x) { add_integers<decltype(x)>(t), add_comparisons<decltype(x)>(t, suffix<decltype(x)>()); });
    for_types<std::uint16_t, std::uint32_t, std::uint64_t>([&](auto x) {
        using T = decltype(x);
        add_bits<T>(t);
        add_comparisons<T>(t, str("b", kBits<T>));
        for (const char* kind : {"b", "u", "s"}) add_moves<T>(t, str(kind, kBits<T>));
    });
    for_types<float, double>([&](auto x) {
        using T = decltype(x);
        add_floats<T>(t), add_comparisons<T>(t, suffix<T>()), add_moves<T>(t, suffix<T>());
    });
    for_types<std::uint8_t, std::int8_t, std::uint16_t, std::int16_t, std::uint32_t, std::int32_t, std::uint64_t,
              std::int64_t, float, double>([&](auto s) { add_conversions_from<decltype(s)>(t); });
    add<float, float>(t, "cvt.rna.tf32.f32", [](float x) { return nearest_tf32(x); });
    add_predicates(t);
    add_approximations(t);
    return t;
}

} // namespace

const Arithmetic* find_arithmetic(const std::string& opcode)
{
    static const Table table = make_table();
    const auto found = table.find(opcode);
    return found == table.end() ? nullptr : &found->second;
}

} // namespace bifrons::emulator
