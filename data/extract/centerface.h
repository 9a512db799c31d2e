// data/extract/centerface.h - what CenterFace's network says of a picture, read as detections.
// Xu et al. 2019, "CenterFace: Joint Face Detection and Alignment Using Face as Point", arXiv:1911.03599; what the
// numbers mean is in the authors' demo (Star-Clouds/CenterFace). Tests tests/data/centerface_test.cpp
#pragma once

#include "data/extract/detector.h"

namespace bifrons::data {

/// The network's four outputs, one value a cell of 4 x 4 px, channel by channel. In each pair y comes before x.
struct CenterFaceMaps {
    int rows = 0, cols = 0;
    const float* heat = nullptr;   ///< [rows, cols] score of a face whose centre is in the cell, 0..1
    const float* size = nullptr;   ///< [2, rows, cols] natural logarithm of its height and width in cells
    const float* offset = nullptr; ///< [2, rows, cols] from the cell's middle to the face's centre, in cells
    const float* points = nullptr; ///< [5, 2, rows, cols] from the box's upper left corner, in heights and widths
};

/// The faces of score `least` and more in falling order of score, in px from the upper left corner of the picture that
/// the network saw. Of two boxes that overlap by 0.3 or more the one of the lower score is left out.
std::vector<Detection> read_centerface(const CenterFaceMaps& maps, double least);

} // namespace bifrons::data
