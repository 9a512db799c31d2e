#include "engine/tensor.h"

namespace bifrons {

Tensor Tensor::empty(const Shape& shape, DType dtype, Memory& memory)
{
    Tensor t;
    t.shape_ = shape;
    t.dtype_ = dtype;
    t.data_ = std::shared_ptr<void>(memory.allocate(t.bytes()), [&memory](void* data) { memory.release(data); });
    return t;
}

Tensor Tensor::wrap(kernels::View data, const Shape& shape)
{
    Tensor t;
    t.shape_ = shape;
    t.dtype_ = data.dtype;
    t.data_ = std::shared_ptr<void>(data.data, [](void*) {});
    return t;
}

Tensor Tensor::reshape(const Shape& shape) const
{
    BIFRONS_CHECK(shape, shape.size() == size(), "reshape: ", shape_, " has ", size(), " elements, ", shape, " has ",
                  shape.size());
    Tensor t = *this;
    t.shape_ = shape;
    return t;
}

Tensor Tensor::slice(std::int64_t begin, std::int64_t end) const
{
    BIFRONS_CHECK(shape, shape_.rank() >= 1 && 0 <= begin && begin <= end && end <= shape_[0], "slice: rows ", begin,
                  "..", end, " of ", shape_);
    Tensor t = *this;
    t.shape_ = shape_.with_rows(end - begin);
    const std::size_t row_bytes = bytes() / std::size_t(std::max<std::int64_t>(1, shape_[0]));
    t.data_ = std::shared_ptr<void>(data_, static_cast<char*>(data_.get()) + std::size_t(begin) * row_bytes);
    return t;
}

namespace {

template <class To, class From>
void upload_as(const Tensor& t, kernels::Exec ex, const std::vector<From>& values)
{
    BIFRONS_CHECK(shape, std::int64_t(values.size()) == t.size(), "upload: ", values.size(), " values for ", t.shape());
    const std::vector<To> converted(values.begin(), values.end());
    ex.device->upload(ex.stream, t.view().data, converted.data(), t.bytes());
}

template <class From, class To>
std::vector<To> download_as(const Tensor& t, kernels::Exec ex)
{
    std::vector<From> values(std::size_t(t.size()));
    ex.device->download(ex.stream, values.data(), t.view().template as<From>(), t.bytes());
    return std::vector<To>(values.begin(), values.end());
}

} // namespace

template <class T>
void Tensor::upload(kernels::Exec ex, const std::vector<T>& values) const
{
    BIFRONS_CHECK(shape, dtype_ == DType::f32 || dtype_ == DType::f64, "upload: elements are ", dtype_name(dtype_),
                  "; expected f32 or f64");
    return dtype_ == DType::f64 ? upload_as<double>(*this, ex, values) : upload_as<float>(*this, ex, values);
}

template <class T>
std::vector<T> Tensor::download(kernels::Exec ex) const
{
    return dtype_ == DType::f64 ? download_as<double, T>(*this, ex) : download_as<float, T>(*this, ex);
}

template void Tensor::upload(kernels::Exec, const std::vector<float>&) const;
template void Tensor::upload(kernels::Exec, const std::vector<double>&) const;
template std::vector<float> Tensor::download(kernels::Exec) const;
template std::vector<double> Tensor::download(kernels::Exec) const;

} // namespace bifrons
