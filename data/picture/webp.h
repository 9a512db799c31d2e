// data/picture/webp.h - what a WebP file says of itself, and the frames of an animated one, through libwebp.
//
// Tests tests/data/webp_test.cpp
#pragma once

#include "data/picture/picture_reader.h"

namespace bifrons::data {

struct WebpFrame {
    std::int64_t x = 0, y = 0, H = 0, W = 0; ///< its place in the picture
    std::int64_t ms = 0;                     ///< how long it is shown
    bool is_blended = true;                  ///< drawn over what is there, by its alpha; else in its place
    bool is_cleared = false;                 ///< what it drew goes before the next one is drawn
    ByteView coded = {};
};

struct WebpFile {
    std::int64_t H = 0, W = 0;
    int orientation = 1;                ///< Exif's, 1..8
    ByteView profile = {};              ///< ICC
    bool is_animated = false;           ///< by its header
    bool is_cut = false;                ///< ends before the end that it announces
    std::vector<WebpFrame> frames = {}; ///< of an animated one: those that are there from beginning to end
};

bool is_webp(ByteView bytes);
/// Of such a file, whose bytes must outlive what is returned.
WebpFile read_webp(ByteView bytes);

/// Draws one frame after the other.
class WebpAnimation {
  public:
    /// False where libwebp was not there when this program was built: no frame can be decoded.
    static bool is_possible();

    /// The file's size has been checked.
    explicit WebpAnimation(const WebpFile& file);

    /// Draws the next frame, while there is one. False where it is damaged, and the picture stays as it is.
    bool draw_next();
    /// BGRA; its colours are not multiplied by alpha.
    const Image& picture() const { return picture_; }

  private:
    const std::vector<WebpFrame> frames_;
    std::size_t next_ = 0;
    const WebpFrame* last_ = nullptr; ///< that was drawn
    Image picture_;
};

} // namespace bifrons::data
