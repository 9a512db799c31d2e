// kernels/conv2d/few_channels_tile.h - how method few_channels divides its work: the sizes that host and kernels share.
#pragma once

#include "kernels/conv2d/conv2d_few_channels.h"

namespace bifrons::kernels {

/// A block of threads takes 4 x 32 pixels of wide, a warp each row, and 64 of wide's channels.
constexpr int kThinRows = 4, kThinColumns = 32, kThinChannels = 64;
/// Room for a tile's patch of thin, for the elements of a filter padded row by row to whole steps of 16, and for them
/// as they are.
constexpr int kThinPatch = 4096, kThinDepth = 192, kThinElements = 160;

struct ThinTile {
    BIFRONS_HD explicit ThinTile(const ThinConv& c)
        : across((c.B + kThinColumns - 1) / kThinColumns), down((c.A + kThinRows - 1) / kThinRows),
          tiles(c.N * down * across), patch_rows((kThinRows - 1) * c.scale + c.R),
          patch_row(((kThinColumns - 1) * c.scale + c.S) * c.C), row_elements(c.S * c.C),
          row_depth((row_elements + 15) / 16 * 16), depth(c.R * row_depth), elements(c.R * row_elements)
    {
    }
    bool fits() const
    {
        return patch_rows * patch_row <= kThinPatch && depth <= kThinDepth && elements <= kThinElements;
    }
    int across, down, tiles;
    int patch_rows, patch_row;   // rows, and elements of each
    int row_elements, row_depth; // of a row of a filter; padded to whole steps
    int depth, elements;         // of a filter: padded, and as it is
};

} // namespace bifrons::kernels
