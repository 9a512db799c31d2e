// data/import/import.cpp - other programs' faces -> faceset.
#include "data/import/import.h"

#include "data/faceset_json.h"
#include "data/hull.h"
#include "data/import/deepfacelab.h"
#include "data/import/faceset_copy.h"
#include "data/import/faceswap.h"
#include "data/import/new_faceset.h"
#include "data/pack.h"
#include "data/picture/picture_reader.h"
#include "data/quality.h"
#include "data/resize.h"
#include "kernels/base/error.h"

#include <algorithm>
#include <fstream>
#include <map>
#include <optional>
#include <set>

namespace bifrons::data {
namespace fs = std::filesystem;

namespace {

constexpr std::size_t kLongestName = 200; // bytes of a file's name without its ending: of 255

constexpr std::uint64_t kHeader = 8 << 20; // bytes at the beginning of a picture, in which its data are

/// A JPEG of DeepFaceLab's, a file or a part of a faceset.pak, or a PNG of faceswap's.
struct Item {
    std::string file; ///< its own name, without a folder
    fs::path in;
    std::optional<DflPackFace> part = {};

    std::string name() const { return part ? str(in.string(), ": ", file) : in.string(); }
    std::vector<std::uint8_t> read() const
    {
        if (!part) return read_file(in);
        BIFRONS_CHECK(data, part->bytes > 0, name(),
                      ": lies outside of the file; it is damaged or was not copied whole");
        std::vector<std::uint8_t> bytes(part->bytes);
        std::ifstream pack(in, std::ios::binary);
        pack.seekg(std::streamoff(part->at));
        pack.read(reinterpret_cast<char*>(bytes.data()), std::streamsize(bytes.size()));
        BIFRONS_CHECK(data, pack, name(), ": cannot be read");
        return bytes;
    }
};

AlignedFace face_of(const std::vector<std::uint8_t>& bytes, const std::string& name)
{
    return faceswap_data(bytes).empty() ? dfl_face(bytes, name) : faceswap_face(bytes, name);
}

/// Also true where it cannot be read: it is then left out by name.
bool is_of_faceswap(const fs::path& png)
{
    try {
        return !faceswap_data(read_file(png, kHeader)).empty();
    } catch (const Error&) {
        return true;
    }
}

std::vector<Item> items_of_pack(const fs::path& pack)
{
    std::vector<Item> items;
    for (const DflPackFace& face : dfl_pack(pack)) {
        const bool has_name = is_file_name(face.file);
        items.push_back({has_name ? face.file : str("face", items.size(), ".jpg"), pack, face});
    }
    return items;
}

std::vector<Item> items_of_folder(const fs::path& folder, std::int64_t& other_files)
{
    std::vector<Item> items;
    std::error_code fault;
    const fs::directory_iterator entries(folder, fault);
    BIFRONS_CHECK(data, !fault, folder.string(), ": cannot be read (", fault.message(), ")");
    for (const fs::directory_entry& entry : entries) {
        const std::string ending = lower_ending(entry.path());
        if (!entry.is_regular_file()) continue;
        if (ending == ".jpg" || ending == ".jpeg" || (ending == ".png" && is_of_faceswap(entry.path())))
            items.push_back({entry.path().filename().string(), entry.path(), {}});
        else
            ++other_files;
    }
    std::sort(items.begin(), items.end(), [](const Item& a, const Item& b) { return a.file < b.file; });
    return items;
}

template <class T>
T most_frequent(const std::map<T, int>& counts)
{
    return std::max_element(counts.begin(), counts.end(),
                            [](const auto& a, const auto& b) { return a.second < b.second; })
        ->first;
}

class Import {
  public:
    Import(const fs::path& from, const fs::path& out, MaskFolder* masks, const ImportOptions& options,
           ImportReport& report)
        : from_(from), options_(options), masks_(masks),
          set_({.folder = out, .detector = kImported, .landmarks = kImported}), report_(report)
    {
    }

    void run()
    {
        items_ = fs::is_directory(from_) ? items_of_folder(from_, report_.other_files) : items_of_pack(from_);
        if (masks_) std::erase_if(items_, [&](const Item& item) { return masks_->is_mask(item.in); });
        BIFRONS_CHECK(
            data, !items_.empty(), from_.string(),
            ": holds no JPEG, and no PNG of faceswap's; expected DeepFaceLab's or faceswap's folder of aligned "
            "faces, or a faceset.pak");
        read_all();
        choose();
        out_.emplace(set_, options_.overwrite);
        write_all();
        save_faceset(set_);
    }

  private:
    /// work(i) for each item that is still in; what it throws of bad data leaves that item out.
    template <class Work>
    void for_each_item(std::int64_t pass, const Work& work)
    {
        const std::size_t n = items_.size();
        std::vector<std::string> faults =
            for_each_face(n, pass * std::int64_t(n), 2 * std::int64_t(n), options_.work, [&](std::size_t i) {
                if (pass == 0 || faces_[i]) work(i);
            });
        for (std::size_t i = 0; i < n; ++i) {
            if (faults[i].empty()) continue;
            faces_[i].reset();
            report_.left_out.push_back(std::move(faults[i]));
        }
    }

    void read_all()
    {
        faces_.resize(items_.size());
        for_each_item(0, [&](std::size_t i) {
            faces_[i] = face_of(items_[i].read(), items_[i].name());
            faces_[i]->mask.pixels.clear(); // of all at once there may not be memory
        });
    }

    /// Type, size and the frames' pictures.
    void choose()
    {
        std::map<FaceType, int> types;
        for (const auto& face : faces_)
            if (face) ++types[face->type];
        BIFRONS_CHECK(data, !types.empty(), from_.string(), ": holds no usable face; ", report_.left_out.front());
        set_.type = report_.type = most_frequent(types);
        std::map<std::int64_t, int> sides;
        std::set<std::string> pictures, names;
        stems_.resize(items_.size());
        for (std::size_t i = 0; i < faces_.size(); ++i) {
            std::optional<AlignedFace>& face = faces_[i];
            if (face && face->type != set_.type) {
                report_.left_out.push_back(str(items_[i].name(), ": is of the type ", name_of(face->type),
                                               ", most others are ", name_of(set_.type)));
                face.reset();
            }
            if (!face) continue;
            ++sides[face->side];
            if (lower_ending(items_[i].file) == ".png") set_.detector = set_.landmarks = kImportedFromFaceswap;
            if (!is_file_name(face->source)) face->source = items_[i].file;
            pictures.insert(face->source);
            stems_[i] = fs::path(items_[i].file).stem().string().substr(0, kLongestName);
            while (!names.insert(stems_[i]).second) stems_[i] += str("_", i);
        }
        set_.side = report_.side = most_frequent(sides);
        if (masks_) check_masks();
        const std::string name = fs::weakly_canonical(from_).stem().string();
        set_.sources.push_back({.name = name.substr(0, kLongestName),
                                .path = fs::weakly_canonical(from_).filename().string(),
                                .frames = std::int64_t(pictures.size()),
                                .done = std::int64_t(pictures.size()),
                                .pictures = {pictures.begin(), pictures.end()}});
    }

    void check_masks() const
    {
        std::vector<std::string> faces;
        for (std::size_t i = 0; i < items_.size(); ++i)
            if (faces_[i]) faces.push_back(items_[i].file);
        masks_->check(faces);
    }

    void write_all()
    {
        std::vector<FaceRecord> records(items_.size());
        for_each_item(1, [&](std::size_t i) { records[i] = write(i); });
        for (std::size_t i = 0; i < records.size(); ++i)
            if (faces_[i]) {
                report_.resized += faces_[i]->side != set_.side;
                set_.faces.push_back(std::move(records[i]));
            }
        std::stable_sort(set_.faces.begin(), set_.faces.end(),
                         [](const FaceRecord& a, const FaceRecord& b) { return a.frame < b.frame; });
        BIFRONS_CHECK(data, !set_.faces.empty(), from_.string(), ": holds no usable face; ", report_.left_out.front());
        set_.sources[0].complete = true;
        report_.faces = set_.sources[0].counts.faces = std::int64_t(set_.faces.size());
        for (const FaceRecord& face : set_.faces) report_.masks += !face.mask.empty();
    }

    FaceRecord write(std::size_t i)
    {
        const std::vector<std::uint8_t> bytes = items_[i].read();
        const AlignedFace face = face_of(bytes, items_[i].name());
        const bool fits = face.side == set_.side;
        const Affine resize = resizing(face.side, face.side, set_.side);
        const std::vector<std::string>& pictures = set_.sources[0].pictures;
        const std::string& stem = stems_[i];
        FaceRecord record{.file = "images/" + stem + (fits && faceswap_data(bytes).empty() ? ".jpg" : ".png"),
                          .frame =
                              std::lower_bound(pictures.begin(), pictures.end(), faces_[i]->source) - pictures.begin(),
                          .rect = face.rect,
                          .score = 1,
                          .in_frame = face.in_frame,
                          .in_face = resize(face.in_face),
                          .matrix = resize.after(face.matrix),
                          .pose = pose_of(face.in_frame)};
        record.size = double(set_.side) / record.matrix.scale();
        check_face(set_, record, items_[i].name());

        Image picture = decode_image(bytes, items_[i].name());
        if (!fits) picture = resized(picture, set_.side);
        record.sharpness = laplacian_variance(picture, hull_mask(record.in_face, set_.side, set_.side));
        if (fits)
            out_->write(record.file, bytes);
        else
            out_->write(record.file, picture);
        record.checksum = checksum_of(fits ? bytes : read_file(set_.folder / record.file));
        Image mask = masks_ ? masks_->of(items_[i].file, set_.side) : Image(0, 0, 1);
        if (mask.pixels.empty() && !face.mask.pixels.empty()) mask = resized(face.mask, set_.side);
        if (!mask.pixels.empty()) out_->write(record.mask = "masks/" + stem + ".png", mask);
        return record;
    }

    const fs::path from_;
    const ImportOptions& options_;
    MaskFolder* const masks_;
    Faceset set_;
    ImportReport& report_;
    std::vector<Item> items_;
    std::vector<std::optional<AlignedFace>> faces_; ///< none: left out
    std::vector<std::string> stems_;                ///< of the faces' files
    std::optional<NewFaceset> out_;
};

} // namespace

ImportReport import_faces(const fs::path& from, const fs::path& out, const ImportOptions& options)
{
    BIFRONS_CHECK(data, fs::exists(from), from.string(), ": does not exist");
    check_apart(from, out);
    BIFRONS_CHECK(usage, !is_pack(from), from.string(), ": is a pack; `bifrons unpack` makes a faceset of it");
    const bool has_faceset = is_faceset(from);
    BIFRONS_CHECK(
        usage, !has_faceset || !options.masks.empty(), from.string(),
        ": is a faceset already; expected DeepFaceLab's or faceswap's folder of aligned faces, or a faceset.pak. Add "
        "--masks to copy it with masks.");
    std::optional<MaskFolder> masks;
    if (!options.masks.empty()) {
        check_apart(options.masks, out);
        masks.emplace(options.masks, has_faceset ? from / "images" : from);
    }
    ImportReport report;
    try {
        if (has_faceset)
            copy_faceset(from, out, *masks, options, report);
        else
            Import(from, out, masks ? &*masks : nullptr, options, report).run();
        report.complete = true;
    } catch (const Cancelled&) {
    }
    if (masks) report.from_folder = masks->report();
    return report;
}

bool holds_plain_pictures(const fs::path& folder)
{
    bool any = false;
    for (const fs::directory_entry& entry : fs::directory_iterator(folder)) {
        if (!entry.is_regular_file() || !has_picture_name(entry.path())) continue;
        try {
            const std::vector<std::uint8_t> bytes = read_file(entry.path(), kHeader);
            if (!faceswap_data(bytes).empty() || !open_picture(bytes, entry.path().string())->app15.empty())
                return false;
            any = true;
        } catch (const Error& error) { // no picture, or not to be read
            if (error.kind() != ErrorKind::data) throw;
        }
    }
    return any;
}

bool is_imported(const Faceset& set)
{
    return set.detector == kImported || set.detector == kImportedFromFaceswap;
}

} // namespace bifrons::data
