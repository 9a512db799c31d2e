// data/extract/extract.cpp - footage -> faceset.
#include "data/extract/extract.h"

#include "data/faceset_json.h"
#include "data/faceset_trash.h"
#include "data/fingerprint.h"
#include "data/folders.h"
#include "data/frame_name.h"
#include "data/hull.h"
#include "data/quality.h"
#include "data/threads.h"
#include "data/warp.h"
#include "engine/folder_lock.h"
#include "engine/own_file.h"
#include "engine/partial.h"
#include "kernels/base/error.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <map>
#include <optional>
#include <set>

namespace bifrons::data {
namespace fs = std::filesystem;

namespace {

constexpr auto kSaveEvery = std::chrono::seconds(5); ///< what a power cut costs

using Clock = std::chrono::steady_clock;

constexpr const char* kAlignments = "alignments"; // detector and landmarks of faces that another program found
constexpr std::size_t kLongestName = 200;         // bytes of a source's name: of 255 the rest numbers its faces

/// Cuts and writes one face. Empty for one that a faceset cannot hold.
std::optional<FaceRecord> write_face(const Faceset& set, const SourceRecord& source, const Frame& frame,
                                     const FrameFace& face, int k)
{
    char number[32];
    std::snprintf(number, sizeof number, "_%06lld_%d.png", static_cast<long long>(frame.index), k);
    FaceRecord record;
    record.file = str("images/", source.name, number);
    record.frame = frame.index;
    record.rect = face.detection.rect;
    record.score = face.detection.score;
    record.in_frame = face.points;
    Image picture;
    try {
        record.matrix = face_from_frame(face.points, set.type, set.side);
        record.in_face = record.matrix(face.points);
        record.size = double(set.side) / record.matrix.scale();
        record.pose = pose_of(face.points);
        picture = warp(frame.image, record.matrix, set.side, set.side);
        record.sharpness = laplacian_variance(picture, hull_mask(record.in_face, set.side, set.side));
        check_face({.folder = set.folder, .type = set.type, .side = set.side, .sources = std::vector<SourceRecord>(1)},
                   record, record.file);
    } catch (const Error& error) {
        if (error.kind() != ErrorKind::data) throw;
        return {};
    }
    // A picture that exists already comes from an interrupted run and is not in faceset.json.
    save_image(set.folder / record.file, picture, {.existing = Existing::replace});
    record.checksum = checksum_of(read_file(set.folder / record.file));
    return record;
}

/// One run over the inputs.
class Extraction {
  public:
    Extraction(const fs::path& out, const ExtractOptions& options) : options_(options)
    {
        BIFRONS_CHECK(usage, options.side >= 16 && options.side <= 4096, "side is ", options.side,
                      "; expected 16 to 4096");
        set_ = {.folder = out,
                .type = options.type,
                .side = options.side,
                .detector = options.alignments ? kAlignments : name_of(options.finder.detector.kind),
                .landmarks = options.alignments ? kAlignments : name_of(options.finder.landmarks.kind)};
    }

    ExtractReport run(const std::vector<fs::path>& inputs)
    {
        const auto start = Clock::now();
        for (const fs::path& input : inputs) { // all, before anything is done: a bad name costs nothing
            std::unique_ptr<FrameSource> frames = open_frames(input, options_.reader);
            if (frames->video()) videos_[fs::weakly_canonical(input)] = std::move(frames);
        }
        if (!options_.alignments) finder_ = std::make_unique<FaceFinder>(options_.finder);
        try {
            prepare();
        } catch (const Cancelled&) {
            return report_;
        }
        for (const fs::path& input : inputs)
            if (!add(fs::weakly_canonical(input))) break;
        save_faceset(set_);
        report_.seconds = std::chrono::duration<double>(Clock::now() - start).count();
        finish();
        return report_;
    }

  private:
    /// Before anything was done.
    struct Cancelled {};

    bool cancelled() const { return options_.cancel && *options_.cancel; }

    /// Makes the folder, or takes up what an earlier run left in it.
    void prepare()
    {
        const fs::path& folder = set_.folder;
        BIFRONS_CHECK(data, !fs::exists(folder) || fs::is_directory(folder), folder.string(), ": is not a folder");
        lock_.emplace(folder.string());
        BIFRONS_CHECK(usage, is_faceset(folder) || is_unused(folder), folder.string(),
                      ": holds other files and no faceset; expected an empty or a new folder");
        if (is_faceset(folder) && options_.overwrite) {
            fs::remove(folder / "faceset.journal"); // belongs to the faces that go
            fs::remove_all(folder / "images");
            empty_trash(folder);
        } else if (is_faceset(folder)) {
            resume(load_faceset(folder, [this](std::int64_t read, std::int64_t of) {
                if (cancelled()) throw Cancelled();
                if (options_.loading) options_.loading(read, of);
            }));
        }
        save_faceset(set_); // from now on an interrupted run is known as one
        make_own_folder((folder / "images").string());
        sweep_partials((folder / "images").string());
    }

    void resume(Faceset earlier)
    {
        const auto settings = [](const Faceset& set) {
            return str(name_of(set.type), " faces of ", set.side, " px by ", set.detector, " with ", set.landmarks,
                       "'s landmarks");
        };
        BIFRONS_CHECK(usage, settings(earlier) == settings(set_), set_.folder.string(), ": holds ", settings(earlier),
                      "; requested are ", settings(set_), ". Use the same settings, another folder or --overwrite.");
        set_ = std::move(earlier);
    }

    /// The record of this input: of the earlier runs' ones of its file name the one that `is_same`, or a new one with a
    /// name of its own.
    SourceRecord& record_of(const fs::path& path, const std::function<bool(const SourceRecord&)>& is_same)
    {
        const std::string file = path.filename().string(), stem = path.stem().string().substr(0, kLongestName);
        bool has_namesake = false;
        for (SourceRecord& source : set_.sources) {
            if (source.path != file) continue;
            if (is_same(source)) return source;
            has_namesake = true;
        }
        std::string name = stem;
        const auto taken = [&](const SourceRecord& source) { return source.name == name; };
        for (int i = 2; std::any_of(set_.sources.begin(), set_.sources.end(), taken); ++i) name = str(stem, "-", i);
        if (has_namesake) warn(str(path.string(), ": other footage of this name was extracted before; this is ", name));
        set_.sources.push_back({.name = name, .path = file});
        return set_.sources.back();
    }

    void warn(const std::string& text) const
    {
        if (options_.warn) options_.warn(text);
    }

    void tell(FrameSource& frames) const
    {
        for (const std::string& remark : frames.remarks()) warn(str(path_.string(), ": ", remark));
    }

    /// False when cancelled before the end.
    bool add(const fs::path& path)
    {
        path_ = path;
        if (fs::is_directory(path)) return add_pictures(pictures_in(path), path);
        return is_clip(path) ? add_video() : add_pictures({{path}, ""}, path.parent_path());
    }

    /// From where an earlier run stopped.
    bool add_video()
    {
        const std::string fingerprint = fingerprint_of(path_);
        SourceRecord& source = record_of(path_, [&](const SourceRecord& s) {
            return s.pictures.empty() && (s.fingerprints.empty() || s.fingerprints[0] == fingerprint);
        });
        take_alignments_of(source);
        auto opened = videos_.extract(path_); // each is closed when it is done; empty for one that is named again
        const std::unique_ptr<FrameSource> frames =
            opened ? std::move(opened.mapped()) : open_frames(path_, options_.reader);
        if (source.done == 0) source.frames = frames->count();
        check_unchanged(source, frames->count());
        source.fingerprints = {fingerprint};
        if (source.complete) return true;
        Frame passed;
        for (std::int64_t i = 0; i < source.done && frames->next(passed); ++i) {
        }
        return work_on(*frames, source);
    }

    /// Those whose names are new.
    bool add_pictures(PictureFolder pictures, const fs::path& folder)
    {
        folder_ = folder;
        SourceRecord& source = record_of(path_, [&](const SourceRecord& s) { return holds_these_pictures(s); });
        take_alignments_of(source);
        std::vector<fs::path>& files = pictures.files;
        if (source.pictures.empty() && source.done > 0) { // made before names were kept
            check_unchanged(source, std::int64_t(files.size()));
            for (const fs::path& file : files)
                if (std::int64_t(source.pictures.size()) < source.done)
                    source.pictures.push_back(file.filename().string());
        }
        const std::set<std::string> known(source.pictures.begin(), source.pictures.end());
        std::erase_if(files, [&](const fs::path& file) { return known.contains(file.filename().string()); });
        source.frames = source.done + std::int64_t(files.size());
        const bool complete = work_on(*open_pictures(std::move(pictures), options_.reader), source);
        if (complete) report_.unreadable += source.frames - source.done;
        return complete;
    }

    /// Most of the pictures that both have are the same.
    bool holds_these_pictures(const SourceRecord& source) const
    {
        std::vector<std::string> changed;
        std::size_t same = 0;
        for (std::size_t i = 0; i < source.fingerprints.size() && i < source.pictures.size(); ++i) {
            const fs::path file = folder_ / source.pictures[i];
            if (!fs::is_regular_file(file)) continue;
            if (fingerprint_of(file) == source.fingerprints[i])
                ++same;
            else
                changed.push_back(source.pictures[i]);
        }
        if (changed.size() > same) return false;
        if (!changed.empty())
            warn(str(path_.string(), ": ", changed.size(), " pictures were changed since they were extracted, ",
                     changed.front(), changed.size() > 1 ? " and others" : "",
                     "; their faces stay as they were. --overwrite extracts all again."));
        return true;
    }

    /// A source's faces are all of one alignments file. One that has none of an earlier file starts over.
    void take_alignments_of(SourceRecord& source) const
    {
        if (!options_.alignments) return;
        const std::uint64_t checksum = options_.alignments->checksum();
        if (source.alignments != checksum && source.counts.faces == 0)
            source = {.name = source.name, .path = source.path, .alignments = checksum};
        BIFRONS_CHECK(usage, source.alignments == 0 || source.alignments == checksum, set_.folder.string(),
                      ": was extracted from ", source.path, " with another alignments file than ",
                      options_.alignments->path().string(), ". Use that file, another folder or --overwrite.");
    }

    void warn_of_alignments_that_do_not_fit(const SourceRecord& source) const
    {
        if (options_.alignments && source.complete && source.done > 0 && source.counts.faces == 0)
            warn(str(path_.string(), ": none of its ", source.done, " frames is in ",
                     options_.alignments->path().string(), ", which has faces of ", options_.alignments->example(),
                     " and others; expected the footage in which they were found, under its name"));
    }

    void check_unchanged(const SourceRecord& source, std::int64_t frames) const
    {
        BIFRONS_CHECK(data, source.frames == frames, path_.string(), ": has ", frames,
                      " frames; when its extraction began it had ", source.frames,
                      ". Extract it into another folder or use --overwrite.");
    }

    /// False when cancelled before the end.
    bool work_on(FrameSource& frames, SourceRecord& source)
    {
        const std::int64_t index = &source - set_.sources.data();
        FacesetJournal journal(set_, std::size_t(index));
        if (finder_) finder_->restart();
        if (finder_ && !set_.faces.empty() && set_.faces.back().source == index)
            finder_->resume(set_.faces.back().rect, set_.faces.back().in_frame,
                            source.done - 1 - set_.faces.back().frame);
        tell(frames);
        try {
            source.complete = work_through(frames, source, index, journal);
            journal.append(set_);
        } catch (...) {
            keep_what_is_done();
            throw;
        }
        tell(frames);
        warn_of_alignments_that_do_not_fit(source);
        return source.complete;
    }

    /// A damaged video or a full disk costs the blocks after the last whole one; the error itself is told elsewhere.
    void keep_what_is_done() const
    {
        try {
            save_faceset(set_);
        } catch (const Error&) {
        }
    }

    /// False when cancelled before the end. The next block is read while one is in work.
    bool work_through(FrameSource& frames, SourceRecord& source, std::int64_t index, FacesetJournal& journal)
    {
        const auto read = [&] { return next_block(frames); };
        auto next = started_early(read);
        auto saved = Clock::now();
        for (;;) {
            std::vector<Frame> block = next.get();
            if (block.empty()) return true;
            next = started_early(read);
            take(block, source, index);
            if (options_.progress) options_.progress(source.done, std::max(source.done, source.frames));
            if (cancelled()) return false;
            if (Clock::now() - saved < kSaveEvery) continue;
            journal.append(set_);
            saved = Clock::now();
        }
    }

    /// What the alignments say of these frames; faceswap counts a video's from 1.
    std::vector<FaceFinder::Found> aligned(const std::vector<Frame>& frames) const
    {
        std::vector<FaceFinder::Found> found(frames.size());
        for (std::size_t n = 0; n < frames.size(); ++n) {
            const Frame& frame = frames[n];
            const std::string name = frame.file.empty() ? video_frame_name(path_, frame.index + 1) : frame.name;
            for (const AlignmentsFile::Face& face : options_.alignments->of(name))
                found[n].faces.push_back({.detection = {.rect = face.rect, .score = 1}, .points = face.points});
        }
        return found;
    }

    /// The faces of a block of frames.
    void take(std::vector<Frame>& frames, SourceRecord& source, std::int64_t index)
    {
        // Of an earlier run's pictures, some may be gone and some not have been there.
        for (std::size_t n = 0; n < frames.size(); ++n) frames[n].index = source.done + std::int64_t(n);
        std::vector<FaceFinder::Found> found = finder_ ? finder_->find(frames) : aligned(frames);
        std::vector<std::vector<FaceRecord>> records(frames.size());
        std::vector<std::string> fingerprints(frames.size());
        for_each_on_threads(std::int64_t(frames.size()), finder_ ? finder_->threads() : machine_threads(),
                            [&](std::int64_t i, int) {
                                const auto n = std::size_t(i);
                                if (!frames[n].file.empty()) fingerprints[n] = fingerprint_of(folder_ / frames[n].file);
                                for (const FrameFace& face : found[n].faces) {
                                    std::optional<FaceRecord> record =
                                        write_face(set_, source, frames[n], face, int(records[n].size()));
                                    if (record)
                                        records[n].push_back(std::move(*record));
                                    else
                                        found[n].dropped.push_back({.reason = "landmarks that no face has",
                                                                    .score = face.detection.score,
                                                                    .rect = face.detection.rect});
                                }
                            });
        for (std::size_t n = 0; n < frames.size(); ++n) {
            source.counts.faces += std::int64_t(records[n].size());
            source.counts.ignored += found[n].ignored;
            source.counts.low_score += found[n].low_score;
            source.counts.empty += records[n].empty() ? 1 : 0;
            for (FaceRecord& record : records[n]) {
                record.source = index;
                set_.faces.push_back(std::move(record));
            }
            for (DroppedFace dropped : found[n].dropped) {
                dropped.frame = frames[n].index;
                source.dropped.push_back(std::move(dropped));
            }
        }
        for (std::size_t n = 0; n < frames.size(); ++n) {
            if (frames[n].file.empty()) continue;
            // Of facesets made before there were fingerprints, none has one.
            if (source.fingerprints.size() == source.pictures.size()) source.fingerprints.push_back(fingerprints[n]);
            source.pictures.push_back(frames[n].file);
        }
        source.done += std::int64_t(frames.size());
        report_.frames_now += std::int64_t(frames.size());
    }

    void finish()
    {
        report_.complete = !cancelled();
        for (const SourceRecord& source : set_.sources) {
            report_.frames += source.done;
            report_.counts.faces += source.counts.faces;
            report_.counts.ignored += source.counts.ignored;
            report_.counts.low_score += source.counts.low_score;
            report_.counts.empty += source.counts.empty;
            report_.implausible += implausible_faces(source);
        }
        const bool fits = !options_.alignments || !report_.complete || report_.counts.faces > 0;
        if (!fits) { // so that the right file can be tried at once
            set_.sources.clear();
            save_faceset(set_);
        }
        BIFRONS_CHECK(data, fits, options_.alignments->path().string(), ": has faces of ",
                      options_.alignments->example(), " and others, none of which is one of the ", report_.frames,
                      " frames; expected the footage in "
                      "which they were found, under its name");
        BIFRONS_CHECK(data, !report_.complete || report_.counts.faces > 0, set_.folder.string(),
                      ": no face was found in ", report_.frames, " frames (", report_.counts.low_score,
                      " dropped for a low score, ", report_.implausible, " for implausible landmarks, ",
                      report_.unreadable,
                      " pictures could not be read). Use footage with a frontal face, or a better detector (`bifrons "
                      "models get centerface`).");
    }

    ExtractOptions options_;
    std::unique_ptr<FaceFinder> finder_;
    std::optional<FolderLock> lock_;
    Faceset set_;
    std::map<fs::path, std::unique_ptr<FrameSource>> videos_; ///< of the inputs
    fs::path path_;                                           ///< the input in work
    fs::path folder_;                                         ///< where its pictures are
    ExtractReport report_;
};

} // namespace

ExtractReport extract(const std::vector<fs::path>& inputs, const fs::path& out, const ExtractOptions& options)
{
    return Extraction(out, options).run(inputs);
}

} // namespace bifrons::data
