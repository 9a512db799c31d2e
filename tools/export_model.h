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

} // namespace bifrons::tools
