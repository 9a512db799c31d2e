// bench/peers/cudnn.h - the two ways into cuDNN: the find functions of old (cudnn_find.cpp) and the graphs
// (cudnn_graph.cpp, where the headers of cudnn-frontend are there). The best of both is "cuDNN".
#pragma once

#include "bench/peers/library.h"

#include <cudnn.h>

namespace bifrons::bench {

/// Throws Error(failed) with cuDNN's own words.
inline void check_cudnn(cudnnStatus_t status, const char* what)
{
    BIFRONS_CHECK(failed, status == CUDNN_STATUS_SUCCESS, "cuDNN: ", what, ": ", cudnnGetErrorString(status));
}

std::unique_ptr<Plan> find_plan(cudnnHandle_t handle, const Product& product, const ProductOperands& operands,
                                kernels::Workspace workspace);
std::unique_ptr<Plan> graph_plan(cudnnHandle_t handle, const Product& product, const ProductOperands& operands,
                                 kernels::Workspace workspace);

} // namespace bifrons::bench
