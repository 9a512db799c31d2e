// data/extract/landmarks.h - the 68 points of a face.
//
//   dlib       regression trees (Kazemi & Sullivan 2014)
//   facemesh   68 of the 468 points of MediaPipe's network (data/extract/face_mesh.h): steadier from frame to frame
//
// The first estimate (from the detector's box, or by a similarity from its five points) is refined on an upright crop
// in which the face has the place and size the model was trained for, again until it hardly moves: mostly once, more
// often where the detector's points are far off, as they are on tilted faces. Tests tests/data/extract_test.cpp,
// tests/data/face_mesh_test.cpp
#pragma once

#include "data/extract/detector.h"

namespace bifrons::data {

enum class LandmarkKind { dlib, facemesh };

/// "dlib", "facemesh".
const char* name_of(LandmarkKind kind);
LandmarkKind landmark_kind_of(const std::string& name);

/// facemesh where its file is in a models folder, else dlib.
LandmarkKind default_landmarks();

struct LandmarkOptions {
    LandmarkKind kind = LandmarkKind::dlib;
    /// Empty: that of the models folders (data/model_files.h); dlib: Debian's, of package libdlib-data (trained on iBUG
    /// 300-W, which excludes commercial use).
    std::filesystem::path model = {};
};

/// Points, and how they were come by.
struct Fit {
    Landmarks points = {}; ///< px of the frame, rounded to 1/1000
    double moved = 0;      ///< the way that refining took them: root mean squares of all steps, added, eye distances
};

/// The root mean square of the points' distances, px.
double rms_distance(const Landmarks& a, const Landmarks& b);

/// Eyes, nose tip, corners of the mouth.
using FivePoints = std::array<Point, 5>;

/// Loaded once, shared by all threads.
class LandmarkModel {
  public:
    virtual ~LandmarkModel() = default;

    /// The points of a face that stands upright or, where the detection has points, as those do. `grey` has one
    /// channel. Deterministic; may be called from several threads.
    Fit find(const Image& grey, const Detection& face) const;
    /// The same for a face whose points are about there already.
    Landmarks refine(const Image& grey, const Landmarks& near) const;
    /// Whether a face is where these points, which it found, are: a logit; empty where the model does not say.
    virtual std::optional<double> presence(const Image& grey, const Landmarks& points) const = 0;

  protected:
    /// Of a detection without points: those that a face has in dlib's box.
    static FivePoints five_in(const Rect& box);
    static FivePoints five_of(const Landmarks& points);

  private:
    virtual Landmarks first_estimate(const Image& grey, const Detection& face) const = 0;
    /// Points in a crop in which these five lie where the model expects them.
    virtual Landmarks in_upright_crop(const Image& grey, const FivePoints& five) const = 0;
    /// The last step, for points that hardly move any more.
    virtual Landmarks steadied(const Image& grey, const Landmarks& points) const = 0;
    Fit settle(const Image& grey, const Landmarks& near) const;
    Fit settle_in(const Image& grey, const Landmarks& near) const;
};

/// Throws Error(usage) when no model file is named nor found, Error(data) when the file is missing or damaged.
std::shared_ptr<const LandmarkModel> make_landmark_model(const LandmarkOptions& options);

std::shared_ptr<const LandmarkModel> make_dlib_landmarks(const std::filesystem::path& model);
std::shared_ptr<const LandmarkModel> make_mesh_landmarks(const std::filesystem::path& model);

} // namespace bifrons::data
