// faceset.json and, behind a line "%%", faceset.journal. What is accepted must be fit for a warp.
#include "data/faceset.h"
#include "data/hull.h"
#include "data/warp.h"
#include "kernels/base/error.h"

using namespace bifrons;

namespace {

/// As load_faces does, at a size that costs next to nothing.
void use(const data::Faceset& set)
{
    constexpr std::int64_t kSide = 8;
    const data::Image picture(set.side <= 64 ? set.side : 16, set.side <= 64 ? set.side : 16, 3);
    for (const data::FaceRecord& face : set.faces) {
        const data::Affine wanted = data::face_from_frame(face.in_frame, data::FaceType::half, kSide);
        data::warp(picture, wanted.after(face.matrix.inverse()), kSide, kSide);
        data::hull_mask(wanted(face.in_frame), kSide, kSide);
        data::eyes_mouth_mask(wanted(face.in_frame), kSide, kSide, kSide);
    }
    data::split_faces(set, 0.2);
    std::vector<std::size_t> all(set.faces.size());
    for (std::size_t i = 0; i < all.size(); ++i) all[i] = i;
    data::group_by_yaw(set, all);
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size)
{
    const std::string_view text(reinterpret_cast<const char*>(bytes), size), mark = "\n%%\n";
    const std::size_t end = text.find(mark);
    const bool has_journal = end != text.npos;
    try {
        use(data::parse_faceset("/nowhere", text.substr(0, end), has_journal ? text.substr(end + mark.size()) : ""));
    } catch (const Error& error) {
        if (error.kind() != ErrorKind::data) throw;
    }
    return 0;
}
