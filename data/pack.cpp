// data/pack.cpp - a faceset as one file, through libarchive.
#include "data/pack.h"

#include "kernels/base/error.h"

#if BIFRONS_HAS_ARCHIVE
#include "data/faceset_json.h"
#include "engine/own_file.h"
#include "engine/partial.h"

#include <archive.h>
#include <archive_entry.h>
#include <sys/stat.h>

#include <algorithm>
#include <memory>
#include <set>

namespace bifrons::data {
namespace fs = std::filesystem;

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

class Reader {
  public:
    explicit Reader(const fs::path& file)
        : name_(file.string()), size_(std::int64_t(fs::file_size(file))),
          archive_(archive_read_new(), archive_read_free)
    {
        archive_read_support_format_tar(archive_.get()); // no filter: nothing grows beyond the file
        if (archive_read_open_filename(archive_.get(), name_.c_str(), 1 << 20) != ARCHIVE_OK) refuse();
    }
    /// The next file's name below the pack's folder; empty at the end.
    std::string next()
    {
        for (;;) {
            const int result = archive_read_next_header(archive_.get(), &entry_);
            if (result == ARCHIVE_EOF) return "";
            if (result < ARCHIVE_WARN) refuse();
            const char* const path = archive_entry_pathname(entry_);
            BIFRONS_CHECK(data, path, name_, ": holds a file without a name; it is damaged");
            if (archive_entry_filetype(entry_) == AE_IFDIR) continue;
            const std::string whole = path;
            BIFRONS_CHECK(data, archive_entry_filetype(entry_) == AE_IFREG && !archive_entry_hardlink(entry_), name_,
                          ": ", whole, " is a link or no file; expected pictures");
            const std::size_t slash = whole.find('/');
            return slash == whole.npos ? whole : whole.substr(slash + 1);
        }
    }
    /// Of the file that next() named.
    std::vector<std::uint8_t> bytes()
    {
        const std::int64_t size = archive_entry_size(entry_);
        // Sparse files are larger than what holds them.
        BIFRONS_CHECK(data, size >= 0 && size <= size_ - read_, name_, ": ", archive_entry_pathname(entry_), " has ",
                      size, " bytes, which the pack cannot hold; it is damaged or cut off");
        read_ += size;
        std::vector<std::uint8_t> all(static_cast<std::size_t>(size));
        std::size_t at = 0;
        while (at < all.size()) {
            const la_ssize_t n = archive_read_data(archive_.get(), all.data() + at, all.size() - at);
            if (n <= 0) refuse();
            at += std::size_t(n);
        }
        return all;
    }
    std::int64_t size() const { return size_; }
    const std::string& name() const { return name_; }

  private:
    [[noreturn]] void refuse() const
    {
        const char* const why = archive_error_string(archive_.get());
        throw Error(ErrorKind::data,
                    str(name_, ": is not a pack, or is damaged or cut off", why ? str(" (", why, ")") : ""));
    }

    const std::string name_;
    const std::int64_t size_;
    std::int64_t read_ = 0;
    const std::unique_ptr<archive, int (*)(archive*)> archive_;
    archive_entry* entry_ = nullptr;
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

/// Fills the folder.
PackReport unpack_into(const fs::path& folder, Reader& reader, const WorkOptions& options)
{
    const std::string& name = reader.name();
    BIFRONS_CHECK(data, reader.next() == kManifest, name, ": does not begin with ", kManifest,
                  "; expected a pack, as `bifrons pack` makes it");
    const std::vector<std::uint8_t> manifest = reader.bytes();
    Faceset set = parse_faceset(folder, {reinterpret_cast<const char*>(manifest.data()), manifest.size()}, "");
    std::set<std::string> files = files_of(set);
    const auto all = std::int64_t(files.size());
    for (std::string file = reader.next(); !file.empty(); file = reader.next()) {
        stop_if_cancelled(options);
        BIFRONS_CHECK(data, files.erase(file) == 1, name, ": holds ", file,
                      ", which its faceset.json does not list, or holds it twice; nothing was unpacked");
        write_below(folder, file, reader.bytes());
        if (options.progress) options.progress(all - std::int64_t(files.size()), all);
    }
    BIFRONS_CHECK(data, files.empty(), name, ": lacks ", files.size(), " files, the first ", *files.begin(),
                  "; it is cut off or damaged, and nothing was unpacked");
    save_faceset(set);
    return {.faces = std::int64_t(set.faces.size()), .bytes = reader.size()};
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
        const std::vector<std::uint8_t> bytes = read_file(set.folder / name);
        writer.add(name, bytes.data(), bytes.size());
        if (options.progress) options.progress(++done, std::int64_t(files.size()));
    }
    const std::int64_t bytes = writer.finish();
    return {.faces = std::int64_t(set.faces.size()), .bytes = bytes};
}

PackReport unpack_faceset(const fs::path& file, const fs::path& folder, const WorkOptions& options)
{
    BIFRONS_CHECK(data, fs::is_regular_file(file), file.string(), ": is not a file; expected a pack");
    BIFRONS_CHECK(usage, !fs::exists(folder) || (fs::is_directory(folder) && fs::is_empty(folder)), folder.string(),
                  ": exists; expected a new or an empty folder");
    Reader reader(file);
    const fs::path place = folder.has_filename() ? folder : folder.parent_path();
    if (place.has_parent_path()) fs::create_directories(place.parent_path());
    const Partial partial(place.string(), Partial::Kind::folder);
    const PackReport report = unpack_into(partial.name(), reader, options);
    const mode_t hidden = umask(0);
    umask(hidden);
    fs::permissions(partial.name(), fs::perms(0777 & ~hidden));
    rename_into_place(partial.name(), place);
    return report;
}

} // namespace bifrons::data
#else
namespace bifrons::data {

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

PackReport unpack_faceset(const std::filesystem::path&, const std::filesystem::path&, const WorkOptions&)
{
    refuse();
}

} // namespace bifrons::data
#endif
