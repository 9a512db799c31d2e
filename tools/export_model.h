// tools/export_model.h - `bifrons export` of a model. Tests tests/tools/export_model_test.cpp
#pragma once

#include "tools/console.h"

namespace bifrons::tools {

enum class OnnxKind { dfm, plain };

struct OnnxExport {
    std::string from; ///< model folder or checkpoint
    std::string out;
    OnnxKind kind = OnnxKind::dfm;
    std::string part = ""; ///< of plain ONNX: a block alone; empty: the whole network
    bool half = false, overwrite = false;
};

/// See model/export/onnx.h. Throws Error(usage) for a file that exists and may not be replaced
/// or a part that the network does not have, Error(data) for a model that cannot be used, Error(failed) as
/// model::dfm_file() does. A file appears whole or not at all.
void export_onnx(const OnnxExport& wanted, Console& console);

struct DflModelExport {
    std::string from; ///< model folder or checkpoint
    std::string out;
    std::string name = ""; ///< of the model there; empty: as the folder `from` is named
    bool overwrite = false;
};

/// Writes a model of DeepFaceLab's SAEHD into a folder, beside those that it holds, see model/export/deepfacelab.h.
/// Throws Error(usage) where it holds one of that name and overwrite is not set, Error(data) for a model that cannot be
/// used, Error(failed) when writing fails, Interrupted; until all is written, the folder stays as it was.
void export_dfl_model(const DflModelExport& wanted, Console& console);

} // namespace bifrons::tools
