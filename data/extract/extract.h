// data/extract/extract.h - footage -> faceset: detect, select, 68 points, align, cut, write.
//
// Frames are worked on in parallel, in blocks of fixed size; the result does not depend on the number of threads, and
// an interrupted extraction that is continued gives the same faceset. Tests tests/data/extract_test.cpp
#pragma once

#include "data/extract/face_search.h"
#include "data/extract/steady.h"
#include "data/extract/track.h"
#include "data/faceset.h"
#include "data/import/alignments_file.h"
#include "data/media/frames.h"

#include <functional>

namespace bifrons::data {

struct FinderOptions {
    DetectorOptions detector = {};
    std::optional<double> min_score = {}; ///< detections below are dropped and counted; default_scores().strong
    Faces faces = Faces::track;
    LandmarkOptions landmarks = {};
    bool rotate = true; ///< search frames turned by quarters, too, where no face stands upright
    int threads = 0;    ///< 0: all of the machine's
    /// Faces::track: but for one frame in 16 a frame is searched where the face was last, and everywhere only if it is
    /// not there. Other faces of such a frame are not counted.
    bool search_near = false;
};

/// Finds the wanted faces of frames in their order; merging uses it, too.
class FaceFinder {
  public:
    /// landmarks: loaded as the options say if null. Throws as make_detector and make_landmark_model do.
    explicit FaceFinder(const FinderOptions& options, std::shared_ptr<const LandmarkModel> landmarks = {});

    struct Found {
        std::vector<FrameFace> faces = {};
        std::vector<FrameFace> weak = {}; ///< dropped for a low score; on request
        std::int64_t ignored = 0, low_score = 0, implausible = 0;
        std::vector<DroppedFace> dropped = {}; ///< each of these, without its frame
    };
    /// Consecutive frames; works on them in parallel.
    std::vector<Found> find(const std::vector<Frame>& frames, bool with_weak = false);
    /// Forgets the faces it followed.
    void restart();
    /// Goes on from a face that was kept so many frames ago.
    void resume(const Rect& last, const Landmarks& points, std::int64_t frames_ago);
    int threads() const { return int(searches_.size()); }
    Faces faces() const { return options_.faces; }

  private:
    Found select(SearchResult& result, bool with_weak);

    FinderOptions options_;
    double strong_;
    std::vector<FaceSearch> searches_; ///< one per thread
    Tracker tracker_;
    int quarters_ = 0; ///< by which the last face leant
};

struct ExtractOptions {
    FinderOptions finder = {};
    const AlignmentsFile* alignments = nullptr; ///< where the faces are, all of which are taken: none is searched
    ReaderOptions reader = {};                  ///< of videos
    FaceType type = FaceType::whole_face;
    std::int64_t side = 256; ///< px of the face pictures
    bool overwrite = false;  ///< start over where the folder holds a faceset
    std::function<void(std::int64_t read, std::int64_t of)> loading = {};  ///< bytes of an earlier run's records
    std::function<void(std::int64_t done, std::int64_t of)> progress = {}; ///< frames of the source, after each block
    std::function<void(const std::string&)> warn = {};                     ///< what a person should know of the footage
    const std::atomic<bool>* cancel = nullptr; ///< set by the caller: stop after the block, resumable
};

struct ExtractReport {
    std::int64_t frames = 0;      ///< looked at, over all sources, earlier runs included
    SourceCounts counts = {};     ///< the same
    std::int64_t implausible = 0; ///< the same: detections that are no faces
    std::int64_t frames_now = 0;  ///< looked at in this run
    std::int64_t unreadable = 0;  ///< pictures left out in this run
    double seconds = 0;           ///< of this run
    bool complete = false;        ///< false after a cancel
};

/// Adds the faces of each input (a video, a folder of pictures or one picture) to the faceset in `out`, which is
/// created if it does not exist, and locked (engine/folder_lock.h). All inputs are opened before anything is written.
/// What an earlier run with the same settings did is kept and continued: in a folder, with the pictures whose names are
/// new; faces of pictures that are no longer there stay. A picture that cannot be read is left out. Throws Error(usage)
/// when `out` holds something else or a faceset with other settings and overwrite is not set, Error(data)
/// for a bad input, when no face was found at all or no frame is one of the alignments', Error(failed) when writing
/// fails. What was extracted before stays.
ExtractReport extract(const std::vector<std::filesystem::path>& inputs, const std::filesystem::path& out,
                      const ExtractOptions& options);

} // namespace bifrons::data
