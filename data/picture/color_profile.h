// data/picture/color_profile.h - ICC profiles, through Little CMS.
#pragma once

#include "data/image.h"

#include <memory>

namespace bifrons::data {

/// From the colours of a profile to sRGB and back: relative colorimetric, what does not fit is clipped.
class ColorProfile {
  public:
    /// `grey`: of grey pictures, else of RGB. Throws Error(data) for a damaged profile and for one of other pictures.
    ColorProfile(const std::vector<std::uint8_t>& icc, bool grey);
    ~ColorProfile();

    /// Its RGB is sRGB, within rounding.
    bool is_srgb() const;
    /// BGR; grey is repeated in three channels.
    Image to_srgb(const Image& image) const;
    /// Of an RGB profile.
    Image from_srgb(const Image& image) const;

  private:
    struct Transforms;
    std::unique_ptr<Transforms> transforms_;
};

/// Inks (cyan, magenta, yellow and black, 255 all of it), by the profile of the printer that they are meant for, in
/// sRGB: BGR. Throws Error(data) for a damaged profile and for one of other pictures.
Image srgb_of_inks(const Image& inks, const std::vector<std::uint8_t>& icc);

} // namespace bifrons::data
