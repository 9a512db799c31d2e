#include "tools/footage_jitter.h"

#include "kernels/base/error.h"

namespace bifrons::tools {

namespace {

constexpr std::size_t kBlock = 16; // frames in work together

/// One of the two videos, read side by side.
struct Footage {
    Footage(const std::string& path, const data::FinderOptions& options)
        : source(data::open_frames(path)), finder(options)
    {
    }

    /// The next frames, and where their first face is.
    void read()
    {
        frames.clear();
        for (data::Frame frame; frames.size() < kBlock && source->next(frame);) frames.push_back(std::move(frame));
        faces.clear();
        for (const data::FaceFinder::Found& found : finder.find(frames))
            faces.push_back(found.faces.empty() ? std::nullopt : std::optional(found.faces[0].points));
        landmarks.insert(landmarks.end(), faces.begin(), faces.end());
    }

    /// Colours of these frames under the faces of others.
    void take_colours(const std::vector<std::optional<data::Landmarks>>& under)
    {
        for (std::size_t i = 0; i < frames.size(); ++i)
            colours.push_back(under[i] ? data::face_colour(frames[i].image, *under[i]) : std::nullopt);
    }

    Jitter jitter() const { return {data::landmark_jitter(landmarks), data::colour_jitter(colours)}; }

    std::unique_ptr<data::FrameSource> source;
    data::FaceFinder finder;
    std::vector<data::Frame> frames;                       ///< of the block
    std::vector<std::optional<data::Landmarks>> faces;     ///< of the block
    std::vector<std::optional<data::Landmarks>> landmarks; ///< of all
    std::vector<std::optional<data::Colour>> colours;
};

} // namespace

FootageJitter footage_jitter(const std::string& input, const std::string& merged, const data::FinderOptions& finder,
                             const std::function<void()>& tick)
{
    Footage before(input, finder), after(merged, finder);
    for (;;) {
        before.read();
        after.read();
        BIFRONS_CHECK(data, before.frames.size() == after.frames.size(), merged, ": has ", after.landmarks.size(),
                      " frames or more, ", input, " ", before.landmarks.size(),
                      "; expected the output of `bifrons merge` for this footage");
        if (before.frames.empty()) break;
        for (std::size_t i = 0; i < before.frames.size(); ++i) {
            const data::Image &a = before.frames[i].image, &b = after.frames[i].image;
            BIFRONS_CHECK(data, a.W == b.W && a.H == b.H, merged, ": frames of ", b.W, "x", b.H, ", ", input, " of ",
                          a.W, "x", a.H, "; expected the same size");
            tick();
        }
        before.take_colours(before.faces);
        after.take_colours(before.faces);
    }
    return {.frames = std::int64_t(before.landmarks.size()), .input = before.jitter(), .merged = after.jitter()};
}

} // namespace bifrons::tools
