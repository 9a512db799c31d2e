// bench/layers.h - the convolutions and dense layers of a df-ud network, as its own training step runs them: what is
// timed. tests/model/layers_test.cpp compares this table with the network itself.
#pragma once

#include "kernels/conv2d/conv2d.h"

#include <vector>

namespace bifrons::bench {

/// One layer. What the two decoders have alike is named once.
struct Layer {
    std::string name;            ///< as in the network, without "_src" and "_dst": "decoder.res0.conv1"
    int identities = 1;          ///< 2: one call does both identities' pictures (encoder and inter)
    kernels::Conv2dShape s = {}; ///< of one picture of one identity; a dense layer has pictures of one pixel
    float slope = 1;             ///< of the leaky ReLU behind it; 1: none
    float input_slope = 1;       ///< of the leaky ReLU before it, whose gradient its own stores
    bool add = false;            ///< a skip connection is added to its output
    bool skipped = false;        ///< its input also goes into a skip connection, whose gradient is added to its own
    int shuffle = 1;
    bool picture = false; ///< the first layer, whose input needs no gradient
    bool head = false;    ///< writes f32

    kernels::Conv2dShape shape(std::int64_t batch) const
    {
        kernels::Conv2dShape full = s;
        full.N = batch * identities;
        return full;
    }
    bool dense() const { return s.H == 1 && s.R == 1; }
};

std::vector<Layer> layers_of(std::int64_t resolution, std::int64_t e, std::int64_t ae, std::int64_t d, std::int64_t m);

} // namespace bifrons::bench
