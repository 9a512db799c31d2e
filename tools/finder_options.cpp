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
           "track: the largest, then whom it overlaps; largest of each frame; or all");
    choice(app, "--detector", o->detector, {"hog", "yunet", "haar"}, "hog is dlib's; yunet needs its model file");
    text(app, "--detector-model", o->detector_model, "FILE", "yunet's .onnx file, or another cascade for haar");
    number(app, "--min-score", o->min_score, -10.0, 100.0, "hog: weaker detections are dropped and counted");
    text(app, "--landmarks", o->landmarks, "FILE", "dlib's 68-point predictor; default: Debian's libdlib-data");
    number(app, "--threads", o->threads, 0, 1024, "that look for faces; 0: all of the machine's");
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
