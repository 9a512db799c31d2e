// data/media/streams.cpp - what a video carries beside its pictures.
#include "data/media/streams.h"

#include "data/file.h"
#include "data/media/input.h"
#include "data/media/process.h"
#include "engine/json.h"
#include "kernels/base/error.h"

#include <algorithm>
#include <array>
#include <map>

namespace bifrons::data {
namespace fs = std::filesystem;

namespace {

/// A stream of the source on its way into the output.
struct Plan {
    Stream stream = {};
    std::string label = {};  ///< for messages
    std::string coder = {};  ///< "copy", "aac", "mov_text", "srt"
    std::string reason = {}; ///< why it is lost; empty: it is not
};

template <class Names>
bool is_one_of(const std::string& name, const Names& names)
{
    return std::find(names.begin(), names.end(), name) != names.end();
}

/// The coder for a stream in a file of this kind; empty: there is none.
std::string coder_for(const Stream& stream, const std::string& kind)
{
    constexpr std::array kSafeSound = {"aac", "mp3", "ac3", "alac"};
    constexpr std::array kMovSound = {"pcm_s16le", "pcm_s24le", "pcm_s16be", "pcm_s24be", "pcm_f32le"};
    constexpr std::array kText = {"subrip", "srt", "ass", "ssa", "webvtt", "mov_text", "text"};
    constexpr std::array kCovers = {"mjpeg", "png"};
    const bool matroska = kind == "matroska";
    switch (stream.kind) {
    case StreamKind::sound:
        if (matroska || is_one_of(stream.codec, kSafeSound)) return "copy";
        return kind == "mov" && is_one_of(stream.codec, kMovSound) ? "copy" : "aac";
    case StreamKind::subtitles:
        if (matroska) return stream.codec == "mov_text" ? "srt" : "copy";
        if (is_one_of(stream.codec, kText)) return "mov_text";
        return kind == "mp4" && stream.codec == "dvd_subtitle" ? "copy" : "";
    case StreamKind::cover:
        return kind != "mov" && is_one_of(stream.codec, kCovers) ? "copy" : "";
    case StreamKind::attachment:
        return matroska ? "copy" : "";
    case StreamKind::timecode: // rewritten from its value
    case StreamKind::data:
    case StreamKind::video:
        return "";
    }
    return "";
}

/// "sound 2 (deu, aac)".
std::string label_of(const Stream& stream, int number)
{
    const std::string codec = stream.codec.empty() ? "codec unknown" : stream.codec;
    return str(name_of(stream.kind), " ", number, " (", stream.language.empty() ? "" : stream.language + ", ", codec,
               ")");
}

std::vector<Plan> plans_for(const VideoInfo& info, const std::string& kind)
{
    std::vector<Plan> plans;
    std::map<StreamKind, int> numbers;
    for (const Stream& stream : info.others) {
        if (stream.kind == StreamKind::timecode) continue;
        Plan plan = {.stream = stream, .label = label_of(stream, ++numbers[stream.kind])};
        plan.coder = coder_for(stream, kind);
        const bool unknown = stream.codec.empty() && stream.kind != StreamKind::attachment;
        if (unknown)
            plan.reason = "this ffmpeg does not know it";
        else if (stream.kind == StreamKind::video)
            plan.reason = "only the first video is worked on";
        else if (plan.coder.empty())
            plan.reason = str("a file of the format ", kind, " cannot hold it");
        plans.push_back(std::move(plan));
    }
    return plans;
}

/// .mov knows languages by other codes of ISO 639-2 than most files are tagged with.
std::string mov_language(const std::string& language)
{
    static const std::map<std::string, std::string> other = {{"deu", "ger"}, {"nld", "dut"}, {"ell", "gre"},
                                                             {"isl", "ice"}, {"zho", "chi"}, {"fas", "per"},
                                                             {"ron", "rum"}, {"ces", "cze"}};
    const auto it = other.find(language);
    return it == other.end() ? language : it->second;
}

char letter_of(StreamKind kind)
{
    return kind == StreamKind::sound       ? 'a'
           : kind == StreamKind::subtitles ? 's'
           : kind == StreamKind::cover     ? 'v'
                                           : 't';
}

/// The arguments that map one stream of input `from` into a file of this kind; `numbers` counts those before it.
void add_stream(Words& command, int from, const Plan& plan, const std::string& kind, std::map<char, int>& numbers)
{
    const char letter = letter_of(plan.stream.kind);
    const std::string at = str(letter, ":", numbers[letter]++);
    append(command, {"-map", str(from, ":", plan.stream.index), "-c:" + at, plan.coder});
    if (plan.coder == "aac") append(command, {"-b:" + at, "192k"});
    if (plan.stream.kind == StreamKind::cover) append(command, {"-disposition:" + at, "attached_pic"});
    if (kind == "mov" && !plan.stream.language.empty())
        append(command, {"-metadata:s:" + at, "language=" + mov_language(plan.stream.language)});
}

/// Packets of each stream of a file that was just written, by type; nothing for one that cannot be read.
std::map<std::string, std::vector<std::int64_t>> packets_of(const fs::path& path)
{
    Words command = {"ffprobe", "-v", "quiet", "-count_packets", "-show_streams", "-of", "json"};
    append(command, input_options(path));
    const Output output = run(command);
    std::map<std::string, std::vector<std::int64_t>> packets;
    const auto answer = json_or_discarded(output.text);
    if (output.status != 0 || answer.is_discarded() || !answer.contains("streams")) return packets;
    for (const auto& stream : answer["streams"])
        packets[stream.value("codec_type", "")].push_back(
            std::atoll(stream.value("nb_read_packets", std::string("0")).c_str()));
    return packets;
}

const char* type_of(const Plan& plan)
{
    return plan.stream.kind == StreamKind::sound        ? "audio"
           : plan.stream.kind == StreamKind::subtitles  ? "subtitle"
           : plan.stream.kind == StreamKind::attachment ? "attachment"
                                                        : "video";
}

class Joining {
  public:
    Joining(const fs::path& source, const VideoInfo& info, const fs::path& video, std::int64_t frames, double start_s,
            const std::string& kind)
        : source_(source), info_(info), video_(video), joined_(video.string() + "-streams"),
          cover_(video.string() + "-cover"), kind_(kind), timecode_(info.timecode), frames_(frames), start_s_(start_s),
          plans_(plans_for(info, kind))
    {
    }
    ~Joining()
    {
        std::error_code ignored;
        fs::remove(joined_, ignored);
        fs::remove(cover_, ignored);
    }

    Carried run()
    {
        if (plans_.empty() && info_.chapters == 0 && timecode_.empty()) return {};
        if (join()) return report(info_.chapters);
        for (Plan& plan : plans_) try_alone(plan);
        if (join()) return report(info_.chapters);
        BIFRONS_CHECK(failed, !is_disk_full(complaint_), complaint_);
        for (Plan& plan : plans_)
            if (plan.reason.empty()) plan.reason = complaint_;
        timecode_.clear();
        return report(0);
    }

  private:
    /// All planned streams, chapters and the timecode, at once; true when everything arrived.
    bool join()
    {
        Words command = {"ffmpeg", "-nostdin", "-v", "error", "-y"};
        append(command, {"-itsoffset", str(start_s_)});
        append(command, input_options(video_));
        append(command, input_options(source_));
        append(command, {"-map", "0:v:0", "-c:v:0", "copy"});
        std::map<char, int> numbers = {{'v', 1}};
        for (const Plan& plan : plans_)
            if (plan.reason.empty() && !is_attached(plan)) add_stream(command, 1, plan, kind_, numbers);
        for (Plan& plan : plans_)
            if (plan.reason.empty() && is_attached(plan)) attach(command, plan, numbers['t']);
        append(command, {"-map_chapters", "1", "-map_metadata", "0"});
        if (!timecode_.empty()) append(command, {"-metadata:s:v:0", "timecode=" + timecode_});
        append(command, {"-f", kind_, "file:" + joined_.string()});
        // Read beside the sound so that ffmpeg sets joined recordings right as it did for the reader of the pictures.
        append(command, {"-map", str("1:", info_.video_stream), "-c", "copy", "-f", "null", "-"});
        const Output output = data::run(command);
        complaint_ = output.reason;
        if (output.status != 0 || !arrived()) return false;
        // One that does not fit the rate, ffmpeg leaves out.
        if (!timecode_.empty()) timecode_ = probe(joined_).timecode;
        rename_into_place(joined_, video_);
        return true;
    }

    /// In Matroska a cover is a file that is attached; ffmpeg would make a second video of it.
    bool is_attached(const Plan& plan) const { return kind_ == "matroska" && plan.stream.kind == StreamKind::cover; }

    /// The first cover; others would need names of their own.
    void attach(Words& command, Plan& plan, int& number)
    {
        Words extract = {"ffmpeg", "-nostdin", "-v", "error", "-y"};
        append(extract, input_options(source_));
        append(extract, {"-map", str("0:", plan.stream.index), "-frames:v", "1", "-c", "copy", "-f", "image2pipe",
                         "file:" + cover_.string()});
        if (const Output output = data::run(extract); output.status != 0) {
            plan.reason = output.reason;
            return;
        }
        const std::string at = str("-metadata:s:t:", number++), type = plan.stream.codec == "png" ? "png" : "jpeg";
        append(command,
               {"-attach", "file:" + cover_.string(), at, "mimetype=image/" + type, at, "filename=cover." + type});
    }

    bool arrived() const
    {
        auto after = packets_of(joined_);
        std::map<std::string, std::size_t> wanted = {{"video", 1}};
        for (const Plan& plan : plans_)
            if (plan.reason.empty()) ++wanted[type_of(plan)];
        for (const auto& [type, streams] : wanted)
            if (after[type].size() < streams) return false;
        const std::vector<std::int64_t>& sound = after["audio"];
        return std::find(sound.begin(), sound.end(), 0) == sound.end() && after["video"][0] == frames_;
    }

    /// Whether the stream can go into a file of this kind by itself; sound that cannot be copied is encoded.
    void try_alone(Plan& plan)
    {
        if (!plan.reason.empty() || plan.stream.kind == StreamKind::cover) return;
        plan.reason = failure_alone(plan);
        if (plan.reason.empty() || plan.stream.kind != StreamKind::sound || plan.coder != "copy") return;
        plan.coder = "aac";
        plan.reason = failure_alone(plan);
    }

    std::string failure_alone(const Plan& plan)
    {
        Words command = {"ffmpeg", "-nostdin", "-v", "error", "-y"};
        append(command, input_options(source_));
        std::map<char, int> numbers;
        add_stream(command, 0, plan, kind_, numbers);
        append(command, {"-f", kind_, "file:" + joined_.string()});
        const Output output = data::run(command);
        if (output.status != 0) return output.reason;
        const std::vector<std::int64_t> packets = packets_of(joined_)[type_of(plan)];
        return packets.empty() || packets[0] == 0 ? "it is empty" : "";
    }

    Carried report(std::int64_t chapters) const
    {
        Carried carried;
        std::size_t copied = 0, encoded = 0, lost = 0;
        for (const Plan& plan : plans_) {
            const bool kept = plan.reason.empty();
            if (kept)
                carried.kept.push_back(plan.label);
            else
                carried.lost.push_back(plan.label + ": " + plan.reason);
            if (plan.stream.kind == StreamKind::sound) ++(!kept ? lost : plan.coder == "aac" ? encoded : copied);
        }
        if (copied + encoded + lost > 0) carried.sound = encoded ? "aac" : copied ? "copied" : "lost";
        if (chapters > 0) carried.kept.push_back(str(chapters, " chapters"));
        if (!timecode_.empty()) carried.kept.push_back("timecode " + timecode_);
        if (info_.chapters > chapters) carried.lost.push_back(str(info_.chapters, " chapters: ", complaint_));
        if (timecode_ != info_.timecode)
            carried.lost.push_back("timecode " + info_.timecode + ": it does not fit the frame rate");
        return carried;
    }

    fs::path source_;
    const VideoInfo& info_;
    fs::path video_, joined_, cover_;
    std::string kind_, timecode_, complaint_;
    std::int64_t frames_;
    double start_s_;
    std::vector<Plan> plans_;
};

} // namespace

bool is_disk_full(const std::string& complaint)
{
    return complaint.find("No space left") != std::string::npos || complaint.find("too large") != std::string::npos;
}

Carried carry_streams(const fs::path& source, const VideoInfo& info, const fs::path& video, std::int64_t frames,
                      double start_s, const std::string& kind)
{
    return Joining(source, info, video, frames, start_s, kind).run();
}

} // namespace bifrons::data
