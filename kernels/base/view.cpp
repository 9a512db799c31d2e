#include "kernels/base/view.h"

namespace bifrons::kernels {

const char* dtype_name(DType t)
{
    switch (t) {
    case DType::f32:
        return "f32";
    case DType::f64:
        return "f64";
    case DType::bf16:
        return "bf16";
    case DType::f16:
        return "f16";
    case DType::u8:
        return "u8";
    case DType::i64:
        return "i64";
    case DType::u64:
        return "u64";
    }
    return "?";
}

void ConstView::throw_dtype(DType is, DType wanted)
{
    throw Error(ErrorKind::shape, str("operand has elements of ", dtype_name(is), "; expected ", dtype_name(wanted),
                                      ". Convert it first: no operation casts silently."));
}

} // namespace bifrons::kernels
