// model/feature_file.h - which feature network a safetensors file holds. It says so itself, by its tensors' names:
//
//   features.N.weight           VGG-16 or VGG-19 as torchvision numbers them (timm's files too): input RGB less
//                               torchvision's means, over its deviations; zeros around
//   conv1_1.weight ...          the same by Oxford's names: input BGR 0..255 less the means; zeros around
//   ... with pre_1x1.weight     the same with an input map of its own, from RGB 0..1
//   features.3.squeeze.weight   SqueezeNet 1.1 of torchvision; lpips.linI.model.1.weight are LPIPS's heads for it
//
// The metadata `padding` = "reflect" asks for a mirrored rim around each convolution, `taps` names the taps to read.
// A file may end early. Filters are [K,C,R,S].
//
// Sources  Simonyan & Zisserman 2014, arXiv:1409.1556; Iandola et al. 2016, arXiv:1602.07360; Zhang et al. 2018,
// arXiv:1801.03924      Tests  tests/model/feature_network_test.cpp
#pragma once

#include "engine/safetensors.h"
#include "kernels/color/color_affine.h"

#include <string>
#include <vector>

namespace bifrons::model {

struct FeatureConv {
    std::string name;          ///< in the file, without ".weight" and ".bias"
    std::int64_t K = 1, C = 1; ///< filters and their channels
    int side = 3, stride = 1, pad = 1;
};

/// A step of the computation. Every convolution is rectified.
struct FeatureLayer {
    enum class Kind {
        conv,
        fire, ///< convs[1] and convs[2] of what convs[0] made, side by side
        pool  ///< maxima, stride 2
    } kind = Kind::conv;
    std::string tap = {};                ///< by which the result is asked for: "relu1_2", "fire3"; empty for a pool
    std::vector<FeatureConv> convs = {}; ///< one, three, none
    std::string head = {};               ///< name of LPIPS's channel weights for the result; empty if it has none
    int window = 2;                      ///< pool
    bool ceil = false;                   ///< pool

    std::int64_t channels() const; ///< of the result
};

struct FeatureFile {
    std::string name;                 ///< "VGG-16"
    std::vector<FeatureLayer> layers; ///< in order, as far as the file goes
    std::vector<std::string> taps;    ///< read by default
    kernels::ColorAffine input;       ///< from our BGR 0..1
    bool reflect = false;             ///< mirrored rims instead of zeros
};

/// Throws Error(data), naming the file, unless it holds one of the networks above with every layer up to its end whole:
/// names, shapes, element types. Looks at no values but the input map's.
FeatureFile describe_features(const SafetensorsFile& file);

} // namespace bifrons::model
