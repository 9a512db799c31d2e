// data/faceset.h - a folder of aligned faces: faceset.json and images/.
//
// faceset.json (UTF-8, version 1), a source and a face a line: face_type, side, detector, landmarks; `sources` with
// name, path, frames, done, complete, counts, `pictures` (none of a video), `fingerprints`, `alignments` and `dropped`
// (each with frame, reason, score, rect); `faces`, each with file, source, frame, rect [left,top,right,bottom], score,
// landmarks_in_frame and landmarks [x0,y0,x1,...] (136 numbers), matrix (frame -> face, 6 numbers by rows), size,
// sharpness, pose [pitch,yaw,roll], checksum and, of some, mask. faceset.journal, where an extraction did not end: see
// FacesetJournal. Tests tests/data/faceset_test.cpp
#pragma once

#include "data/alignment.h"
#include "data/image.h"

#include <functional>
#include <string_view>
#include <vector>

namespace bifrons::data {

/// What extraction met in one source.
struct SourceCounts {
    std::int64_t faces = 0;     ///< kept
    std::int64_t ignored = 0;   ///< other faces, not requested
    std::int64_t low_score = 0; ///< dropped for a low score
    std::int64_t empty = 0;     ///< frames without a face that was kept
};

/// Reasons of a DroppedFace; any other says what speaks against its landmarks.
constexpr const char *kLowScore = "low score", *kOtherFace = "other face";

/// A detection that is not in the faceset.
struct DroppedFace {
    std::int64_t frame = 0;
    std::string reason = {};
    double score = 0;
    Rect rect = {}; ///< px of the frame
};

struct SourceRecord {
    std::string name = {};   ///< file names of its faces begin with it; unique
    std::string path = {};   ///< its file name alone: in which folder of whom it lies is nobody's business
    std::int64_t frames = 0; ///< as known when it was opened
    std::int64_t done = 0;   ///< frames looked at so far
    bool complete = false;
    SourceCounts counts = {};
    std::vector<std::string> pictures = {}; ///< looked at, by file name: frames are indices into it; none of a video
    std::vector<std::string> fingerprints = {}; ///< of the video or of each picture; none in older facesets
    std::vector<DroppedFace> dropped = {};
    std::uint64_t alignments = 0; ///< checksum of the file that its faces were taken from, if so
};

/// How many were dropped for their landmarks.
std::int64_t implausible_faces(const SourceRecord& source);

struct FaceRecord {
    std::string file = {};   ///< relative to the faceset: images/<source>_<frame>_<k>.png
    std::int64_t source = 0; ///< index into sources
    std::int64_t frame = 0;  ///< index in the source
    Rect rect = {};          ///< the detector's, px of the frame
    double score = 0;
    Landmarks in_frame = {}; ///< px of the frame
    Landmarks in_face = {};  ///< px of the face picture
    Affine matrix = {};      ///< frame -> face picture
    double size = 0; ///< px of the frame under the picture's side: above `side`, detail was lost; below, interpolated
    double sharpness = 0; ///< variance of luma's Laplacian inside the hull, in the face picture
    Pose pose = {};
    std::uint64_t checksum = 0; ///< XXH64 of the picture file, seed 0; 16 hexadecimal digits in the file
    std::string mask = {};      ///< picture of the face's region, white, in place of the landmarks' hull; mostly empty
};

struct Faceset {
    std::filesystem::path folder = {};
    FaceType type = FaceType::whole_face;
    std::int64_t side = 256;
    std::string detector = {};
    std::string landmarks = "dlib"; ///< the model that found them; facesets made before it was written: dlib
    std::vector<SourceRecord> sources = {};
    std::vector<FaceRecord> faces = {};
    std::vector<std::string> missing = {}; ///< files of faces whose picture is gone: they are not in `faces`
    /// Of a pack, whose path `folder` is then: the bytes of a face's file. Empty: the files lie in the folder.
    std::function<std::vector<std::uint8_t>(const std::string& file)> read = {};
};

/// True if the folder holds a faceset.json.
bool is_faceset(const std::filesystem::path& folder);

using ReadTick = std::function<void(std::int64_t read, std::int64_t of)>;
/// Reads and checks faceset.json and the journal. A face whose picture is gone is taken out, see Faceset::missing. The
/// files may come from anywhere: names lie in the folder and are no links, landmarks and matrix are those of a face.
/// tick: called for each face with the bytes read and those of both files; may throw to stop. Throws Error(data) that
/// names the file, the face and the field.
Faceset load_faceset(const std::filesystem::path& folder, const ReadTick& tick = {});
/// The same of files in memory; pictures are not looked for.
Faceset parse_faceset(const std::filesystem::path& folder, std::string_view manifest, std::string_view journal,
                      const ReadTick& tick = {});
/// Writes faceset.json in one step, after its pictures reached the disk, and removes the journal. Throws
/// Error(failed).
void save_faceset(const Faceset& set);

/// What an extraction adds to one source and to the end of the faces, until save_faceset() is called: lines
/// {"source": index, "from": frames done before, "record": the source with only new pictures and dropped faces,
/// "faces": the new ones}. However large the faceset, little is written.
class FacesetJournal {
  public:
    /// What the source has now is saved, unless it has no frames.
    FacesetJournal(const Faceset& set, std::size_t source);
    /// What is new since the last call, after its pictures reached the disk. Throws as append_to_file, and is not to be
    /// called again then.
    void append(const Faceset& set);

  private:
    std::size_t source_, faces_, pictures_ = 0, fingerprints_ = 0, dropped_ = 0;
    std::int64_t done_ = 0;
};

std::uint64_t checksum_of(const std::vector<std::uint8_t>& bytes);

/// A face's picture or mask as it is stored. Throws as read_file().
std::vector<std::uint8_t> stored_file(const Faceset& set, const std::string& file);

/// The picture of one face. changed: set to whether it is another one than was extracted. Throws Error(data) if it is
/// damaged or of another size.
Image load_face(const Faceset& set, std::size_t index, bool* changed = nullptr);

/// The region of one face in its picture, [side,side,1] 0..255: its mask, or the landmarks' hull. Throws as load_face.
Image load_mask(const Faceset& set, std::size_t index);

/// Faces in groups of like yaw. DeepFaceLab's 128 bins: their lower edges are spread evenly from -1.2 to 1.2 rad, the
/// first reaches down to all below and the last up to all above. Only those with faces in them are kept.
struct YawGroups {
    std::vector<std::int64_t> faces = {};  ///< positions in the list of indices, bin by bin
    std::vector<std::int64_t> begins = {}; ///< where each bin begins, and the end
};
YawGroups group_by_yaw(const Faceset& set, const std::vector<std::size_t>& indices);

/// Some faces in the device's layout.
struct FaceArrays {
    std::int64_t count = 0;
    std::int64_t side = 0;                 ///< px, the margin included
    std::vector<std::uint8_t> images = {}; ///< [count, side, side, 3] BGR
    std::vector<std::uint8_t> masks = {};  ///< [count, side, side] 0..255, the face's own mask or its landmarks' hull
    std::vector<std::uint8_t> eyes_mouth = {}; ///< the same of eyes and mouth; empty unless asked for
    YawGroups yaw = {};                        ///< empty unless asked for
    std::vector<std::string> changed = {};     ///< files of other pictures than were extracted
    std::vector<std::string> damaged = {};     ///< files of faces that were left out
    std::string damage = {};                   ///< what the first of them suffers from
};

/// What load_faces returns besides pictures and masks.
struct FaceWants {
    std::int64_t margin = 0; ///< px more on each edge, for augmentation
    bool eyes_mouth = false, yaw = false;
    std::function<void(std::int64_t done)> tick = {}; ///< after each face, one at a time; may throw to stop
};

/// The faces of these indices, in their order, as pictures of `type` whose face square has `side` px. Cut again from
/// the stored pictures: a type contains all smaller ones. Those that load_face() refuses are left out. Throws
/// Error(usage) for a type larger than the stored one.
FaceArrays load_faces(const Faceset& set, const std::vector<std::size_t>& indices, FaceType type, std::int64_t side,
                      const FaceWants& wants = {});

/// Which faces train and which are held out.
struct Split {
    std::vector<std::size_t> train = {}, validation = {};
};
/// Holds out about `share` (0..0.5) of the faces: of every source one block of neighbouring frames out of its middle,
/// because a frame and its neighbour are nearly the same picture. Sources with fewer than 2/share faces give none.
/// Depends on the faceset alone.
Split split_faces(const Faceset& set, double share);

} // namespace bifrons::data
