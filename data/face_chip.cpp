// data/face_chip.cpp - the square of a frame that dlib's face-recognition networks look at.
#include "data/face_chip.h"

#include "data/warp.h"

namespace bifrons::data {

namespace {

constexpr double kPadding = 0.25;

/// Landmarks 27-54 (nose, eyes, outer upper lip) and 60-64 (inner upper lip) of dlib's mean face, unit square.
constexpr std::array<Point, 33> kMean = {
    {{0.490127, 0.203352}, {0.490127, 0.307009}, {0.490127, 0.409805}, {0.490127, 0.515625}, {0.36688, 0.587326},
     {0.426036, 0.609345}, {0.490127, 0.628106}, {0.554217, 0.609345}, {0.613373, 0.587326}, {0.121737, 0.216423},
     {0.187122, 0.178758}, {0.265825, 0.179852}, {0.334606, 0.231733}, {0.260918, 0.245099}, {0.182743, 0.244077},
     {0.645647, 0.231733}, {0.714428, 0.179852}, {0.793132, 0.178758}, {0.858516, 0.216423}, {0.79751, 0.244077},
     {0.719335, 0.245099}, {0.254149, 0.780233}, {0.340985, 0.745405}, {0.428858, 0.727388}, {0.490127, 0.742578},
     {0.551395, 0.727388}, {0.639268, 0.745405}, {0.726104, 0.780233}, {0.290379, 0.784792}, {0.428096, 0.778746},
     {0.490127, 0.785343}, {0.552157, 0.778746}, {0.689874, 0.784792}}};

} // namespace

Affine chip_from_frame(const Landmarks& in_frame)
{
    std::array<Point, 33> used;
    std::copy(in_frame.begin() + 27, in_frame.begin() + 55, used.begin());
    std::copy(in_frame.begin() + 60, in_frame.begin() + 65, used.begin() + 28);
    const double scale = double(kChipSide) / (1 + 2 * kPadding), shift = scale * kPadding - 0.5;
    // dlib's errors count in px of the frame, so it is the mean face that is fitted to the points.
    return Affine{{scale, 0, shift, 0, scale, shift}}.after(similarity(kMean, used).inverse());
}

Image face_chip(const Image& picture, const Landmarks& points)
{
    return warp(picture, chip_from_frame(points), kChipSide, kChipSide);
}

} // namespace bifrons::data
