// data/import/alignments_file.cpp - where the faces of footage are, as faceswap exports it.
#include "data/import/alignments_file.h"

#include "data/file.h"
#include "data/import/faceswap.h"
#include "data/import/literal.h"
#include "kernels/base/error.h"

#include <cmath>

namespace bifrons::data {
namespace fs = std::filesystem;

namespace {

AlignmentsFile::Face face_in(const PickledValue& value, const std::string& name)
{
    const PickledValue* const box = value.find("detected");
    BIFRONS_CHECK(data, box, name, ": has no detected");
    const std::vector<double> rect = box->numbers(name + ": detected");
    const bool is_box = rect.size() == 4 && std::abs(rect[0]) < 1e6 && std::abs(rect[1]) < 1e6 &&
                        std::abs(rect[2]) < 1e6 && std::abs(rect[3]) < 1e6;
    BIFRONS_CHECK(data, is_box, name, ": detected must be four numbers, px of the frame");
    return {{rect[0], rect[1], rect[2], rect[3]}, faceswap_landmarks(value, "landmarks_2d", name)};
}

} // namespace

AlignmentsFile::AlignmentsFile(const fs::path& file) : path_(file)
{
    const std::string name = file.string();
    const std::vector<std::uint8_t> bytes = read_file(file);
    BIFRONS_CHECK(data, bytes.empty() || bytes[0] != 0x78, name,
                  ": is faceswap's own alignments file; export it as JSON with its alignments tool, job export");
    constexpr std::size_t kMostValues = 40'000'000; // of 200 a face
    const Literal literal({reinterpret_cast<const char*>(bytes.data()), bytes.size()}, name, kMostValues);
    const PickledValue& frames = literal.value();
    BIFRONS_CHECK(data, frames.kind == PickledValue::Kind::dict && !frames.members.empty(), name,
                  ": lists no frames; expected alignments that faceswap exported");
    bool any = false;
    for (std::size_t i = 0; i + 1 < frames.members.size(); i += 2) {
        const std::string frame(frames.members[i]->text);
        std::vector<Face>& faces = faces_[fs::path(frame).stem().string()];
        BIFRONS_CHECK(data, frames.members[i + 1]->kind == PickledValue::Kind::list, name, ": ", frame.substr(0, 100),
                      " has no list of faces; expected alignments that faceswap exported");
        std::size_t n = 0;
        for (const PickledValue* const face : frames.members[i + 1]->members) {
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
