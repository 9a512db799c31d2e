// tests/model/narrow_batch.h - samples for networks in double: samplers draw f32.
#pragma once

#include "engine/batch.h"
#include "kernels/pointwise/cast.h"

namespace bifrons::test {

class NarrowBatch {
  public:
    explicit NarrowBatch(kernels::Device& device) : pool_(device) {}

    /// draw(Batch&) fills an f32 batch: `batch` itself if it is one, otherwise one like it, which is copied there.
    template <class Draw>
    void operator()(kernels::Exec ex, Batch& batch, const Draw& draw)
    {
        if (batch.input.dtype() == DType::f32) return draw(batch);
        if (!narrow_.input)
            for (const auto member : kTensors)
                if (batch.*member) narrow_.*member = Tensor::empty((batch.*member).shape(), DType::f32, pool_);
        narrow_.first = batch.first;
        draw(narrow_);
        for (const auto member : kTensors)
            if (batch.*member)
                kernels::run(ex,
                             kernels::Cast{(batch.*member).size(), (narrow_.*member).view(), (batch.*member).view()});
    }

  private:
    static constexpr Tensor Batch::*kTensors[] = {&Batch::input, &Batch::target, &Batch::mask, &Batch::eyes_mouth};

    Pool pool_;
    Batch narrow_;
};

} // namespace bifrons::test
