// data/extract/detector.h - finds faces in a frame.
//
//   hog         dlib's frontal HOG detector, the frame doubled when its long side is below 640 px; needs no file
//   centerface  CenterFace with its model file: long side 480, then 1280 if nothing was found
//   yunet       OpenCV's FaceDetectorYN with its model file: long side 320, then native size if nothing was found
//   haar        OpenCV's cascade; scores say little, boxes are coarse: a last resort
//
// Tests tests/data/extract_test.cpp
#pragma once

#include "data/geometry.h"
#include "data/image.h"

#include <array>
#include <functional>
#include <memory>
#include <optional>

namespace bifrons::data {

struct Detection {
    Rect rect = {};   ///< px of the frame; may reach over its edge
    double score = 0; ///< in the detector's scale. hog: distance to the decision; haar: agreeing windows; else 0..1
    /// Eye, eye, nose tip, corners of the mouth, from the picture's left; where the detector gives them.
    std::optional<std::array<Point, 5>> points = {};
};

/// Not for several threads at once: each takes its own.
class Detector {
  public:
    virtual ~Detector() = default;
    /// All that scores default_scores().weak or more, in falling order of score. Deterministic.
    virtual std::vector<Detection> detect(const Image& frame) = 0;
    /// The same for a face of about kNearFace px: the picture is searched as large as it is.
    virtual std::vector<Detection> detect_near(const Image& picture) { return detect(picture); }
};
constexpr double kNearFace = 120; ///< px

enum class DetectorKind { hog, centerface, yunet, haar };
inline constexpr std::array kDetectorKinds = {DetectorKind::hog, DetectorKind::centerface, DetectorKind::yunet,
                                              DetectorKind::haar};

/// How a detector's scores are read.
struct ScoreRange {
    double weak;   ///< from here on it may be a face: enough where one was in the frame before
    double strong; ///< from here on it counts as one: --min-score's default
};
ScoreRange default_scores(DetectorKind kind);

struct DetectorOptions {
    DetectorKind kind = DetectorKind::hog;
    std::filesystem::path model = {}; ///< empty: that of the models folders (data/model_files.h); haar: then Debian's
};

/// "hog", "centerface", "yunet", "haar".
const char* name_of(DetectorKind kind);
DetectorKind detector_kind_of(const std::string& name);

/// The best detector whose model file is in a models folder: centerface, else yunet; else hog, which needs none.
DetectorKind default_detector();

const char* centerface_file();
/// The model file that detector yunet takes: OpenCV 4.8 changed what a file must hold.
const char* yunet_file();

/// Searches at one scale after another until a detection is strong; then these are all, else those of the scale with
/// the best one. `search`: in falling order of score.
std::vector<Detection> first_strong(double strong, const std::vector<double>& scales,
                                    const std::function<std::vector<Detection>(double scale)>& search);

/// Throws Error(usage) when no model file is named nor found, Error(data) when the one named is missing or unusable.
std::unique_ptr<Detector> make_detector(const DetectorOptions& options);

std::unique_ptr<Detector> make_hog_detector();
std::unique_ptr<Detector> make_centerface_detector(const std::filesystem::path& model);
std::unique_ptr<Detector> make_yunet_detector(const std::filesystem::path& model);
std::unique_ptr<Detector> make_haar_detector(const std::filesystem::path& cascade);

} // namespace bifrons::data
