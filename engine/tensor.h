// engine/tensor.h - a cheap handle on dense device memory: storage, shape, element type.
//
// Views are leading slices and reshapes of the same storage. Nothing here copies between devices, converts, waits or
// allocates behind the caller's back.
#pragma once

#include "engine/memory.h"
#include "engine/shape.h"

#include <memory>

namespace bifrons {

using kernels::DType;

class Tensor {
  public:
    Tensor() = default; ///< no tensor; false
    /// Uninitialised; the bytes go back to `memory`, which must live longer, with the last handle.
    static Tensor empty(const Shape& shape, DType dtype, Memory& memory);
    /// Memory that somebody else owns and keeps.
    static Tensor wrap(kernels::View data, const Shape& shape);

    explicit operator bool() const { return data_ != nullptr; }
    const Shape& shape() const { return shape_; }
    DType dtype() const { return dtype_; }
    std::int64_t size() const { return shape_.size(); }
    std::size_t bytes() const { return std::size_t(size()) * kernels::dtype_bytes(dtype_); }
    kernels::View view() const { return {data_.get(), dtype_}; }

    /// Same storage; throws Error(shape) unless the sizes agree.
    Tensor reshape(const Shape& shape) const;
    /// Rows [begin, end) of the first dimension, same storage.
    Tensor slice(std::int64_t begin, std::int64_t end) const;

    /// Copies size() host values in, converted to the element type (f32 or f64); waits. T is float or double.
    template <class T>
    void upload(kernels::Exec ex, const std::vector<T>& values) const;
    /// Waits for the stream and returns the values, converted to T (float or double).
    template <class T = float>
    std::vector<T> download(kernels::Exec ex) const;

  private:
    std::shared_ptr<void> data_;
    Shape shape_;
    DType dtype_ = DType::f32;
};

} // namespace bifrons
