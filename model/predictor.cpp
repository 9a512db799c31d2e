#include "model/predictor.h"

namespace bifrons::model {

Predictor::Predictor(kernels::Device& device, const Autoencoder& net, std::int64_t batch, Identity identity,
                     Precision precision, const CodeMap* map)
    : device_(device), pool_(device), input_([&] {
          const int R = net.architecture().resolution;
          return Tensor::empty({batch, R, R, 3}, DType::f32, pool_);
      }()),
      face_(Tensor::empty(input_.shape(), DType::f32, pool_)),
      mask_(Tensor::empty({batch, input_.shape()[1], input_.shape()[2], 1}, DType::f32, pool_)),
      step_(device, {},
            [this, &net, identity, precision, mapped = map != nullptr,
             code_map = map ? *map : CodeMap()](kernels::Exec ex, Memory& memory) {
                Tape tape(ex, memory, false, precision);
                const Decoder::Output out = identity == Identity::src
                                                ? net.as_src(tape, Var(input_), mapped ? &code_map : nullptr)
                                                : net.as_dst(tape, Var(input_));
                ex.device->copy(ex.stream, face_.view().data, out.face.view().data, face_.bytes());
                ex.device->copy(ex.stream, mask_.view().data, out.mask.view().data, mask_.bytes());
            })
{
}

Predictor::Prediction Predictor::operator()(const std::vector<float>& pictures)
{
    const kernels::Exec ex{&device_, {}, {}};
    input_.upload(ex, pictures);
    step_.run();
    return {face_.download(ex), mask_.download(ex)};
}

} // namespace bifrons::model
