// data/media/colors.h - the names of colours in video: what ffprobe calls them, and what ffmpeg's filters take.
//
// Tests tests/data/video_test.cpp
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace bifrons::data {

/// Colour tags of a video, as the filter setparams takes them; empty: not tagged.
struct ColorTags {
    std::string range = {};     ///< tv or pc
    std::string matrix = {};    ///< bt709, smpte170m, bt470bg, bt2020nc, ...; never gbr
    std::string primaries = {}; ///< bt709, ...
    std::string transfer = {};  ///< bt709, bt470m (gamma 2.2), bt470bg (gamma 2.8), smpte2084, ...
};

/// ffprobe's names -> those of ffmpeg's options (gamma28 -> bt470bg). A tag that ffmpeg cannot write becomes empty, and
/// `dropped`, if given, gets its name.
ColorTags known_tags(const ColorTags& probed, std::vector<std::string>* dropped = nullptr);

/// True for a pixel format that holds red, green and blue: rgb24, gbrp10le, bgr0, pal8.
bool is_rgb(const std::string& pixel_format);

/// True for a pixel format that holds alpha: yuva420p, bgra, gbrap10le, ya8.
bool has_alpha(const std::string& pixel_format);

/// The matrix that RGB becomes YUV with: BT.709 from 720 rows on, BT.601 below.
std::string matrix_for(std::int64_t rows);

/// The scaler's name of the matrix between RGB and YUV. Players take BT.709 for untagged high definition, BT.601 below;
/// high dynamic range is BT.2020's.
std::string scaler_matrix(const ColorTags& tags, std::int64_t rows);

/// "PQ" (SMPTE ST 2084) or "HLG" (ARIB STD-B67) where the transfer is one of high dynamic range; else empty.
std::string hdr_of(const ColorTags& tags);

/// A filter that marks frames with the tags, empty where there are none. Since ffmpeg 7 the frames' own tags override
/// the encoder's options.
std::string tagging_filter(const ColorTags& tags);

/// How finely chroma is stored: "420", "422" or "444", by the name of the pixel format: the coarsest that loses
/// nothing of it.
std::string chroma_of(const std::string& pixel_format);

} // namespace bifrons::data
