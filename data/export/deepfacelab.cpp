// data/export/deepfacelab.cpp - face pictures for DeepFaceLab.
#include "data/export/deepfacelab.h"

#include "data/export/pickle_writer.h"
#include "data/import/pickle.h"
#include "data/picture/picture_reader.h"
#include "data/resize.h"
#include "kernels/base/error.h"
#include "kernels/base/utf8.h"

#include <optional>

namespace bifrons::data {

namespace {

constexpr std::size_t kLongestMask = 50000; ///< bytes, as DeepFaceLab has it
constexpr std::size_t kLongest = 0xFFFF;    ///< of a segment, with the two bytes of its length
constexpr std::uint8_t kScan = 0xDA, kApp15 = 0xEF;

const char* type_name(FaceType type)
{
    constexpr const char* kNames[] = {"half_face", "midfull_face", "full_face", "whole_face", "head"};
    return kNames[std::size_t(type)];
}

Pickled pickled(const Landmarks& points)
{
    std::vector<Pickled> pairs;
    for (const Point& p : points) pairs.push_back(pickled_list({data::pickled(p.x), data::pickled(p.y)}));
    return pickled_list(pairs);
}

/// As a PNG; halved as often as it takes.
Pickled pickled_mask(Image mask, const std::string& name, bool& shrunk)
{
    std::string png = encode_png(mask, name, {});
    for (; png.size() > kLongestMask; shrunk = true) {
        mask = resized(mask, mask.W / 2);
        png = encode_png(mask, name, {});
    }
    const std::vector<std::uint8_t> bytes(png.begin(), png.end());
    return pickled_array(bytes, {std::int32_t(bytes.size())});
}

/// What the XSeg editor drew, if the picture says so.
std::optional<Pickled> drawn_polygons(const std::vector<std::uint8_t>& app15, const std::string& name)
{
    if (app15.empty()) return {};
    const Pickle pickle(app15, name);
    const PickledValue* const drawn = pickle.value().find("seg_ie_polys");
    const PickledValue* const polygons = drawn ? drawn->find("polys") : nullptr;
    if (!polygons || polygons->members.empty()) return {};
    std::vector<Pickled> all;
    for (const PickledValue* polygon : polygons->members) {
        const PickledValue *const type = polygon->find("type"), *const points = polygon->find("pts");
        BIFRONS_CHECK(data, type && points, name, ": a polygon of its mask has no type or no points");
        const std::vector<double> numbers = points->numbers(name + ": a polygon of its mask");
        BIFRONS_CHECK(data, numbers.size() % 2 == 0, name, ": a polygon of its mask has half a point");
        const std::vector<float> floats(numbers.begin(), numbers.end());
        all.push_back(pickled_dict({{"type", data::pickled(std::int32_t(type->number != 0))},
                                    {"pts", pickled_array(floats, {std::int32_t(floats.size() / 2), 2})}}));
    }
    return pickled_dict({{"polys", pickled_list(all)}});
}

/// The JPEG with this APP15 segment, behind the other application segments, instead of its own ones.
std::string with_app15(const std::vector<std::uint8_t>& jpeg, const std::string& values, const std::string& name)
{
    const std::size_t length = values.size() + 2;
    BIFRONS_CHECK(data, length <= kLongest, name, ": what is to be said of it takes ", length,
                  " bytes, and a JPEG's segment holds ", kLongest, "; its mask's polygons are too many");
    const std::string segment = {'\xFF', char(kApp15), char(length >> 8), char(length & 0xFF)};
    std::string head = "\xFF\xD8", tables;
    std::size_t at = 2;
    while (at + 4 <= jpeg.size() && jpeg[at] == 0xFF && jpeg[at + 1] != kScan) {
        const std::uint8_t marker = jpeg[at + 1];
        if (marker == 0xFF) { // may be repeated before a marker
            ++at;
            continue;
        }
        const std::size_t bytes = 2 + std::size_t(jpeg[at + 2] << 8 | jpeg[at + 3]);
        BIFRONS_CHECK(data, at + bytes <= jpeg.size(), name, ": ends too early; it is damaged");
        const auto from = jpeg.begin() + std::ptrdiff_t(at);
        if (marker != kApp15) ((marker & 0xF0) == 0xE0 ? head : tables).append(from, from + std::ptrdiff_t(bytes));
        at += bytes;
    }
    return head + segment + values + tables + std::string(jpeg.begin() + std::ptrdiff_t(at), jpeg.end());
}

} // namespace

DflJpeg dfl_jpeg(const std::vector<std::uint8_t>& jpeg, const AlignedFace& face, const std::string& name)
{
    DflJpeg made;
    const Rect& r = face.rect;
    const double rect[] = {r.left, r.top, r.right, r.bottom};
    std::vector<std::pair<std::string, Pickled>> values = {
        {"face_type", pickled(std::string_view(type_name(face.type)))},
        {"landmarks", pickled(face.in_face)},
        {"source_filename", pickled(to_utf8(face.source))},
        {"source_rect", pickled_array(rect, {4})},
        {"source_landmarks", pickled(face.in_frame)},
        {"image_to_face_mat", pickled_array(face.matrix.m, {2, 3})}};
    if (!face.mask.pixels.empty()) values.emplace_back("xseg_mask", pickled_mask(face.mask, name, made.shrunk_mask));
    if (const auto polygons = drawn_polygons(open_jpeg(jpeg, name)->app15, name))
        values.emplace_back("seg_ie_polys", *polygons);
    made.bytes = with_app15(jpeg, pickle_of(pickled_dict(values)), name);
    return made;
}

} // namespace bifrons::data
