// model/taps.h - which features of a pretrained network are read, as text. Tests tests/model/feature_network_test.cpp
#pragma once

#include <string>
#include <vector>

namespace bifrons::model {

/// A place whose features are read, and what they count.
struct Tap {
    std::string name;
    float weight = 1;
};

/// "relu1_2:0.5, relu2_2" -> taps; a missing weight is 1. Throws Error(usage).
std::vector<Tap> parse_taps(const std::string& text);

} // namespace bifrons::model
