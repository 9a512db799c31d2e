#include "tools/merge_output.h"

#include "kernels/base/utf8.h"
#include "tools/console.h"

#include <algorithm>
#include <filesystem>

namespace bifrons::tools {

namespace {

namespace fs = std::filesystem;

template <class T>
data::Picture<T> beside(const data::Picture<T>& left, const data::Picture<T>& right)
{
    data::Picture<T> out(left.H, left.W + right.W, 3);
    for (std::int64_t y = 0; y < left.H; ++y) {
        std::copy_n(left.at(y, 0), 3 * left.W, out.at(y, 0));
        std::copy_n(right.at(y, 0), 3 * right.W, out.at(y, left.W));
    }
    return out;
}

/// The frame becomes what is written of it.
template <class T>
void compose(const std::string& kind, data::Picture<T>& frame, const std::vector<data::Layer>& layers)
{
    if (kind == "mask") {
        frame = data::weights_of<T>(layers, frame.H, frame.W);
        return;
    }
    if (kind == "layer") {
        frame = data::flattened<T>(layers, frame.H, frame.W);
        return;
    }
    const data::Picture<T> original = kind == "side-by-side" ? frame : data::Picture<T>();
    for (const data::Layer& layer : layers) data::lay_over(layer, frame);
    if (kind == "side-by-side") frame = beside(original, frame);
}

/// A video, or pictures.
class FramesOutput : public MergeOutput {
  public:
    FramesOutput(const std::string& kind, const std::string& path, const data::SinkOptions& options, int threads)
        : kind_(kind), threads_(threads), sink_(data::create_frames(path, options))
    {
    }
    void take(std::vector<data::Frame>& frames, const std::vector<Drawn>& drawn) override
    {
        data::for_each_on_threads(std::int64_t(frames.size()), threads_, [&](std::int64_t i, int) {
            data::Frame& frame = frames[std::size_t(i)];
            if (kind_ != "swapped") frame.extras = {}; // of the input's picture alone
            const std::vector<data::Layer>& layers = drawn[std::size_t(i)].layers;
            if (frame.deep.pixels.empty()) return compose(kind_, frame.image, layers);
            compose(kind_, frame.deep, layers);
        });
        for (const data::Frame& frame : frames) sink_->write(frame);
    }
    Written finish() override
    {
        data::Carried carried = sink_->finish();
        return {sink_->description(), std::move(carried)};
    }

  private:
    const std::string kind_;
    const int threads_;
    std::unique_ptr<data::FrameSink> sink_;
};

data::Image with_alpha(const data::PredictedFace& face)
{
    const data::Image colour = data::to_bytes(face.face), mask = data::to_bytes(face.mask);
    data::Image out(colour.H, colour.W, 4);
    for (std::size_t i = 0; i < mask.pixels.size(); ++i) {
        std::copy_n(&colour.pixels[3 * i], 3, &out.pixels[4 * i]);
        out.pixels[4 * i + 3] = mask.pixels[i];
    }
    return out;
}

class FacesOutput : public MergeOutput {
  public:
    FacesOutput(const std::string& folder, const data::VideoOptions& options, const MergePlan& plan, int threads)
        : folder_(folder), save_{.existing = options.existing, .made = options.made}, plan_(plan), threads_(threads)
    {
        std::error_code error;
        fs::create_directory(folder_, error);
        BIFRONS_CHECK(data, fs::is_directory(folder_), folder, ": is not a folder and cannot be created (",
                      error.message(), ")");
    }
    void take(std::vector<data::Frame>& frames, const std::vector<Drawn>& drawn) override
    {
        std::vector<std::pair<std::string, const data::PredictedFace*>> pictures;
        for (std::size_t n = 0; n < frames.size(); ++n)
            for (std::size_t k = 0; k < drawn[n].faces.size(); ++k) {
                const data::PredictedFace& face = drawn[n].faces[k];
                const std::string file = str(frames[n].name, "_", k, ".png");
                const data::Affine matrix = data::frame_from_face(face, plan_.at(face.frame).options);
                list_.push_back({{"file", to_utf8(file)},
                                 {"frame", face.frame},
                                 {"name", to_utf8(frames[n].name)},
                                 {"frame_from_face", matrix.m}});
                pictures.emplace_back(file, &face);
            }
        data::for_each_on_threads(std::int64_t(pictures.size()), threads_, [&](std::int64_t i, int) {
            const auto& [file, face] = pictures[std::size_t(i)];
            data::save_image(folder_ / file, with_alpha(*face), save_);
        });
    }
    Written finish() override
    {
        data::write_file(folder_ / "faces.json", list_.dump(1) + "\n", save_.existing);
        return {};
    }

  private:
    const fs::path folder_;
    const data::SaveOptions save_;
    const MergePlan& plan_;
    const int threads_;
    Json list_ = Json::array();
};

} // namespace

const std::vector<std::string>& merge_outputs()
{
    static const std::vector<std::string> words = {"swapped", "side-by-side", "mask", "layer", "face"};
    return words;
}

data::VideoFormat output_format(const std::string& kind, data::VideoFormat frames)
{
    if (kind == "side-by-side") frames.W *= 2;
    frames.alpha = kind == "layer";
    return frames;
}

std::unique_ptr<MergeOutput> open_merge_output(const std::string& kind, const std::string& path,
                                               const data::SinkOptions& sink, const MergePlan& plan, int threads)
{
    if (threads == 0) threads = data::machine_threads();
    if (kind == "face") return std::make_unique<FacesOutput>(path, sink.video, plan, threads);
    return std::make_unique<FramesOutput>(kind, path, sink, threads);
}

} // namespace bifrons::tools
