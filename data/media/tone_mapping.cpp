// data/media/tone_mapping.cpp - pictures of high dynamic range as BT.709 shows them, and colours back.
#include "data/media/tone_mapping.h"

#include <algorithm>
#include <cmath>

namespace bifrons::data {

namespace {

constexpr float kWhite = 203; // cd/m2
constexpr float kLevels = 65535;
constexpr float kPqPeak = 10000, kHlgPeak = 1000;
constexpr float kDisplayGamma = 2.4f, kHlgGamma = 1.2f;
constexpr int kRoots = 4095; // steps of the square root of light: less than a fifth of a level each

/// SMPTE ST 2084, 0..1 -> cd/m2 / 10000.
float pq_light(float value)
{
    const double p = std::pow(double(value), 1 / 78.84375);
    return float(std::pow(std::max(p - 0.8359375, 0.0) / (18.8515625 - 18.6875 * p), 1 / 0.1593017578125));
}

float pq_value(float light)
{
    const double p = std::pow(double(light), 0.1593017578125);
    return float(std::pow((0.8359375 + 18.8515625 * p) / (1 + 18.6875 * p), 78.84375));
}

// ARIB STD-B67, light of the scene.
constexpr float kHlgA = 0.17883277f, kHlgB = 0.28466892f, kHlgC = 0.55991073f;

float hlg_light(float value)
{
    return value <= 0.5f ? value * value / 3 : (std::exp((value - kHlgC) / kHlgA) + kHlgB) / 12;
}

float hlg_value(float light)
{
    return light <= 1.0f / 12 ? std::sqrt(3 * light) : kHlgA * std::log(12 * light - kHlgB) + kHlgC;
}

// The curve of brightness: k (m + a) / (m + b) continues from m = kKnee with a slope of 1, and is 1 at kPeak.
constexpr float kKnee = 0.5f, kPeak = kHlgPeak / kWhite;
constexpr float kA = -kKnee * kKnee * (kPeak - 1) / (kKnee * kKnee - 2 * kKnee + kPeak);
constexpr float kB = (kKnee * kKnee - 2 * kKnee * kPeak + kPeak) / (kPeak - 1);
constexpr float kK = (kB * kB + 2 * kB * kKnee + kKnee * kKnee) / (kB - kA);

float compressed(float brightness)
{
    return brightness <= kKnee ? brightness : kK * (brightness + kA) / (brightness + kB);
}

float expanded(float brightness)
{
    return brightness <= kKnee ? brightness : (kB * brightness - kK * kA) / (kK - brightness);
}

/// All three with the brightness `curve` gives them.
template <class Curve>
void scale_brightness(float (&rgb)[3], const Curve& curve)
{
    const float brightness = std::max({rgb[0], rgb[1], rgb[2]});
    if (brightness <= kKnee) return;
    const float factor = curve(brightness) / brightness;
    for (float& light : rgb) light *= factor;
}

void multiply(const ColorMatrix& m, float (&rgb)[3])
{
    const float r = rgb[0], g = rgb[1], b = rgb[2];
    for (std::size_t i = 0; i < 3; ++i) rgb[i] = m[3 * i] * r + m[3 * i + 1] * g + m[3 * i + 2] * b;
}

struct Primaries {
    ColorMatrix to_bt709, from_bt709;
};

constexpr Primaries kBt709 = {{1, 0, 0, 0, 1, 0, 0, 0, 1}, {1, 0, 0, 0, 1, 0, 0, 0, 1}};
constexpr Primaries kP3 = {
    {1.2249402f, -0.2249402f, 0, -0.0420570f, 1.0420570f, 0, -0.0196376f, -0.0786361f, 1.0982735f},
    {0.8224620f, 0.1775380f, 0, 0.0331942f, 0.9668058f, 0, 0.0170826f, 0.0723974f, 0.9105199f}};
constexpr Primaries kBt2020 = {
    {1.6604910f, -0.5876411f, -0.0728499f, -0.1245505f, 1.1328999f, -0.0083494f, -0.0181508f, -0.1005789f, 1.1187297f},
    {0.6274039f, 0.3292830f, 0.0433131f, 0.0690973f, 0.9195404f, 0.0113623f, 0.0163914f, 0.0880133f, 0.8955953f}};

const Primaries& primaries_of(const ColorTags& tags)
{
    return tags.primaries == "bt709" ? kBt709 : tags.primaries == "smpte432" ? kP3 : kBt2020;
}

} // namespace

ToneMapping::ToneMapping(const ColorTags& tags)
    : is_pq_(hdr_of(tags) == "PQ"), to_bt709_(primaries_of(tags).to_bt709), from_bt709_(primaries_of(tags).from_bt709),
      light_of_(65536), level_of_(kRoots + 1)
{
    for (std::size_t i = 0; i < light_of_.size(); ++i) {
        const float value = std::min(float(i) / kDeepWhite, 1.0f);
        light_of_[i] =
            is_pq_ ? pq_light(value) * kPqPeak / kWhite : std::pow(hlg_light(value), kHlgGamma) * kHlgPeak / kWhite;
    }
    for (std::size_t i = 0; i < level_of_.size(); ++i)
        level_of_[i] = std::uint8_t(std::lround(255 * std::pow(float(i) / kRoots, 2 / kDisplayGamma)));
}

Image ToneMapping::operator()(const DeepImage& picture) const
{
    Image shown(picture.H, picture.W, 3);
    for (std::size_t i = 0; i < shown.pixels.size(); i += 3) {
        const std::uint16_t* const own = &picture.pixels[i];
        float rgb[3] = {light_of_[own[2]], light_of_[own[1]], light_of_[own[0]]};
        multiply(to_bt709_, rgb);
        scale_brightness(rgb, compressed);
        for (std::size_t c = 0; c < 3; ++c)
            shown.pixels[i + 2 - c] = level_of_[std::size_t(std::sqrt(std::clamp(rgb[c], 0.0f, 1.0f)) * kRoots + 0.5f)];
    }
    return shown;
}

void ToneMapping::undo(ImageF& colors) const
{
    for (std::size_t i = 0; i < colors.pixels.size(); i += 3) {
        float* const bgr = &colors.pixels[i];
        float rgb[3];
        for (std::size_t c = 0; c < 3; ++c) rgb[c] = std::pow(std::clamp(bgr[2 - c], 0.0f, 1.0f), kDisplayGamma);
        scale_brightness(rgb, expanded);
        multiply(from_bt709_, rgb);
        for (std::size_t c = 0; c < 3; ++c) bgr[2 - c] = undo_transfer(rgb[c]) * (kDeepWhite / kLevels);
    }
}

/// Reference white is 1.
float ToneMapping::undo_transfer(float light) const
{
    if (is_pq_) return pq_value(light * kWhite / kPqPeak);
    return std::min(hlg_value(std::pow(light * kWhite / kHlgPeak, 1 / kHlgGamma)), 1.0f);
}

} // namespace bifrons::data
