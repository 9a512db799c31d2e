// data/extract/detector.cpp - the detectors by name.
#include "data/extract/detector.h"

#include "kernels/base/error.h"

namespace bifrons::data {

const char* name_of(DetectorKind kind)
{
    return kind == DetectorKind::hog ? "hog" : kind == DetectorKind::yunet ? "yunet" : "haar";
}

DetectorKind detector_kind_of(const std::string& name)
{
    for (const DetectorKind kind : kDetectorKinds)
        if (name == name_of(kind)) return kind;
    throw Error(ErrorKind::usage, str("detector \"", name, "\" is unknown; expected hog, yunet or haar"));
}

ScoreRange default_scores(DetectorKind kind)
{
    switch (kind) {
    case DetectorKind::hog:
        return {-0.3, 0.3};
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

std::unique_ptr<Detector> make_detector(const DetectorOptions& options)
{
    switch (options.kind) {
    case DetectorKind::hog:
        return make_hog_detector();
    case DetectorKind::yunet:
        return make_yunet_detector(options.model);
    case DetectorKind::haar:
        return make_haar_detector(options.model);
    }
    throw Error(ErrorKind::bug, "make_detector: unknown kind");
}

} // namespace bifrons::data
