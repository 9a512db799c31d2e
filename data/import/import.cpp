// data/import/import.cpp - other programs' faces -> faceset.
#include "data/import/import.h"

#include "data/faceset_json.h"
#include "data/file.h"
#include "data/hull.h"
#include "data/import/deepfacelab.h"
#include "data/quality.h"
#include "data/threads.h"
#include "data/warp.h"
#include "engine/folder_lock.h"
#include "engine/own_file.h"
#include "kernels/base/error.h"

#include <algorithm>
#include <fstream>
#include <map>
#include <mutex>
#include <optional>
#include <set>

namespace bifrons::data {
namespace fs = std::filesystem;

namespace {

constexpr const char* kProgram = "DeepFaceLab";
constexpr std::size_t kLongestName = 200; // bytes of a file's name without its ending: of 255

struct Cancelled {};

/// A JPEG of DeepFaceLab's: a file, or a part of a faceset.pak.
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
        if (ending == ".jpg" || ending == ".jpeg")
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

/// The picture resized: its edges are the edges.
Affine resized(double from, double to)
{
    const double s = to / from;
    return {{s, 0, 0.5 * s - 0.5, 0, s, 0.5 * s - 0.5}};
}

class Import {
  public:
    Import(const fs::path& from, const fs::path& out, const ImportOptions& options)
        : from_(from), options_(options), set_({.folder = out, .detector = kProgram, .landmarks = kProgram})
    {
    }

    ImportReport run()
    {
        BIFRONS_CHECK(data, fs::exists(from_), from_.string(), ": does not exist");
        const fs::path from = fs::weakly_canonical(from_), out = fs::weakly_canonical(set_.folder);
        const bool is_inside = std::mismatch(out.begin(), out.end(), from.begin(), from.end()).first == out.end();
        BIFRONS_CHECK(usage, !is_inside, from_.string(), ": lies in the output folder ", set_.folder.string(),
                      ", which is emptied first. Choose another output folder.");
        items_ = fs::is_directory(from_) ? items_of_folder(from_, report_.other_files) : items_of_pack(from_);
        BIFRONS_CHECK(data, !items_.empty(), from_.string(),
                      ": holds no JPEG; expected DeepFaceLab's folder of aligned "
                      "faces, or its faceset.pak");
        try {
            read_all();
            choose();
            prepare();
            write_all();
        } catch (const Cancelled&) {
            return report_;
        }
        save_faceset(set_);
        report_.complete = true;
        return report_;
    }

  private:
    /// work(i) for each item; what it throws of bad data leaves that item out.
    template <class Work>
    void for_each_item(std::int64_t pass, const Work& work)
    {
        std::mutex guard;
        std::int64_t done = pass * std::int64_t(items_.size());
        std::vector<std::string> faults(items_.size());
        for_each_on_threads(std::int64_t(items_.size()), machine_threads(), [&](std::int64_t index, int) {
            const auto i = std::size_t(index);
            if (options_.cancel && *options_.cancel) throw Cancelled();
            try {
                if (pass == 0 || faces_[i]) work(i);
            } catch (const Error& error) {
                if (error.kind() != ErrorKind::data) throw;
                faults[i] = error.what();
                faces_[i].reset();
            }
            const std::lock_guard lock(guard);
            if (options_.progress) options_.progress(++done, 2 * std::int64_t(items_.size()));
        });
        for (std::string& fault : faults)
            if (!fault.empty()) report_.left_out.push_back(std::move(fault));
    }

    void read_all()
    {
        faces_.resize(items_.size());
        for_each_item(0, [&](std::size_t i) {
            faces_[i] = dfl_face(items_[i].read(), items_[i].name());
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
            std::optional<DflFace>& face = faces_[i];
            if (face && face->type != set_.type) {
                report_.left_out.push_back(str(items_[i].name(), ": is of the type ", name_of(face->type),
                                               ", most others are ", name_of(set_.type)));
                face.reset();
            }
            if (!face) continue;
            ++sides[face->side];
            if (!is_file_name(face->source)) face->source = items_[i].file;
            pictures.insert(face->source);
            stems_[i] = fs::path(items_[i].file).stem().string().substr(0, kLongestName);
            if (!names.insert(stems_[i]).second) names.insert(stems_[i] += str("_", i));
        }
        set_.side = report_.side = most_frequent(sides);
        const std::string name = fs::weakly_canonical(from_).stem().string();
        set_.sources.push_back({.name = name.substr(0, kLongestName),
                                .path = fs::weakly_canonical(from_).filename().string(),
                                .frames = std::int64_t(pictures.size()),
                                .done = std::int64_t(pictures.size()),
                                .pictures = {pictures.begin(), pictures.end()}});
    }

    /// Makes the folder. From now on an interrupted import is known as one: a faceset of a source that is not complete.
    void prepare()
    {
        const fs::path& folder = set_.folder;
        BIFRONS_CHECK(data, !fs::exists(folder) || fs::is_directory(folder), folder.string(), ": is not a folder");
        lock_.emplace(folder.string());
        if (is_faceset(folder)) {
            BIFRONS_CHECK(usage, options_.overwrite || is_interrupted_import(load_faceset(folder)), folder.string(),
                          ": holds a faceset already. Choose another folder, or use --overwrite.");
            fs::remove(folder / "faceset.journal");
            fs::remove_all(folder / "images");
            fs::remove_all(folder / "masks");
        } else {
            const fs::directory_iterator entries(folder);
            const bool is_empty = std::all_of(begin(entries), end(entries), [](const fs::directory_entry& entry) {
                return entry.path().filename() == ".lock";
            });
            BIFRONS_CHECK(usage, is_empty, folder.string(),
                          ": holds other files and no faceset; expected an empty or a new folder");
        }
        save_faceset(set_);
        make_own_folder((folder / "images").string());
    }

    static bool is_interrupted_import(const Faceset& set)
    {
        return is_imported(set) && set.faces.empty() && set.sources.size() == 1 && !set.sources[0].complete;
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
        const DflFace face = dfl_face(bytes, items_[i].name());
        const bool fits = face.side == set_.side;
        const Affine resize = resized(double(face.side), double(set_.side));
        const std::vector<std::string>& pictures = set_.sources[0].pictures;
        const std::string& stem = stems_[i];
        FaceRecord record{.file = "images/" + stem + (fits ? ".jpg" : ".png"),
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
        if (!fits) picture = warp(picture, resize, set_.side, set_.side);
        record.sharpness = laplacian_variance(picture, hull_mask(record.in_face, set_.side, set_.side));
        const fs::path file = set_.folder / record.file;
        if (fits)
            write_file(file, {reinterpret_cast<const char*>(bytes.data()), bytes.size()}, Existing::replace);
        else
            save_image(file, picture, {.existing = Existing::replace});
        record.checksum = checksum_of(fits ? bytes : read_file(file));
        if (!face.mask.pixels.empty()) record.mask = write_mask(warp(face.mask, resize, set_.side, set_.side), stem);
        return record;
    }

    std::string write_mask(const Image& mask, const std::string& stem)
    {
        std::call_once(has_masks_, [&] { make_own_folder((set_.folder / "masks").string()); });
        const std::string file = "masks/" + stem + ".png";
        save_image(set_.folder / file, mask, {.existing = Existing::replace});
        return file;
    }

    const fs::path from_;
    const ImportOptions& options_;
    Faceset set_;
    ImportReport report_;
    std::vector<Item> items_;
    std::vector<std::optional<DflFace>> faces_; ///< none: left out
    std::vector<std::string> stems_;            ///< of the faces' files
    std::optional<FolderLock> lock_;
    std::once_flag has_masks_;
};

} // namespace

ImportReport import_faces(const fs::path& from, const fs::path& out, const ImportOptions& options)
{
    return Import(from, out, options).run();
}

bool is_imported(const Faceset& set)
{
    return set.detector == kProgram;
}

} // namespace bifrons::data
