#include "tools/finder_options.h"

#include "kernels/base/error.h"
#include "tools/options.h"

namespace bifrons::tools {

namespace {

struct Options {
    std::string detector = "auto", detector_model, faces = "track", landmarks = "auto", landmark_model, rotate = "auto";
    std::optional<double> min_score;
    int threads = 0;
};

data::DetectorKind detector_of(const Options& o, Console& console)
{
    if (o.detector != "auto") return data::detector_kind_of(o.detector);
    BIFRONS_CHECK(usage, o.detector_model.empty(), "--detector-model: expected --detector centerface, yunet or haar, ",
                  "whose file it is");
    const data::DetectorKind kind = data::default_detector();
    console.say(str("detector ", data::name_of(kind),
                    kind == data::DetectorKind::hog
                        ? "; `bifrons models get centerface` fetches the file of a better one"
                        : ", whose file is in the models folder"));
    return kind;
}

data::LandmarkKind landmarks_of(const Options& o, Console& console)
{
    if (o.landmarks != "auto") return data::landmark_kind_of(o.landmarks);
    BIFRONS_CHECK(usage, o.landmark_model.empty(),
                  "--landmark-model: expected --landmarks dlib or facemesh, whose file ", "it is");
    const data::LandmarkKind kind = data::default_landmarks();
    console.say(str("landmarks ", data::name_of(kind),
                    kind == data::LandmarkKind::dlib
                        ? "; `bifrons models get facemesh` fetches the file of steadier ones"
                        : ", whose file is in the models folder"));
    return kind;
}

std::string min_score_help()
{
    std::string defaults;
    for (const data::DetectorKind kind : data::kDetectorKinds)
        defaults += str(defaults.empty() ? "" : ", ", data::name_of(kind), " ", data::default_scores(kind).strong);
    return "lowest score of a face, in the detector's own scale (default " + defaults +
           "); weaker detections are dropped and counted";
}

void check_min_score(const std::optional<double>& score, data::DetectorKind kind)
{
    const double weak = data::default_scores(kind).weak;
    BIFRONS_CHECK(usage, !score || *score >= weak, "--min-score is ", *score, "; expected for ", data::name_of(kind),
                  " ", weak, " or more, as it reports nothing below");
}

} // namespace

std::function<data::FinderOptions(Console&)> finder_options(CLI::App& app)
{
    const auto o = std::make_shared<Options>();
    choice(app, "--faces", o->faces, {"track", "largest", "all"},
           "track: follow one person, starting with the largest face; largest: per frame; all: every face");
    choice(app, "--detector", o->detector, {"auto", "hog", "centerface", "yunet", "haar"},
           "face detector; auto: centerface or yunet where its model file is (`bifrons models`), else hog");
    text(app, "--detector-model", o->detector_model, "FILE",
         "model file of centerface or yunet (.onnx), or cascade of haar (.xml); default: from the models folder");
    number(app, "--min-score", o->min_score, -10.0, 100.0, min_score_help());
    choice(app, "--rotate", o->rotate, {"auto", "off"},
           "auto: where faces do not clearly stand upright, search the frame turned by 90, 180 and 270 degrees, too, "
           "which makes a "
           "frame without a face take up to four times as long; off: upright faces only");
    choice(
        app, "--landmarks", o->landmarks, {"auto", "dlib", "facemesh"},
        "what finds the 68 landmarks of a face: dlib's trees or MediaPipe's network, whose points are steadier; auto: "
        "facemesh where its model file is (`bifrons models`), else dlib");
    text(app, "--landmark-model", o->landmark_model, "FILE",
         "model file of dlib (default: that of Debian's libdlib-data) or facemesh (default: from the models folder)");
    number(app, "--threads", o->threads, 0, 1024, "worker threads; 0 = all cores");
    return [o](Console& console) {
        const data::DetectorKind kind = detector_of(*o, console);
        check_min_score(o->min_score, kind);
        return data::FinderOptions{.detector = {.kind = kind, .model = o->detector_model},
                                   .min_score = o->min_score,
                                   .faces = data::faces_of(o->faces),
                                   .landmarks = {.kind = landmarks_of(*o, console), .model = o->landmark_model},
                                   .rotate = o->rotate == "auto",
                                   .threads = o->threads};
    };
}

} // namespace bifrons::tools
