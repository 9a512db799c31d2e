// data/media/tone_mapping.h - pictures of high dynamic range as BT.709 shows them, and colours back.
//
//   PQ, HLG      -> linear light by the display's curve, reference white (203 cd/m2, ITU-R BT.2408) at 1
//   primaries    -> those of BT.709
//   brightness m -> m up to 0.5, above k (m + a) / (m + b), which is 1 at 1000 cd/m2; m: the largest of red, green and
//                   blue, which keep their ratios
//   gamma 2.4    -> BT.709's levels, clipped
//
// ffmpeg's zscale=transfer=linear:npl=203, zscale=primaries=bt709, tonemap=mobius:param=0.5:peak=4.926:desat=0 and
// zscale=transfer=bt709 do the same, HLG's gamma of 1.2 on each of the three as well.
// Tests tests/data/tone_mapping_test.cpp
#pragma once

#include "data/media/colors.h"
#include "data/media/deep.h"

#include <array>

namespace bifrons::data {

/// Of 65535 levels: what ffmpeg's scaler makes of white in RGB of 16 bits, and takes for it.
inline constexpr int kDeepWhite = 65280;

/// Red, green and blue, by rows.
using ColorMatrix = std::array<float, 9>;

class ToneMapping {
  public:
    /// hdr_of(tags) is not empty. Primaries that are neither BT.709's nor Display P3's count as BT.2020's.
    explicit ToneMapping(const ColorTags& tags);

    /// The picture, whose white is kDeepWhite, as BT.709 shows it.
    Image operator()(const DeepImage& picture) const;
    /// BGR 0..1 as BT.709 shows it becomes that of the tags: what shows so, where it is not clipped.
    void undo(ImageF& colors) const;

  private:
    float undo_transfer(float light) const;

    bool is_pq_;
    ColorMatrix to_bt709_, from_bt709_;
    std::vector<float> light_of_;        ///< of each of 65536 levels
    std::vector<std::uint8_t> level_of_; ///< of the square root of light
};

} // namespace bifrons::data
