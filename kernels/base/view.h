// kernels/base/view.h - what a kernel is given: a pointer with its element type, and dense row-major indexing.
#pragma once

#include "kernels/base/error.h"

#include <cstddef>
#include <cstdint>

#if defined(__CUDACC__)
#define BIFRONS_HD __host__ __device__
#else
#define BIFRONS_HD
#endif

namespace bifrons::kernels {

/// Element types of storage. Accumulation is f32 (f64 for f64). f16, i64 and u64 are stored and copied, never computed
/// with.
enum class DType : std::uint8_t { f32, f64, bf16, f16, u8, i64, u64 };

constexpr std::size_t dtype_bytes(DType t)
{
    switch (t) {
    case DType::f32:
        return 4;
    case DType::f64:
    case DType::i64:
    case DType::u64:
        return 8;
    case DType::bf16:
    case DType::f16:
        return 2;
    case DType::u8:
        return 1;
    }
    return 0;
}

const char* dtype_name(DType t);

template <class T>
constexpr DType dtype_of();
template <>
constexpr DType dtype_of<float>()
{
    return DType::f32;
}
template <>
constexpr DType dtype_of<double>()
{
    return DType::f64;
}
template <>
constexpr DType dtype_of<std::uint8_t>()
{
    return DType::u8;
}

/// Read-only operand. Empty (null) where an argument is optional and absent.
struct ConstView {
    const void* data = nullptr;
    DType dtype = DType::f32;

    explicit operator bool() const { return data != nullptr; }
    /// The pointer as T*; null stays null. Throws Error(shape) if the element type is another.
    template <class T>
    const T* as() const
    {
        if (data && dtype != dtype_of<T>()) throw_dtype(dtype, dtype_of<T>());
        return static_cast<const T*>(data);
    }
    [[noreturn]] static void throw_dtype(DType is, DType wanted);
};

/// Written (or read and written) operand.
struct View {
    void* data = nullptr;
    DType dtype = DType::f32;

    explicit operator bool() const { return data != nullptr; }
    operator ConstView() const { return {data, dtype}; }
    template <class T>
    T* as() const
    {
        if (data && dtype != dtype_of<T>()) ConstView::throw_dtype(dtype, dtype_of<T>());
        return static_cast<T*>(data);
    }
};

/// Dense row-major index of up to four dimensions, last fastest: v(n, h, w, c).
template <class T>
struct View4 {
    T* data;
    std::int64_t B, C, D; // sizes of the second, third and fourth dimension

    BIFRONS_HD T& operator()(std::int64_t a, std::int64_t b, std::int64_t c, std::int64_t d) const
    {
        return data[((a * B + b) * C + c) * D + d];
    }
};

} // namespace bifrons::kernels
