// kernels/base/on_type.h - the choice of an element type, for code that is a template on it:
//
//   on_type<float, double>(x.dtype, [&]<class T>() { fwd(s, x.as<T>(), y.as<T>()); });
#pragma once

#include "kernels/base/bf16.h"

namespace bifrons::kernels {

/// Calls f<T>() for that T of Types that dtype names. Throws Error(shape) if none is.
template <class... Types, class F>
void on_type(DType dtype, const F& f)
{
    const bool known = ((dtype == dtype_of<Types>() && (f.template operator()<Types>(), true)) || ...);
    BIFRONS_CHECK(shape, known, "elements are ", dtype_name(dtype), "; expected one of",
                  (str(" ", dtype_name(dtype_of<Types>())) + ...));
}

} // namespace bifrons::kernels
