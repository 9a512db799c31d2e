#include "tools/footage_options.h"

#include "tools/options.h"

namespace bifrons::tools {

std::function<data::ReaderOptions()> reader_options(CLI::App& app)
{
    struct Options {
        bool deinterlace = false, strict = false;
        std::int64_t max_pixels = data::kMaxPixels;
    };
    const auto o = std::make_shared<Options>();
    flag(app, "--deinterlace", o->deinterlace,
         "deinterlace the video with ffmpeg's bwdif, one frame for each frame; extract does so by itself where it "
         "recognises interlaced footage");
    flag(app, "--strict", o->strict, "refuse a damaged video; without it, what can be decoded is used");
    number<std::int64_t>(app, "--max-pixels", o->max_pixels, 1, data::kMostPixels,
                         "refuse pictures and frames of more pixels, and picture files of more than 8 bytes for each");
    return [o] {
        return data::ReaderOptions{.deinterlace =
                                       o->deinterlace ? data::Deinterlace::always : data::Deinterlace::where_needed,
                                   .strict = o->strict,
                                   .max_pixels = o->max_pixels};
    };
}

std::function<data::VideoOptions()> video_options(CLI::App& app)
{
    struct Options {
        std::string codec = data::VideoOptions().codec, pixels = data::VideoOptions().pixels, fps_mode = "keep";
        int crf = data::VideoOptions().crf;
    };
    const auto o = std::make_shared<Options>();
    choice(app, "--codec", o->codec, {"x264", "x265", "prores", "ffv1"},
           "how a video is coded; prores goes into .mov and .mkv, ffv1 (lossless) into .mkv");
    choice(app, "--pix-fmt", o->pixels,
           {"auto", "yuv420p", "yuv422p", "yuv444p", "yuv420p10le", "yuv422p10le", "yuv444p10le"},
           "how a video stores pixels; auto keeps the input's chroma: 4:2:0, 4:2:2 or 4:4:4");
    number(app, "--crf", o->crf, 0, 51, "quality of x264 and x265, their CRF: 0 is lossless, lower is better");
    choice(app, "--fps-mode", o->fps_mode, {"keep", "cfr"},
           "times of a video's frames; keep: as in the input; cfr: a constant rate, with frames repeated or left out");
    return [o] {
        data::VideoOptions video;
        video.codec = o->codec;
        video.pixels = o->pixels;
        video.crf = o->crf;
        video.constant_rate = o->fps_mode == "cfr";
        return video;
    };
}

} // namespace bifrons::tools
