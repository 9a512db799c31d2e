// data/extract/detector.h - finds faces in a frame.
//
//   hog    dlib's frontal HOG detector, the frame doubled when its long side is below 640 px; needs no file
//   yunet  OpenCV's FaceDetectorYN with its model file: long side 320, then native size if nothing was found
//   haar   OpenCV's cascade; scores say little, boxes are coarse: a last resort
//
// Tests tests/data/extract_test.cpp
#pragma once

#include "data/geometry.h"
#include "data/image.h"

#include <memory>
#include <optional>

namespace bifrons::data {

struct Detection {
    Rect rect = {};   ///< px of the frame; may reach over its edge
    double score = 0; ///< hog: distance to the decision, > 0; yunet: 0..1; haar: number of agreeing windows
    /// Eye, eye, nose tip, corners of the mouth, from the picture's left; where the detector gives them.
    std::optional<std::array<Point, 5>> points = {};
};

/// Not for several threads at once: each takes its own.
class Detector {
  public:
    virtual ~Detector() = default;
    /// Faces in falling order of score. Deterministic.
    virtual std::vector<Detection> detect(const Image& frame) = 0;
};

enum class DetectorKind { hog, yunet, haar };

struct DetectorOptions {
    DetectorKind kind = DetectorKind::hog;
    std::filesystem::path model = {}; ///< yunet: its .onnx file; haar: a cascade, empty for Debian's
};

/// "hog", "yunet", "haar".
const char* name_of(DetectorKind kind);
DetectorKind detector_kind_of(const std::string& name);

/// The model file that detector yunet takes: OpenCV 4.8 changed what a file must hold.
const char* yunet_file();

/// Throws Error(data) when the model file is missing or unusable.
std::unique_ptr<Detector> make_detector(const DetectorOptions& options);

std::unique_ptr<Detector> make_hog_detector();
std::unique_ptr<Detector> make_yunet_detector(const std::filesystem::path& model);
std::unique_ptr<Detector> make_haar_detector(const std::filesystem::path& cascade);

} // namespace bifrons::data
