// kernels/device/storage.h - the choice of a kernel's storage type. For the entry functions in .cu files:
//
//   on_storage("relu_fwd", x.dtype, [&]<class T>() { launch("relu_fwd", relu_kernel<T>, ..., x.as<T>(), y.as<T>()); });
#pragma once

#include "kernels/base/on_type.h"

namespace bifrons::kernels {

/// Calls f<float>() or f<bf16>(). Throws Error(shape), naming the operation, for any other type.
template <class F>
void on_storage(const char* op, DType dtype, const F& f)
{
    BIFRONS_CHECK(shape, dtype == DType::f32 || dtype == DType::bf16, op, ": elements are ", dtype_name(dtype),
                  "; expected f32 or bf16 on a GPU");
    on_type<float, bf16>(dtype, f);
}

} // namespace bifrons::kernels
