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
    for (const DetectorKind kind : {DetectorKind::hog, DetectorKind::yunet, DetectorKind::haar})
        if (name == name_of(kind)) return kind;
    throw Error(ErrorKind::usage, str("detector \"", name, "\" is unknown; expected hog, yunet or haar"));
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
