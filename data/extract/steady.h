// data/extract/steady.h - the faces of a clip over time: gaps filled, landmarks smoothed.
//
// A track is one face from frame to frame: its landmarks' boxes overlap by kSameFace or more, within one scene. Frames
// are all at hand, so that what comes later counts as much as what came before. Tests tests/data/steady_test.cpp
#pragma once

#include "data/extract/detector.h"

#include <optional>
#include <string>

namespace bifrons::data {

/// A face in a frame, with its points.
struct FrameFace {
    Detection detection = {};
    Landmarks points = {};
    bool filled = false;                    ///< not found in this frame, but between those before and after it
    std::optional<std::size_t> record = {}; ///< index into the faces of the faceset that it is from
};

struct ClipFrame {
    std::vector<FrameFace> faces = {};
    bool begins_scene = false; ///< after a cut
};
using Clip = std::vector<ClipFrame>;

/// One face in consecutive frames: its number in each of them.
struct Track {
    std::int64_t begin = 0;
    std::vector<std::size_t> faces = {};
    std::int64_t end() const { return begin + std::int64_t(faces.size()); }
};

/// The tracks of a clip, by their beginnings. Each face is in one.
std::vector<Track> tracks_of(const Clip& clip);
/// The track's face in this frame.
const FrameFace& face_at(const Clip& clip, const Track& track, std::int64_t frame);

/// Where a track ends and one begins at most `most` frames later that overlaps it, in one scene, the frames between get
/// faces whose points lie evenly between the two. Returns how many frames that were.
std::int64_t fill_gaps(Clip& clip, std::int64_t most);

/// Replaces each landmark by the value, at its frame, of the parabola that fits it best over the `reach` frames before
/// and after it: w(k) = (3 (3 r^2 + 3 r - 1) - 15 k^2) / ((2r - 1)(2r + 1)(2r + 3)), |k| <= r (Savitzky & Golay 1964,
/// Anal. Chem. 36(8):1627). r = reach, less near the ends of a track. What moves evenly, or with even acceleration,
/// stays where it is. reach 0 and 1: nothing changes.
void smooth_landmarks(Clip& clip, std::int64_t reach);

/// How far the middle of this face moves from one frame to the next, px: half the way from the frame before to the one
/// after; 0 where one of them does not show it.
Point motion_of(const Clip& clip, std::size_t frame, std::size_t face);

/// "3-5, 9, 12": the frames with a filled face, counted from 0, at most ten ranges.
std::string filled_ranges(const Clip& clip);

} // namespace bifrons::data
