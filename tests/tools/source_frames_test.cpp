// The frames that faces were cut out of, where these are pictures.
#include "tools/source_frames.h"

#include "tests/data/folder.h"

using namespace bifrons;
using namespace bifrons::test;
namespace fs = std::filesystem;

namespace {

data::Image grey(std::uint8_t level)
{
    data::Image image(4, 6, 3);
    std::fill(image.pixels.begin(), image.pixels.end(), level);
    return image;
}

TEST(SourceFrames, pictures_are_found_by_name)
{
    const Folder folder;
    std::filesystem::create_directory(folder / "in");
    for (const int level : {1, 2, 3}) data::save_image(folder / "in" / str(level, ".png"), grey(std::uint8_t(level)));
    data::Faceset set = {.folder = folder / "faces"};
    set.sources.push_back({.path = "in", .pictures = {"3.png", "gone.png", "1.png"}});
    set.sources.push_back({.path = "2.png", .pictures = {"2.png"}});
    set.faces = {
        {.source = 0, .frame = 2}, {.source = 1, .frame = 0}, {.source = 0, .frame = 0}, {.source = 0, .frame = 1}};
    fs::rename(folder / "in" / "2.png", folder / "2.png");
    const tools::SourceFrames beside;
    EXPECT_EQ(beside.missing(set, {0, 1, 2}), "");
    EXPECT_EQ(beside.missing(set, {0, 3}), (folder / "in" / "gone.png").string());
    EXPECT_NE(tools::SourceFrames({folder / "none"}).missing(set, {1}), "");
    set.folder = "/elsewhere/faces";
    EXPECT_EQ(tools::SourceFrames({folder.path()}).missing(set, {0, 1, 2}), "");
    set.folder = folder / "faces";

    std::vector<int> levels(3);
    beside(set, {0, 1, 2}, [&](std::size_t position, const data::Image& frame) { levels[position] = frame.pixels[0]; });
    EXPECT_EQ(levels, (std::vector<int>{1, 2, 3}));
}

} // namespace
