// tools/merge_output.h - what `bifrons merge --output` writes of the frames and of what was drawn over them.
//
//   swapped       the frames with the faces pasted
//   side-by-side  each original beside that
//   mask          how much of each pixel was replaced, grey
//   layer         what was pasted, with alpha: over the original it gives the swapped frame
//   face          a folder of the faces as the network made them, with its mask as alpha, and faces.json: a list of
//                 {"file", "frame", "name" of the frame, "frame_from_face": 6 numbers by rows}; pixel (x, y) of a face
//                 lies in its frame at (m0 x + m1 y + m2, m3 x + m4 y + m5), centres of pixels being whole numbers
//
// Tests tests/tools/merge_test.cpp
#pragma once

#include "data/media/frames.h"
#include "tools/face_swap.h"

namespace bifrons::tools {

/// What the output holds beside the frames.
struct Written {
    std::string video = {}; ///< how its pictures are coded; empty for picture files
    data::Carried carried = {};
};

class MergeOutput {
  public:
    virtual ~MergeOutput() = default;
    /// Consecutive frames, which may be changed, and what FaceSwap drew for each.
    virtual void take(std::vector<data::Frame>& frames, const std::vector<Drawn>& drawn) = 0;
    /// Must be called at the end.
    virtual Written finish() = 0;
};

/// The words above.
const std::vector<std::string>& merge_outputs();

/// The format of a video of them, for frames of this format.
data::VideoFormat output_format(const std::string& kind, data::VideoFormat frames);

/// sink: its format as output_format() says; for `face` only what counts for pictures is read. threads: 0 is all of
/// the machine's. The plan must outlive it. Throws as data::create_frames does.
std::unique_ptr<MergeOutput> open_merge_output(const std::string& kind, const std::string& path,
                                               const data::SinkOptions& sink, const MergePlan& plan, int threads);

} // namespace bifrons::tools
