#include "tools/face_masks.h"

#include "data/warp.h"
#include "kernels/base/error.h"

#include <algorithm>

namespace bifrons::tools {

namespace {

/// A border of 0: beyond the picture, where its edge is repeated, nothing is known to be the face's.
void clear_edge(data::Image& mask)
{
    for (std::int64_t y = 0; y < mask.H; ++y)
        for (std::int64_t x = 0; x < mask.W; ++x)
            if (std::min({x, y, mask.W - 1 - x, mask.H - 1 - y}) == 0) *mask.at(y, x) = 0;
}

} // namespace

data::ImageF FaceMasks::of(const data::FrameFace& face, const data::Affine& face_from_frame, std::int64_t side)
{
    if (!face.record || set_.faces.at(*face.record).mask.empty()) return {0, 0, 1};
    try {
        data::Image mask = data::load_mask(set_, *face.record);
        clear_edge(mask);
        const data::Affine from_stored = face_from_frame.after(set_.faces[*face.record].matrix.inverse());
        data::ImageF shown = data::to_float(data::warp(mask, from_stored, side, side));
        const std::lock_guard lock(guard_);
        ++used_;
        return shown;
    } catch (const Error& error) {
        if (error.kind() != ErrorKind::data) throw;
        const std::lock_guard lock(guard_);
        damage_.emplace_back(error.what());
        return {0, 0, 1};
    }
}

} // namespace bifrons::tools
