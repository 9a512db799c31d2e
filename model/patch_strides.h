// model/patch_strides.h - how a patch discriminator comes by its receptive field. Tests
// tests/model/discriminator_test.cpp
#pragma once

#include <vector>

namespace bifrons::model {

/// Strides of the 3x3 convolutions, at most nine and the first 2, whose receptive field is the nearest to `patch` px;
/// of several the fewest, then those with the most strides of 2. DeepFaceLab's search.
std::vector<int> patch_strides(int patch);
/// Side of what one value behind such convolutions sees, px.
int receptive_field(const std::vector<int>& strides);

} // namespace bifrons::model
