#include "kernels/base/onednn.h"
#include "kernels/conv2d/conv2d.h"

namespace bifrons::kernels {

bool prefers_bf16(Target target)
{
    return target.kind == DeviceKind::cuda || (target.kind == DeviceKind::cpu && onednn_multiplies_bf16());
}

} // namespace bifrons::kernels
