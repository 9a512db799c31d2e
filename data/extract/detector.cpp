// data/extract/detector.cpp - the detectors by name.
#include "data/extract/detector.h"

#include "data/model_files.h"
#include "kernels/base/error.h"

namespace bifrons::data {

const char* name_of(DetectorKind kind)
{
    switch (kind) {
    case DetectorKind::hog:
        return "hog";
    case DetectorKind::centerface:
        return "centerface";
    case DetectorKind::yunet:
        return "yunet";
    case DetectorKind::haar:
        return "haar";
    }
    throw Error(ErrorKind::bug, "name_of: unknown detector");
}

DetectorKind detector_kind_of(const std::string& name)
{
    for (const DetectorKind kind : kDetectorKinds)
        if (name == name_of(kind)) return kind;
    throw Error(ErrorKind::usage, str("detector \"", name, "\" is unknown; expected hog, centerface, yunet or haar"));
}

ScoreRange default_scores(DetectorKind kind)
{
    switch (kind) {
    case DetectorKind::hog:
        return {-0.3, 0.3};
    case DetectorKind::centerface:
        return {0.2, 0.5};
    case DetectorKind::yunet:
        return {0.3, 0.6};
    case DetectorKind::haar:
        return {2, 4};
    }
    throw Error(ErrorKind::bug, "default_scores: unknown kind");
}

std::vector<Detection> first_strong(double strong, const std::vector<double>& scales,
                                    const std::function<std::vector<Detection>(double)>& search)
{
    std::vector<Detection> best;
    for (const double scale : scales) {
        std::vector<Detection> found = search(scale);
        if (best.empty() || (!found.empty() && found[0].score > best[0].score)) best = std::move(found);
        if (!best.empty() && best[0].score >= strong) break;
    }
    return best;
}

DetectorKind default_detector()
{
    if (!find_model_file(centerface_file()).empty()) return DetectorKind::centerface;
    if (!find_model_file(yunet_file()).empty()) return DetectorKind::yunet;
    return DetectorKind::hog;
}

namespace {

/// The file that was named, or the one in a models folder.
std::filesystem::path model_of(const DetectorOptions& options, const char* file)
{
    if (!options.model.empty()) return options.model;
    const std::filesystem::path found = find_model_file(file);
    BIFRONS_CHECK(usage, !found.empty(), "detector ", name_of(options.kind), ": its file ", file, " is not in ",
                  model_folders().front().string(),
                  "; `bifrons models` says how to get it. Or name it with --detector-model.");
    return found;
}

} // namespace

std::unique_ptr<Detector> make_detector(const DetectorOptions& options)
{
    switch (options.kind) {
    case DetectorKind::hog:
        BIFRONS_CHECK(usage, options.model.empty(), "detector hog takes no model file; ", options.model.string(),
                      " was given");
        return make_hog_detector();
    case DetectorKind::centerface:
        return make_centerface_detector(model_of(options, centerface_file()));
    case DetectorKind::yunet:
        return make_yunet_detector(model_of(options, yunet_file()));
    case DetectorKind::haar:
        return make_haar_detector(options.model);
    }
    throw Error(ErrorKind::bug, "make_detector: unknown kind");
}

} // namespace bifrons::data
