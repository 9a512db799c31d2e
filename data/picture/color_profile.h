// data/picture/color_profile.h - ICC profiles, through Little CMS.
#pragma once

#include "data/image.h"

#include <memory>
#include <optional>

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

/// CIE 1931 x and y.
struct Chromaticity {
    double x = 0, y = 0;
};
struct Chromaticities {
    Chromaticity red, green, blue, white;
};
/// An ICC profile of RGB with these primaries and this exponent; without one, with sRGB's curve. Empty where there can
/// be no such colours.
std::vector<std::uint8_t> profile_of(const Chromaticities& colors, std::optional<double> gamma);

/// Inks (cyan, magenta, yellow and black, 255 all of it), by the profile of the printer that they are meant for, in
/// sRGB: BGR. Throws Error(data) for a damaged profile and for one of other pictures.
Image srgb_of_inks(const Image& inks, const std::vector<std::uint8_t>& icc);

} // namespace bifrons::data
