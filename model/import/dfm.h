// model/import/dfm.h - a .dfm file, which DeepFaceLive and FaceFusion run, becomes a network of ours again:
// DeepFaceLab's own SAEHD, and what model/export/onnx.h writes.
//
// The file holds a graph of operators and says nothing of layers. They are found by walking it backwards, from the
// outputs to the input: what a convolution is follows from its place. A graph in which anything else is found than this
// network has there is refused.
//
// The destination's face is not in a .dfm of df: that decoder has its mask alone.
//
// Tests  tests/tools/export_model_test.cpp
#pragma once

#include "model/settings.h"

#include <map>

namespace bifrons::model {

struct DfmModel {
    Settings settings = {};
    bool says_face_type = false;                            ///< or it is whole_face, as DeepFaceLive takes for granted
    std::map<std::string, std::vector<float>> weights = {}; ///< by the names of a checkpoint
};

/// Throws Error(data) for a file that is damaged, or of another network (AMP, by name), Error(failed) in a program that
/// was built without what reads ONNX.
DfmModel read_dfm(const std::string& path);

} // namespace bifrons::model
