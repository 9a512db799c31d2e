// data/import/deepfacelab.cpp - DeepFaceLab's face pictures and faceset.pak.
#include "data/import/deepfacelab.h"

#include "data/import/pickle.h"
#include "data/picture/picture_reader.h"
#include "data/resize.h"
#include "kernels/base/error.h"
#include "kernels/base/utf8.h"

#include <algorithm>
#include <cmath>
#include <fstream>
#include <map>
#include <optional>

namespace bifrons::data {
namespace fs = std::filesystem;

namespace {

FaceType type_of(const PickledValue& face, const std::string& name)
{
    static const std::map<std::string, FaceType, std::less<>> types = {
        {"half_face", FaceType::half},          {"midfull_face", FaceType::midfull},  {"full_face", FaceType::full},
        {"full_face_no_align", FaceType::full}, {"whole_face", FaceType::whole_face}, {"head", FaceType::head},
        {"head_no_align", FaceType::head},
    };
    const PickledValue* const type = face.find("face_type");
    if (!type) return FaceType::full; // as DeepFaceLab takes it
    const auto found = types.find(type->text);
    BIFRONS_CHECK(data, found != types.end(), name, ": its face type is ", printable(type->text).substr(0, 40),
                  "; expected half_face, midfull_face, full_face, whole_face or head");
    return found->second;
}

/// The numbers of that key; empty where it is missing.
std::vector<double> numbers_of(const PickledValue& face, const char* key, std::size_t n, const std::string& name)
{
    const PickledValue* const value = face.find(key);
    if (!value) return {};
    std::vector<double> numbers = value->numbers(str(name, ": ", key));
    BIFRONS_CHECK(data, numbers.size() == n, name, ": ", key, " has ", numbers.size(), " numbers; expected ", n);
    return numbers;
}

std::optional<Landmarks> points_of(const PickledValue& face, const char* key, const std::string& name)
{
    const std::vector<double> numbers = numbers_of(face, key, 136, name);
    if (numbers.empty()) return {};
    Landmarks points;
    for (std::size_t i = 0; i < points.size(); ++i) points[i] = {numbers[2 * i], numbers[2 * i + 1]};
    return points;
}

void check_spread(const Landmarks& points, const char* key, const std::string& name)
{
    const auto [left, right] =
        std::minmax_element(points.begin(), points.end(), [](Point a, Point b) { return a.x < b.x; });
    const bool near =
        std::all_of(points.begin(), points.end(), [](Point p) { return std::abs(p.x) < 1e6 && std::abs(p.y) < 1e6; });
    BIFRONS_CHECK(data, near && right->x - left->x >= 1, name, ": its ", key, " are not those of a face");
}

/// Sets the picture to `value` inside the polygon: even-odd, four lines and four places across a pixel.
void fill_polygon(Image& mask, const std::vector<Point>& corners, std::uint8_t value)
{
    constexpr int kFine = 4;
    std::vector<double> crossings;
    for (std::int64_t y = 0; y < mask.H; ++y) {
        std::vector<int> inside(std::size_t(mask.W));
        for (int line = 0; line < kFine; ++line) {
            const double at = double(y) - 0.5 + (line + 0.5) / kFine;
            crossings.clear();
            for (std::size_t i = 0; i < corners.size(); ++i) {
                const Point a = corners[i], b = corners[(i + 1) % corners.size()];
                if ((a.y <= at) != (b.y <= at)) crossings.push_back(a.x + (at - a.y) / (b.y - a.y) * (b.x - a.x));
            }
            std::sort(crossings.begin(), crossings.end());
            for (std::size_t i = 0; i + 1 < crossings.size(); i += 2) {
                const auto place = [&](double x) { // of the first one at or beyond x
                    return std::int64_t(std::clamp(std::ceil((x + 0.5) * kFine - 0.5), 0.0, double(mask.W * kFine)));
                };
                for (std::int64_t p = place(crossings[i]); p < place(crossings[i + 1]); ++p)
                    ++inside[std::size_t(p / kFine)];
            }
        }
        for (std::int64_t x = 0; x < mask.W; ++x) {
            const double share = double(inside[std::size_t(x)]) / (kFine * kFine);
            std::uint8_t& pixel = *mask.at(y, x);
            pixel = std::uint8_t(std::lround(pixel + share * (double(value) - pixel)));
        }
    }
}

/// What a person drew: first what is included, then what is excluded of it.
Image drawn_mask(const PickledValue& polygons, std::int64_t side, const std::string& name)
{
    constexpr std::size_t kMost = 10000; // corners in all
    Image mask(side, side, 1);
    std::size_t corners = 0;
    for (const double type : {1.0, 0.0})
        for (const PickledValue* polygon : polygons.members) {
            const PickledValue *const kind = polygon->find("type"), *const list = polygon->find("pts");
            BIFRONS_CHECK(data, kind && list, name, ": a polygon of its mask has no type or no points");
            if ((kind->number != 0) != (type != 0)) continue;
            const std::vector<double> at = list->numbers(name + ": a polygon of its mask");
            BIFRONS_CHECK(data, (corners += at.size()) <= kMost, name, ": its mask's polygons have more than ", kMost,
                          " points");
            std::vector<Point> points;
            for (std::size_t i = 0; i + 1 < at.size(); i += 2) points.push_back({at[i], at[i + 1]});
            fill_polygon(mask, points, type != 0 ? 255 : 0);
        }
    return mask;
}

/// Of one size with the face.
Image stored_mask(const PickledValue& encoded, std::int64_t side, const std::string& name)
{
    const std::string_view data = encoded.kind == PickledValue::Kind::array ? encoded.array.data : encoded.text;
    return resized(to_grey(decode_image({data.begin(), data.end()}, name + ": xseg_mask")), side);
}

Image mask_of(const PickledValue& face, std::int64_t side, const std::string& name)
{
    if (const PickledValue* const encoded = face.find("xseg_mask")) return stored_mask(*encoded, side, name);
    const PickledValue* const drawn = face.find("seg_ie_polys");
    const PickledValue* const polygons = drawn ? drawn->find("polys") : nullptr;
    if (polygons && !polygons->members.empty()) return drawn_mask(*polygons, side, name);
    return {0, 0, 1};
}

} // namespace

AlignedFace dfl_face(const std::vector<std::uint8_t>& jpeg, const std::string& name)
{
    const std::unique_ptr<PictureReader> picture = open_picture(jpeg, name);
    BIFRONS_CHECK(data, !picture->app15.empty(), name, ": has no data of DeepFaceLab");
    BIFRONS_CHECK(data, picture->W == picture->H && picture->W >= 16 && picture->W <= 4096, name, ": is ", picture->W,
                  "x", picture->H, "; expected a square of 16 to 4096 px");
    const Pickle pickle(picture->app15, name);
    const PickledValue& value = pickle.value();

    AlignedFace face{.side = picture->W, .type = type_of(value, name)};
    const std::optional<Landmarks> points = points_of(value, "landmarks", name);
    BIFRONS_CHECK(data, points, name, ": has no landmarks");
    face.in_face = *points;
    // By both sets of landmarks, not image_to_face_mat: pictures that were resized later keep the earlier one.
    const Landmarks in_frame = points_of(value, "source_landmarks", name).value_or(face.in_face);
    check_spread(face.in_face, "landmarks", name);
    check_spread(in_frame, "source_landmarks", name);
    face.matrix = similarity(in_frame, face.in_face);
    face.in_frame = face.matrix.inverse()(face.in_face);
    const std::vector<double> rect = numbers_of(value, "source_rect", 4, name);
    if (!rect.empty()) face.rect = {rect[0], rect[1], rect[2], rect[3]};
    if (const PickledValue* const source = value.find("source_filename"))
        face.source = fs::path(from_utf8(source->text)).filename().string();
    face.mask = mask_of(value, face.side, name);
    return face;
}

std::vector<DflPackFace> dfl_pack(const fs::path& file)
{
    const std::string name = file.string();
    std::ifstream in(file, std::ios::binary);
    BIFRONS_CHECK(data, in, name, ": cannot be read");
    const std::uint64_t size = fs::file_size(file);
    const auto number = [&] {
        std::uint64_t n = 0;
        in.read(reinterpret_cast<char*>(&n), sizeof n);
        BIFRONS_CHECK(data, in, name, ": ends too early; it is damaged or was not copied whole");
        return n;
    };
    BIFRONS_CHECK(data, number() == 1, name, ": is not a faceset.pak of version 1");
    const std::uint64_t length = number();
    BIFRONS_CHECK(data, length <= size, name, ": ends too early; it is damaged or was not copied whole");
    std::vector<std::uint8_t> list(length);
    in.read(reinterpret_cast<char*>(list.data()), std::streamsize(length));
    const Pickle pickle(list, name);
    const std::vector<const PickledValue*>& entries = pickle.value().members;
    BIFRONS_CHECK(data,
                  pickle.value().kind == PickledValue::Kind::list && entries.size() < size / sizeof(std::uint64_t),
                  name, ": does not list its faces; it is damaged");
    std::vector<std::uint64_t> offsets(entries.size() + 1);
    for (std::uint64_t& offset : offsets) offset = number();
    const auto begin = std::uint64_t(in.tellg());

    std::vector<DflPackFace> faces(entries.size());
    for (std::size_t i = 0; i < faces.size(); ++i) {
        const PickledValue *const own = entries[i]->find("filename"), *const person = entries[i]->find("person_name");
        if (own) faces[i].file = (person ? str(person->text, "_") : "") + fs::path(own->text).filename().string();
        // The last offset is written as one in the file and not from the first face: its face ends with the file.
        const std::uint64_t end = i + 1 < faces.size() ? offsets[i + 1] : size - begin;
        if (offsets[i] > end || end > size - begin) continue;
        faces[i].at = begin + offsets[i];
        faces[i].bytes = end - offsets[i];
    }
    return faces;
}

} // namespace bifrons::data
