// engine/ops/store_options.h - what operations with a fused store share: the epilogue going forward, and the way back
// from the stored gradient to the one that the operation itself is given.
#pragma once

#include "engine/tape.h"

namespace bifrons {

/// A result being stored through kernels::Epilogue.
class FusedStore {
  public:
    /// v is the shape of the operation's own result [N,P,Q,K]; allocates the stored one.
    FusedStore(Tape& tape, const kernels::EpilogueShape& v, DType dtype, const Var& bias, const Var& add,
               kernels::Activation act, int shuffle);

    const Tensor& y() const { return y_; }
    const kernels::Epilogue& epilogue() const { return epilogue_; }
    /// For Tape::record: the activation whose derivative the last consumer applies.
    RecordOptions record_options() const;

    /// For the gradient function: d of the stored result -> d of v (and of add).
    class Undo {
      public:
        Tensor operator()(const Tensor& d, Tape& tape) const;

      private:
        friend class FusedStore;
        kernels::EpilogueShape v_;
        int shuffle_ = 1;
        kernels::Activation act_; // only where the consumers could not apply it
        Tensor z_;
    };
    Undo undo() const;

  private:
    kernels::EpilogueShape v_;
    kernels::Epilogue epilogue_;
    Tensor y_, z_;
};

/// The tensor in another element type; itself where it has that one.
Tensor converted(const Tensor& t, DType dtype, Tape& tape);

} // namespace bifrons
