// data/import/alignments_file.cpp - where the faces of footage are, as faceswap found them.
#include "data/import/alignments_file.h"

#include "data/faceset.h"
#include "data/import/faceswap.h"
#include "data/import/literal.h"
#include "kernels/base/error.h"

#include <zlib.h>

#include <algorithm>
#include <cmath>
#include <memory>

namespace bifrons::data {
namespace fs = std::filesystem;

namespace {

/// What zlib packed.
std::vector<std::uint8_t> inflated(const std::vector<std::uint8_t>& packed, const std::string& name)
{
    constexpr std::size_t kPart = 1 << 20, kMost = std::size_t(2) << 30;
    const auto check_size = [&](std::size_t size) {
        BIFRONS_CHECK(data, size < kMost, name, ": holds more than ", human_bytes(double(kMost)),
                      "; expected alignments of faceswap");
    };
    check_size(packed.size());
    std::vector<std::uint8_t> all;
    z_stream stream = {};
    BIFRONS_CHECK(failed, inflateInit(&stream) == Z_OK, name, ": zlib cannot be used");
    const std::unique_ptr<z_stream, int (*)(z_stream*)> end(&stream, inflateEnd);
    stream.next_in = const_cast<Bytef*>(packed.data());
    stream.avail_in = uInt(packed.size());
    for (int result = Z_OK; result != Z_STREAM_END;) {
        const std::size_t before = all.size();
        all.resize(before + kPart);
        stream.next_out = all.data() + before;
        stream.avail_out = kPart;
        result = inflate(&stream, Z_NO_FLUSH);
        all.resize(all.size() - stream.avail_out);
        BIFRONS_CHECK(data, result == Z_STREAM_END || (result == Z_OK && all.size() > before), name,
                      ": cannot be decompressed; it is damaged or cut off");
        check_size(all.size());
    }
    return all;
}

/// Left, top, right, bottom.
Rect rect_of(const PickledValue& face, const std::string& name)
{
    std::vector<double> rect;
    if (const PickledValue* const box = face.find("detected")) {
        rect = box->numbers(name + ": detected");
    } else {
        for (const char* const key : {"x", "y", "w", "h"}) {
            const PickledValue* const number = face.find(key);
            BIFRONS_CHECK(data, number && number->kind == PickledValue::Kind::number, name,
                          ": has neither detected nor x, y, w and h");
            rect.push_back(number->number);
        }
        rect[2] += rect[0];
        rect[3] += rect[1];
    }
    const bool is_box =
        rect.size() == 4 && std::all_of(rect.begin(), rect.end(), [](double v) { return std::abs(v) < 1e6; });
    BIFRONS_CHECK(data, is_box, name, ": its box must be four numbers, px of the frame");
    return {rect[0], rect[1], rect[2], rect[3]};
}

AlignmentsFile::Face face_in(const PickledValue& face, const std::string& name)
{
    return {rect_of(face, name),
            faceswap_landmarks(face, face.find("landmarks_2d") ? "landmarks_2d" : "landmarks_xy", name)};
}

} // namespace

AlignmentsFile::AlignmentsFile(const fs::path& file) : path_(file)
{
    constexpr std::size_t kMostValues = 40'000'000; // of 200 a face, or 700 with faceswap's identities
    const std::string name = file.string();
    const std::vector<std::uint8_t> bytes = read_file(file);
    checksum_ = checksum_of(bytes);
    constexpr std::uint8_t kZlib = 0x78;
    if (!bytes.empty() && bytes[0] == kZlib) {
        const std::vector<std::uint8_t> pickled = inflated(bytes, name);
        const Pickle pickle(pickled, name, kMostValues);
        const PickledValue* const frames = pickle.value().find("__data__"); // not of version 1.0
        take(frames ? *frames : pickle.value());
    } else {
        take(Literal({reinterpret_cast<const char*>(bytes.data()), bytes.size()}, name, kMostValues).value());
    }
}

void AlignmentsFile::take(const PickledValue& frames)
{
    const std::string name = path_.string();
    BIFRONS_CHECK(data, frames.kind == PickledValue::Kind::dict && !frames.members.empty(), name,
                  ": lists no frames; expected alignments of faceswap");
    constexpr std::size_t kMostFaces = 2'000'000; // a pickle may hold one list many times
    std::size_t listed = 0;
    bool any = false;
    for (std::size_t i = 0; i + 1 < frames.members.size(); i += 2) {
        const std::string frame(frames.members[i]->text);
        const PickledValue &entry = *frames.members[i + 1], *const in_entry = entry.find("faces"),
                           &list = in_entry ? *in_entry : entry;
        std::vector<Face>& faces = faces_[fs::path(frame).stem().string()];
        BIFRONS_CHECK(data, list.kind == PickledValue::Kind::list, name, ": ", frame.substr(0, 100),
                      " has no list of faces; expected alignments of faceswap");
        listed += list.members.size();
        BIFRONS_CHECK(data, listed <= kMostFaces, name, ": lists more than ", kMostFaces, " faces");
        std::size_t n = 0;
        for (const PickledValue* const face : list.members) {
            try {
                faces.push_back(face_in(*face, str(name, ": ", frame.substr(0, 100), ": face ", n++)));
            } catch (const Error& error) {
                left_out_.emplace_back(error.what());
            }
        }
        any = any || !faces.empty();
    }
    BIFRONS_CHECK(data, any || left_out_.empty(), left_out_.front());
}

const std::vector<AlignmentsFile::Face>& AlignmentsFile::of(const std::string& frame) const
{
    static const std::vector<Face> none;
    const auto found = faces_.find(frame);
    return found == faces_.end() ? none : found->second;
}

} // namespace bifrons::data
