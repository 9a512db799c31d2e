// data/pack.cpp - a faceset as one file, through libarchive.
#include "data/pack.h"

#include "kernels/base/error.h"

#include <algorithm>

#if BIFRONS_HAS_ARCHIVE
#include "data/faceset_json.h"
#include "engine/mapped_file.h"
#include "engine/own_file.h"
#include "engine/partial.h"

#include <archive.h>
#include <archive_entry.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <map>
#include <memory>
#include <set>
#include <span>
#endif

namespace bifrons::data {
namespace fs = std::filesystem;

bool is_pack(const fs::path& path)
{
    constexpr std::size_t kMark = 257; // of a tar, in its first file's header
    std::error_code ignored;
    if (!fs::is_regular_file(path, ignored)) return false;
    const std::vector<std::uint8_t> head = read_file(path, kMark + 5);
    return head.size() == kMark + 5 && std::equal(head.begin() + kMark, head.end(), "ustar");
}

#if BIFRONS_HAS_ARCHIVE

namespace {

constexpr const char* kManifest = "faceset.json";

/// The writing of it: what libarchive gives goes to a file that appears whole.
class Writer {
  public:
    Writer(const fs::path& file, const std::string& folder)
        : file_(file.string(), Flush::yes), folder_(folder), archive_(archive_write_new(), archive_write_free)
    {
        check(archive_write_set_format_gnutar(archive_.get())); // names as they are, of any bytes and length
        check(archive_write_open(archive_.get(), this, nullptr, take, nullptr));
    }
    void add(const std::string& name, const void* bytes, std::size_t size)
    {
        const std::unique_ptr<archive_entry, void (*)(archive_entry*)> entry(archive_entry_new(), archive_entry_free);
        archive_entry_set_pathname(entry.get(), (folder_ + "/" + name).c_str());
        archive_entry_set_filetype(entry.get(), AE_IFREG);
        archive_entry_set_perm(entry.get(), 0644);
        archive_entry_set_size(entry.get(), la_int64_t(size));
        check(archive_write_header(archive_.get(), entry.get()));
        if (archive_write_data(archive_.get(), bytes, size) != la_ssize_t(size)) check(ARCHIVE_FATAL);
    }
    std::int64_t finish()
    {
        check(archive_write_close(archive_.get()));
        file_.commit();
        return written_;
    }

  private:
    void check(int result)
    {
        if (failure_) std::rethrow_exception(failure_);
        BIFRONS_CHECK(failed, result >= ARCHIVE_WARN, folder_,
                      ": cannot be packed: ", archive_error_string(archive_.get()));
    }
    static la_ssize_t take(archive*, void* self, const void* bytes, std::size_t size)
    {
        auto* const writer = static_cast<Writer*>(self);
        try {
            writer->file_.write(bytes, size);
            writer->written_ += std::int64_t(size);
            return la_ssize_t(size);
        } catch (...) { // libarchive is C
            writer->failure_ = std::current_exception();
            return -1;
        }
    }

    AtomicFile file_;
    const std::string folder_;
    std::int64_t written_ = 0;
    std::exception_ptr failure_;
    const std::unique_ptr<archive, int (*)(archive*)> archive_; // last: freeing it may write
};

/// The files of a pack, in place.
class PackedFiles {
  public:
    explicit PackedFiles(const fs::path& path)
        : name_(path.string()), file_(std::fopen(name_.c_str(), "rb"), std::fclose)
    {
        const MappedFile mapped(name_, "a pack"); // for listing alone: one that has shrunk ends the program
        whole_ = mapped.bytes();
        BIFRONS_CHECK(data, file_, name_, ": cannot be opened");
        BIFRONS_CHECK(data, is_pack(path), name_,
                      ": is not a pack; expected what `bifrons pack` writes. `bifrons import` makes a faceset of "
                      "DeepFaceLab's faceset.pak.");
        const std::unique_ptr<archive, int (*)(archive*)> reader(archive_read_new(), archive_read_free);
        archive_ = reader.get();
        archive_read_support_format_tar(archive_); // no filter: nothing grows beyond the file
        if (archive_read_open_memory(archive_, whole_.data(), whole_.size()) != ARCHIVE_OK) refuse();
        BIFRONS_CHECK(data, next() && within_folder() == kManifest, name_, ": does not begin with ", kManifest,
                      "; expected a pack, as `bifrons pack` makes it");
        manifest_ = place();
        while (next())
            BIFRONS_CHECK(data, places_.emplace(within_folder(), place()).second, name_, ": holds ", within_folder(),
                          " twice; it is damaged");
        archive_ = nullptr;
        whole_ = {};
    }

    std::string manifest() const { return read<std::string>(manifest_); }
    /// Throws Error(data) unless the files beside the manifest are these.
    void check(const std::set<std::string>& wanted) const
    {
        for (const auto& [name, bytes] : places_)
            BIFRONS_CHECK(data, wanted.contains(name), name_, ": holds ", name,
                          ", which its faceset.json does not list");
        std::vector<std::string> missing;
        std::copy_if(wanted.begin(), wanted.end(), std::back_inserter(missing),
                     [&](const std::string& name) { return !places_.contains(name); });
        BIFRONS_CHECK(data, missing.empty(), name_, ": lacks ", missing.size(),
                      missing.size() == 1 ? " file, " : " files, the first ", missing.front(),
                      "; it is cut off or damaged");
    }
    std::vector<std::uint8_t> read(const std::string& name) const
    {
        return read<std::vector<std::uint8_t>>(places_.at(name));
    }

  private:
    /// Of the file, in bytes.
    struct Place {
        std::int64_t offset = 0, size = 0;
    };

    template <class Bytes>
    Bytes read(const Place& place) const
    {
        Bytes bytes(std::size_t(place.size), {});
        for (std::int64_t done = 0; done < place.size;) {
            const ssize_t n =
                pread(fileno(file_.get()), bytes.data() + done, std::size_t(place.size - done), place.offset + done);
            if (n < 0 && errno == EINTR) continue;
            BIFRONS_CHECK(data, n > 0, name_, ": cannot be read at byte ", place.offset + done,
                          n == 0 ? "; it was cut off meanwhile" : str(" (", std::strerror(errno), ")"));
            done += n;
        }
        return bytes;
    }

    /// False after the last file. Folders are skipped.
    bool next()
    {
        do {
            const int result = archive_read_next_header(archive_, &entry_);
            if (result == ARCHIVE_EOF) return false;
            if (result < ARCHIVE_WARN) refuse();
            BIFRONS_CHECK(data, archive_entry_pathname(entry_), name_, ": holds a file without a name; it is damaged");
        } while (archive_entry_filetype(entry_) == AE_IFDIR);
        BIFRONS_CHECK(data, archive_entry_filetype(entry_) == AE_IFREG && !archive_entry_hardlink(entry_), name_, ": ",
                      archive_entry_pathname(entry_), " is a link or no file; expected pictures");
        return true;
    }
    std::string within_folder() const
    {
        const std::string whole = archive_entry_pathname(entry_);
        const std::size_t slash = whole.find('/');
        return slash == whole.npos ? whole : whole.substr(slash + 1);
    }
    /// Where the entry's bytes lie: libarchive hands out what it reads from memory as it lies there.
    Place place()
    {
        const std::int64_t size = archive_entry_size(entry_);
        if (size == 0) return {};
        const void* begin = nullptr;
        std::size_t length = 0;
        la_int64_t offset = 0;
        const bool whole = size > 0 && size <= std::int64_t(whole_.size()) &&
                           archive_read_data_block(archive_, &begin, &length, &offset) == ARCHIVE_OK && offset == 0 &&
                           std::int64_t(length) == size; // other sizes: cut off, or sparse
        BIFRONS_CHECK(data, whole, name_, ": ", archive_entry_pathname(entry_), " has ", size,
                      " bytes, which the pack does not hold; it is damaged or cut off");
        const auto* const bytes = static_cast<const std::uint8_t*>(begin);
        BIFRONS_CHECK(failed, bytes >= whole_.data() && bytes + length <= whole_.data() + whole_.size(), name_,
                      ": cannot be read in place with this libarchive. Unpack it with tar.");
        return {bytes - whole_.data(), size};
    }
    [[noreturn]] void refuse() const
    {
        const char* const why = archive_error_string(archive_);
        throw Error(ErrorKind::data, str(name_, ": is damaged or cut off", why ? str(" (", why, ")") : ""));
    }

    const std::string name_;
    const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file_;
    archive* archive_ = nullptr; // this and the next two while the files are listed
    archive_entry* entry_ = nullptr;
    std::span<const std::uint8_t> whole_;
    Place manifest_;
    std::map<std::string, Place> places_;
};

void stop_if_cancelled(const WorkOptions& options)
{
    if (options.cancel && *options.cancel) throw Cancelled();
}

/// What a faceset may have beside its manifest.
std::set<std::string> files_of(const Faceset& set)
{
    std::set<std::string> files;
    for (const FaceRecord& face : set.faces) {
        files.insert(face.file);
        if (!face.mask.empty()) files.insert(face.mask);
    }
    return files;
}

void write_below(const fs::path& folder, const fs::path& file, const std::vector<std::uint8_t>& bytes)
{
    fs::path place = folder;
    for (const fs::path& part : file.parent_path()) make_own_folder((place /= part).string());
    write_file(folder / file, {reinterpret_cast<const char*>(bytes.data()), bytes.size()}, Existing::keep);
}

} // namespace

PackReport pack_faceset(const Faceset& set, const fs::path& file, Existing existing, const WorkOptions& options)
{
    check_destination(file, existing);
    const std::set<std::string> files = files_of(set);
    const std::string manifest = manifest_of(set);
    const fs::path whole = fs::weakly_canonical(set.folder / kManifest).parent_path();
    Writer writer(file, whole.filename().string());
    writer.add(kManifest, manifest.data(), manifest.size());
    std::int64_t done = 0;
    for (const std::string& name : files) {
        stop_if_cancelled(options);
        const std::vector<std::uint8_t> bytes = stored_file(set, name);
        writer.add(name, bytes.data(), bytes.size());
        if (options.progress) options.progress(++done, std::int64_t(files.size()));
    }
    const std::int64_t bytes = writer.finish();
    return {.faces = std::int64_t(set.faces.size()), .bytes = bytes};
}

Faceset load_pack(const fs::path& file, const ReadTick& tick)
{
    const auto files = std::make_shared<const PackedFiles>(file);
    Faceset set = parse_faceset(file, files->manifest(), "", tick);
    files->check(files_of(set));
    set.read = [files](const std::string& name) { return files->read(name); };
    return set;
}

PackReport unpack_faceset(const fs::path& file, const fs::path& folder, const WorkOptions& options)
{
    const fs::path place = folder.has_filename() ? folder : folder.parent_path();
    const bool is_free =
        !fs::exists(fs::symlink_status(place)) || (fs::is_directory(fs::symlink_status(place)) && fs::is_empty(place));
    BIFRONS_CHECK(usage, is_free, folder.string(), ": exists; expected a new or an empty folder, and no link");
    Faceset set = load_pack(file, [&](std::int64_t, std::int64_t) { stop_if_cancelled(options); });
    if (place.has_parent_path()) fs::create_directories(place.parent_path());
    const Partial partial(place.string(), Partial::Kind::folder);
    const std::set<std::string> files = files_of(set);
    std::int64_t done = 0;
    for (const std::string& name : files) {
        stop_if_cancelled(options);
        write_below(partial.name(), name, set.read(name));
        if (options.progress) options.progress(++done, std::int64_t(files.size()));
    }
    set.folder = partial.name();
    save_faceset(set);
    const mode_t hidden = umask(0);
    umask(hidden);
    fs::permissions(partial.name(), fs::perms(0777 & ~hidden));
    rename_into_place(partial.name(), place);
    return {.faces = std::int64_t(set.faces.size()), .bytes = std::int64_t(fs::file_size(file))};
}

#else

namespace {

[[noreturn]] void refuse()
{
    throw Error(ErrorKind::usage, "packs need libarchive, which was not there when this program was built; install "
                                  "libarchive-dev and build again");
}

} // namespace

PackReport pack_faceset(const Faceset&, const std::filesystem::path&, Existing, const WorkOptions&)
{
    refuse();
}

Faceset load_pack(const std::filesystem::path&, const ReadTick&)
{
    refuse();
}

PackReport unpack_faceset(const std::filesystem::path&, const std::filesystem::path&, const WorkOptions&)
{
    refuse();
}

#endif

} // namespace bifrons::data
