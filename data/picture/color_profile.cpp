// data/picture/color_profile.cpp - ICC profiles, through Little CMS.
#include "data/picture/color_profile.h"

#include "kernels/base/error.h"

#include <lcms2.h>

#include <algorithm>
#include <cstdlib>

namespace bifrons::data {

namespace {

template <auto close>
struct Closer {
    template <class Handle>
    void operator()(Handle handle) const
    {
        close(handle);
    }
};
using Profile = std::unique_ptr<void, Closer<cmsCloseProfile>>;
using Transform = std::unique_ptr<void, Closer<cmsDeleteTransform>>;

Profile opened(const std::vector<std::uint8_t>& icc, cmsColorSpaceSignature space, const char* kind)
{
    Profile profile(cmsOpenProfileFromMem(icc.data(), cmsUInt32Number(icc.size())));
    BIFRONS_CHECK(data, profile, "its colour profile is damaged");
    BIFRONS_CHECK(data, cmsGetColorSpace(profile.get()) == space, "its colour profile is not of ", kind, " pictures");
    return profile;
}

Transform between(const Profile& from, const Profile& to, cmsUInt32Number format, cmsUInt32Number to_format)
{
    return Transform(cmsCreateTransform(from.get(), format, to.get(), to_format, INTENT_RELATIVE_COLORIMETRIC,
                                        cmsFLAGS_BLACKPOINTCOMPENSATION));
}

Image converted(const Image& image, cmsHTRANSFORM transform)
{
    Image out(image.H, image.W, image.C);
    cmsDoTransform(transform, image.pixels.data(), out.pixels.data(), cmsUInt32Number(image.H * image.W));
    return out;
}

} // namespace

struct ColorProfile::Transforms {
    bool grey;
    Transform to, from;
};

ColorProfile::ColorProfile(const std::vector<std::uint8_t>& icc, bool grey)
{
    const Profile profile = grey ? opened(icc, cmsSigGrayData, "grey") : opened(icc, cmsSigRgbData, "RGB"),
                  srgb(cmsCreate_sRGBProfile());
    // Of grey, repeated in three channels, the first is read.
    const auto format =
        cmsUInt32Number(grey ? COLORSPACE_SH(PT_GRAY) | CHANNELS_SH(1) | EXTRA_SH(2) | BYTES_SH(1) : TYPE_BGR_8);
    transforms_ = std::make_unique<Transforms>(
        Transforms{grey, between(profile, srgb, format, TYPE_BGR_8), between(srgb, profile, TYPE_BGR_8, format)});
    BIFRONS_CHECK(data, transforms_->to && transforms_->from, "its colour profile cannot be used");
}

ColorProfile::~ColorProfile() = default;

/// Every 17th level of each channel comes out within two levels.
bool ColorProfile::is_srgb() const
{
    constexpr int kLevels = 16, kStep = 17, kRounding = 2;
    if (transforms_->grey) return false;
    Image colors(kLevels * kLevels, kLevels, 3);
    for (int i = 0; i < kLevels * kLevels * kLevels; ++i) {
        std::uint8_t* pixel = &colors.pixels[std::size_t(3 * i)];
        for (int c = 0, rest = i; c < 3; ++c, rest /= kLevels) pixel[c] = std::uint8_t(rest % kLevels * kStep);
    }
    const Image after = to_srgb(colors);
    for (std::size_t i = 0; i < colors.pixels.size(); ++i)
        if (std::abs(int(after.pixels[i]) - int(colors.pixels[i])) > kRounding) return false;
    return true;
}

std::vector<std::uint8_t> profile_of(const Chromaticities& colors, std::optional<double> gamma)
{
    const auto xyY = [](const Chromaticity& color) { return cmsCIExyY{color.x, color.y, 1}; };
    const cmsCIExyY white = xyY(colors.white);
    const cmsCIExyYTRIPLE primaries = {xyY(colors.red), xyY(colors.green), xyY(colors.blue)};
    constexpr cmsInt32Number kCurve = 4; // ((x + 0.055) / 1.055)^2.4 from 0.04045 on, and x / 12.92 below
    const cmsFloat64Number srgb[] = {2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045};
    cmsToneCurve* curve = gamma ? cmsBuildGamma(nullptr, *gamma) : cmsBuildParametricToneCurve(nullptr, kCurve, srgb);
    cmsToneCurve* curves[] = {curve, curve, curve};
    const Profile profile(cmsCreateRGBProfile(&white, &primaries, curves));
    cmsFreeToneCurve(curve);
    if (!profile) return {};
    cmsUInt32Number size = 0;
    cmsSaveProfileToMem(profile.get(), nullptr, &size);
    std::vector<std::uint8_t> icc(size);
    cmsSaveProfileToMem(profile.get(), icc.data(), &size);
    constexpr std::size_t kTime = 24, kTimeEnd = 36; // of its making, so that the same picture gives the same file
    if (size > kTimeEnd) std::fill(icc.begin() + kTime, icc.begin() + kTimeEnd, std::uint8_t(0));
    return icc;
}

Image srgb_of_inks(const Image& inks, const std::vector<std::uint8_t>& icc)
{
    const Profile profile = opened(icc, cmsSigCmykData, "CMYK"), srgb(cmsCreate_sRGBProfile());
    const Transform transform = between(profile, srgb, TYPE_CMYK_8, TYPE_BGR_8);
    BIFRONS_CHECK(data, transform, "its colour profile cannot be used");
    Image out(inks.H, inks.W, 3);
    cmsDoTransform(transform.get(), inks.pixels.data(), out.pixels.data(), cmsUInt32Number(inks.H * inks.W));
    return out;
}

Image ColorProfile::to_srgb(const Image& image) const
{
    return converted(image, transforms_->to.get());
}

Image ColorProfile::from_srgb(const Image& image) const
{
    return converted(image, transforms_->from.get());
}

} // namespace bifrons::data
