// model/export/onnx.h - a trained network as ONNX (opset 12), which any ONNX runtime runs.
//
// A .dfm is what DeepFaceLive and FaceFusion read. They take outputs by position and shapes from the input:
//
//   in_face:0               [N,R,R,3]  the destination's picture, BGR 0..1
//   out_face_mask:0         [N,R,R,1]  its mask, as the destination
//   out_celeb_face:0        [N,R,R,3]  the source's face
//   out_celeb_face_mask:0   [N,R,R,1]  its mask
//
// Plain ONNX has the names of this project, all values f32 and with channels last, as here:
//
//   the network   picture -> code [N,ae], face_src, mask_src, face_dst, mask_dst
//   encoder       picture -> features [N,F]
//   inter...      features -> code [N,ae], latent [N,L',L',A]
//   decoder...    latent [N,L',L',A] (liae: two maps side by side) -> face, mask
//
// and its discriminators, whose answers are unbounded, above 0 for real:
//
//   discriminator       picture -> centre, full; of type fc: answer [N,1,1,1]
//   code_discriminator  latent -> answer
//
// Source  github.com/onnx/onnx: onnx.proto, Operators.md; github.com/iperov/DeepFaceLive: modelhub/DFLive/DFMModel.py;
//         github.com/facefusion/facefusion: processors/modules/deep_swapper
// Tests   tests/tools/export_model_test.cpp
#pragma once

#include "engine/checkpoint.h"

namespace bifrons::model {

struct OnnxOptions {
    bool half = false;                ///< weights and sums are f16; inputs and outputs stay f32
    std::string producer = "Bifrons"; ///< what the file says that it was made by
};

/// Whether this program was built with what writes ONNX.
bool writes_onnx();

/// A .dfm file's bytes, of the averaged weights where the checkpoint has them. All that write ONNX throw Error(data)
/// for a checkpoint that lacks a parameter or is too large for a file of this kind (2 GB), Error(failed) in a program
/// built without what writes ONNX.
std::string dfm_file(const Checkpoint& checkpoint, const OnnxOptions& options);

/// A .onnx file's bytes: the network, or where part names one, a block of it or a discriminator. Throws Error(usage)
/// for a part that the network does not have.
std::string onnx_file(const Checkpoint& checkpoint, const std::string& part, const OnnxOptions& options);

} // namespace bifrons::model
