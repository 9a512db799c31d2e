// data/import/mask_folder.cpp - pictures of faces' regions.
#include "data/import/mask_folder.h"

#include "data/resize.h"
#include "kernels/base/error.h"

#include <algorithm>

namespace bifrons::data {
namespace fs = std::filesystem;

namespace {

constexpr std::string_view kEnding = "_mask";

} // namespace

MaskFolder::MaskFolder(const fs::path& folder, const fs::path& faces) : folder_(folder)
{
    std::error_code fault, ignored;
    const fs::directory_iterator entries(folder, fault);
    BIFRONS_CHECK(data, !fault, folder.string(), ": cannot be read (", fault.message(), ")");
    std::set<fs::path> pictures; // of two for one face the first
    for (const fs::directory_entry& entry : entries)
        if (entry.is_regular_file() && has_picture_name(entry.path())) pictures.insert(entry.path());
    const bool beside_faces = fs::equivalent(folder, faces, ignored);
    std::map<std::string, fs::path> named_alike;
    for (const fs::path& picture : pictures) {
        std::string stem = picture.stem().string();
        if (!stem.ends_with(kEnding)) {
            if (!beside_faces) named_alike.try_emplace(stem, picture);
            continue;
        }
        stem.erase(stem.size() - kEnding.size());
        files_.try_emplace(stem, picture);
        if (beside_faces) beside_faces_.insert(picture.filename());
    }
    files_.merge(named_alike);
}

void MaskFolder::check(const std::vector<std::string>& faces) const
{
    const bool any = std::any_of(faces.begin(), faces.end(),
                                 [&](const fs::path& face) { return files_.contains(face.stem().string()); });
    BIFRONS_CHECK(usage, any || faces.empty(), folder_.string(),
                  ": has no picture that is named like a face; expected names like ",
                  fs::path(faces.front()).stem().string(), ".png");
}

Image MaskFolder::of(const fs::path& face, std::int64_t side)
{
    const auto found = files_.find(face.stem().string());
    const auto note = [this](std::set<std::string>& list, const std::string& text) {
        const std::lock_guard lock(guard_);
        list.insert(text);
        return Image(0, 0, 1);
    };
    if (found == files_.end()) return note(missing_, face.filename().string());
    try {
        const Image mask = to_grey(load_image(found->second));
        BIFRONS_CHECK(data, mask.H == mask.W, found->second.string(), ": is ", mask.W, "x", mask.H,
                      "; expected a square, as the face's picture is");
        Image fitting = mask.W == side ? mask : resized(mask, side);
        const std::lock_guard lock(guard_);
        ++taken_;
        resized_ += mask.W != side;
        return fitting;
    } catch (const Error& error) {
        if (error.kind() != ErrorKind::data) throw;
        return note(damaged_, error.what());
    }
}

MaskReport MaskFolder::report() const
{
    return {taken_, resized_, {missing_.begin(), missing_.end()}, {damaged_.begin(), damaged_.end()}};
}

} // namespace bifrons::data
