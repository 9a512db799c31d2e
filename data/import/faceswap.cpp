// data/import/faceswap.cpp - face pictures as faceswap keeps them.
#include "data/import/faceswap.h"

#include "data/frame_name.h"
#include "data/import/faceswap_alignment.h"
#include "data/import/literal.h"
#include "data/picture/picture_reader.h"
#include "data/warp.h"
#include "kernels/base/error.h"

#include <zlib.h>

#include <algorithm>
#include <cmath>
#include <map>

namespace bifrons::data {
namespace fs = std::filesystem;

namespace {

/// Of the 98 points of WFLW those that stand for the 68.
constexpr std::array<std::size_t, 68> kOf98 = {0,  2,  4,  6,  8,  10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30, 32,
                                               33, 34, 35, 36, 37, 42, 43, 44, 45, 46, 51, 52, 53, 54, 55, 56, 57,
                                               58, 59, 60, 61, 63, 64, 65, 67, 68, 69, 71, 72, 73, 75, 76, 77, 78,
                                               79, 80, 81, 82, 83, 84, 85, 86, 87, 88, 89, 90, 91, 92, 93, 94, 95};

const PickledValue& member(const PickledValue& value, const char* key, const std::string& name)
{
    const PickledValue* const found = value.find(key);
    BIFRONS_CHECK(data, found, name, ": has no ", key);
    return *found;
}

std::vector<double> numbers(const PickledValue& value, const char* key, const std::string& name)
{
    return member(value, key, name).numbers(str(name, ": ", key));
}

double number(const PickledValue& value, const char* key, double low, double high, const std::string& name)
{
    const std::vector<double> one = numbers(value, key, name);
    BIFRONS_CHECK(data, one.size() == 1 && one[0] >= low && one[0] <= high, name, ": its ", key,
                  " must be a number from ", low, " to ", high);
    return one[0];
}

/// The better, the lower.
int rank_of(std::string_view mask)
{
    constexpr std::array kBest = {"custom", "bisenet-fp", "vgg-obstructed", "vgg-clear", "unet-dfl"};
    for (std::size_t i = 0; i < kBest.size(); ++i)
        if (mask.starts_with(kBest[i])) return int(i);
    return mask == "components" ? 12 : mask == "extended" ? 11 : 10;
}

/// The best mask as the face's picture shows it; empty where there is none.
Image mask_of(const PickledValue& face, const Affine& picture_from_frame, std::int64_t side, const std::string& name)
{
    const PickledValue* const masks = face.find("mask");
    if (!masks || masks->kind != PickledValue::Kind::dict || masks->members.empty()) return {0, 0, 1};
    std::size_t best = 0;
    for (std::size_t i = 2; i + 1 < masks->members.size(); i += 2)
        if (rank_of(masks->members[i]->text) < rank_of(masks->members[best]->text)) best = i;
    const PickledValue& mask = *masks->members[best + 1];
    const std::string called = name + ": mask";
    const auto stored = std::int64_t(number(mask, "stored_size", 1, 4096, called));
    const std::vector<double> at = numbers(mask, "affine_matrix", called);
    BIFRONS_CHECK(data, at.size() == 6 || at.size() == 9, called, ": affine_matrix has ", at.size(),
                  " numbers; expected 6");
    const std::string_view packed = member(mask, "mask", called).text;
    std::vector<std::uint8_t> bytes(std::size_t(stored * stored));
    uLongf size = bytes.size();
    const int fault = uncompress(bytes.data(), &size, reinterpret_cast<const Bytef*>(packed.data()), packed.size());
    BIFRONS_CHECK(data, fault == Z_OK && size == bytes.size(), called, ": cannot be decompressed to ", stored, "x",
                  stored, " px; it is damaged");
    Image framed(stored + 2, stored + 2, 1); // beyond the mask nothing is the face's
    for (std::int64_t y = 0; y < stored; ++y) std::copy_n(&bytes[std::size_t(y * stored)], stored, framed.at(y + 1, 1));
    const Affine mask_from_frame{{at[0], at[1], at[2] + 1, at[3], at[4], at[5] + 1}};
    return warp(framed, picture_from_frame.after(mask_from_frame.inverse()), side, side);
}

/// The frame's name as this program has it.
std::string source_of(const PickledValue& header, const std::string& name)
{
    const PickledValue* const source = header.find("source");
    const PickledValue* const file = source ? source->find("source_filename") : nullptr;
    if (!file) return "";
    const fs::path frame = fs::path(std::string(file->text)).filename();
    const PickledValue* const is_video = source->find("source_is_video");
    if (!is_video || is_video->number == 0) return frame.string();
    const std::string stem = frame.stem().string();
    const std::size_t line = stem.rfind('_'), digits = stem.size() - line - 1;
    BIFRONS_CHECK(data,
                  line != stem.npos && digits > 0 && digits < 10 &&
                      stem.find_first_not_of("0123456789", line + 1) == stem.npos &&
                      std::stoll(stem.substr(line + 1)) > 0,
                  name, ": is of a video's frame ", stem.substr(0, 100), "; expected a name like clip_000001");
    return video_frame_name(stem.substr(0, line) + ".mp4", std::stoll(stem.substr(line + 1)) - 1) + ".png";
}

} // namespace

std::string_view faceswap_data(std::span<const std::uint8_t> png)
{
    constexpr std::string_view kKey("iTXtfaceswap\0", 13);
    const std::string_view all(reinterpret_cast<const char*>(png.data()), png.size());
    if (!all.starts_with("\x89PNG\r\n\x1a\n")) return {};
    for (std::size_t at = 8; at + 12 <= all.size();) {
        const auto byte = [&](std::size_t i) { return std::size_t(png[at + i]); };
        const std::size_t length = byte(0) << 24 | byte(1) << 16 | byte(2) << 8 | byte(3);
        const std::string_view chunk = all.substr(at + 4, length + 4); // with its type
        if (chunk.size() < length + 4 || chunk.starts_with("IDAT")) return {};
        if (chunk.starts_with(kKey)) { // compressed? how? language, translated key, text
            std::size_t text = kKey.size() + 2;
            for (int skipped = 0; skipped < 2; ++skipped) text = std::min(chunk.find('\0', text), chunk.size() - 1) + 1;
            return chunk.size() > kKey.size() && chunk[kKey.size()] == 0 ? chunk.substr(text) : std::string_view();
        }
        at += length + 12;
    }
    return {};
}

Landmarks faceswap_landmarks(const PickledValue& face, const char* key, const std::string& name)
{
    const std::vector<double> at = numbers(face, key, name);
    BIFRONS_CHECK(data, at.size() == 2 * 68 || at.size() == 2 * 98, name, ": has ", at.size() / 2,
                  " landmarks; expected 68 or 98");
    Landmarks points;
    for (std::size_t i = 0; i < 68; ++i) {
        const std::size_t from = at.size() == 2 * 68 ? i : kOf98[i];
        points[i] = {at[2 * from], at[2 * from + 1]};
    }
    const auto [left, right] =
        std::minmax_element(points.begin() + 17, points.end(), [](Point a, Point b) { return a.x < b.x; });
    const bool near =
        std::all_of(points.begin(), points.end(), [](Point p) { return std::abs(p.x) < 1e6 && std::abs(p.y) < 1e6; });
    BIFRONS_CHECK(data, near && right->x - left->x >= 1, name, ": its landmarks are not those of a face");
    return points;
}

AlignedFace faceswap_face(const std::vector<std::uint8_t>& png, const std::string& name)
{
    const std::string_view text = faceswap_data(png);
    BIFRONS_CHECK(data, !text.empty(), name, ": has no data of faceswap");
    const std::unique_ptr<PictureReader> picture = open_picture(png, name);
    BIFRONS_CHECK(data, picture->W == picture->H && picture->W >= 16 && picture->W <= 4096, name, ": is ", picture->W,
                  "x", picture->H, "; expected a square of 16 to 4096 px");
    const Literal header(text, name + ": its data of faceswap");
    const PickledValue& alignments = member(header.value(), "alignments", name);

    AlignedFace face{.side = picture->W, .type = FaceType::whole_face};
    face.in_frame = faceswap_landmarks(alignments, "landmarks_xy", name);
    face.matrix = faceswap_face_from_frame(face.in_frame, face.side);
    face.in_face = face.matrix(face.in_frame);
    const auto side_of = [&](const char* key) { return number(alignments, key, -1e6, 1e6, name); };
    const double left = side_of("x"), top = side_of("y");
    face.rect = {left, top, left + side_of("w"), top + side_of("h")};
    face.source = source_of(header.value(), name);
    face.mask = mask_of(alignments, face.matrix, face.side, name);
    return face;
}

} // namespace bifrons::data
