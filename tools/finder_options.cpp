#include "tools/finder_options.h"

#include "tools/options.h"

namespace bifrons::tools {

namespace {

struct Options {
    std::string detector = "hog", detector_model, faces = "track", landmarks;
    double min_score = 0.3;
    int threads = 0;
};

} // namespace

std::function<data::FinderOptions()> finder_options(CLI::App& app)
{
    const auto o = std::make_shared<Options>();
    choice(app, "--faces", o->faces, {"track", "largest", "all"},
           "track: follow one person, starting with the largest face; largest: per frame; all: every face");
    choice(app, "--detector", o->detector, {"hog", "yunet", "haar"}, "face detector; yunet needs --detector-model");
    text(app, "--detector-model", o->detector_model, "FILE",
         "model file of yunet (.onnx), or another cascade for haar (.xml)");
    number(app, "--min-score", o->min_score, -10.0, 100.0,
           "lowest score of a face (hog only); weaker detections are dropped and counted");
    text(app, "--landmarks", o->landmarks, "FILE",
         "dlib 68-point landmark model; default: that of Debian's libdlib-data");
    number(app, "--threads", o->threads, 0, 1024, "worker threads; 0 = all cores");
    return [o] {
        return data::FinderOptions{
            .detector = {.kind = data::detector_kind_of(o->detector), .model = o->detector_model},
            .min_score = o->min_score,
            .faces = data::faces_of(o->faces),
            .landmarks = o->landmarks,
            .threads = o->threads};
    };
}

} // namespace bifrons::tools
