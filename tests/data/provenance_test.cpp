#include "data/provenance.h"

#include "data/image.h"
#include "kernels/base/error.h"
#if BIFRONS_HAS_MEDIA
#include "data/media/video.h"
#include "data/media/writer.h"
#endif
#include "tests/data/folder.h"

#include <array>
#include <cstdio>

namespace bifrons::data {
namespace {

using test::Folder;

const Provenance kMade = {.comment = "synthetic: a \"test\" & <more>", .tool = "Bifrons 0.0", .model = "12ab"};
constexpr const char* kType = "http://cv.iptc.org/newscodes/digitalsourcetype/compositeWithTrainedAlgorithmicMedia";

std::string bytes_of(const std::filesystem::path& path)
{
    const auto bytes = read_file(path);
    return {bytes.begin(), bytes.end()};
}

/// What a program prints; empty where there is no such program.
std::string printed(const std::string& command)
{
    std::string text;
    FILE* pipe = popen(str(command, " 2>/dev/null").c_str(), "r");
    std::array<char, 4096> part;
    while (const std::size_t n = std::fread(part.data(), 1, part.size(), pipe)) text.append(part.data(), n);
    pclose(pipe);
    return text;
}

TEST(Provenance, packet_names_the_source_type_tool_model_and_comment)
{
    const std::string packet = xmp_packet(kMade);
    EXPECT_NE(packet.find(str("Iptc4xmpExt:DigitalSourceType=\"", kType, "\"")), std::string::npos) << packet;
    EXPECT_NE(packet.find("xmp:CreatorTool=\"Bifrons 0.0\""), std::string::npos) << packet;
    EXPECT_NE(packet.find("bifrons:ModelSHA256=\"12ab\""), std::string::npos) << packet;
    EXPECT_NE(packet.find(">synthetic: a &quot;test&quot; &amp; &lt;more><"), std::string::npos) << packet;
    EXPECT_EQ(xmp_packet({}), "") << "nothing is said of a picture that is not synthetic";
    EXPECT_TRUE(metadata_tags({}).empty());
}

TEST(Provenance, pictures_carry_the_packet_where_readers_of_xmp_look)
{
    const Folder folder;
    Image image(8, 8, 3);
    const std::string packet = xmp_packet(kMade);
    save_image(folder / "a.png", image, {.made = kMade});
    save_image(folder / "a.jpg", image, {.made = kMade});
    using std::string_literals::operator""s;
    // PNG: iTXt, keyword, not compressed, no language. JPEG: an APP1 segment with its length and name, before the
    // image.
    EXPECT_NE(bytes_of(folder / "a.png").find(str("iTXtXML:com.adobe.xmp\0\0\0\0\0"s, packet)), std::string::npos);
    const std::string jpeg = bytes_of(folder / "a.jpg"), name = "http://ns.adobe.com/xap/1.0/\0"s;
    const std::size_t length = 2 + name.size() + packet.size();
    const std::string segment = str("\xFF\xE1", char(length >> 8), char(length & 0xFF), name, packet);
    EXPECT_LT(jpeg.find(segment), jpeg.find("\xFF\xC0"s));
    EXPECT_EQ(load_image(folder / "a.jpg").W, 8);
    save_image(folder / "b.png", image);
    EXPECT_EQ(bytes_of(folder / "b.png").find("xmp"), std::string::npos);
}

#if BIFRONS_HAS_MEDIA
TEST(Provenance, videos_say_it_as_far_as_their_containers_can)
{
    const Folder folder;
    for (const char* name : {"a.mp4", "a.mov", "a.mkv"}) {
        VideoWriter writer(folder / name, {.H = 32, .W = 32}, {.preset = "ultrafast", .made = kMade});
        for (int i = 0; i < 3; ++i) writer.write(Image(32, 32, 3));
        writer.finish();
        EXPECT_EQ(probe(folder / name).frames, 3) << name;
        const bool has_packet = bytes_of(folder / name).find(xmp_packet(kMade)) != std::string::npos;
        EXPECT_EQ(has_packet, name != std::string("a.mkv")) << name;
        const std::string tags =
            printed(str("ffprobe -v error -show_entries format_tags '", (folder / name).string(), "'"));
        EXPECT_NE(tags.find("synthetic: a"), std::string::npos) << name << tags;
        if (has_packet) continue;
        EXPECT_NE(tags.find(str("TAG:DIGITAL_SOURCE_TYPE=", kType)), std::string::npos) << tags;
        EXPECT_NE(tags.find("TAG:MODEL_SHA256=12ab"), std::string::npos) << tags;
    }
}
#endif

/// What people read such tags with.
TEST(Provenance, exiftool_shows_it)
{
    if (printed("exiftool -ver").empty()) GTEST_SKIP() << "exiftool is not installed";
    const Folder folder;
    save_image(folder / "a.png", Image(8, 8, 3), {.made = kMade});
    save_image(folder / "a.jpg", Image(8, 8, 3), {.made = kMade});
    std::vector<std::string> names = {"a.png", "a.jpg"};
#if BIFRONS_HAS_MEDIA
    for (const char* name : {"a.mp4", "a.mov"}) {
        VideoWriter writer(folder / name, {.H = 32, .W = 32}, {.preset = "ultrafast", .made = kMade});
        writer.write(Image(32, 32, 3));
        writer.finish();
        names.emplace_back(name);
    }
#endif
    for (const std::string& name : names) {
        const std::string tags = printed(str("exiftool -s -XMP:all '", (folder / name).string(), "'"));
        EXPECT_NE(tags.find(kType), std::string::npos) << name << tags;
        EXPECT_NE(tags.find("Bifrons 0.0"), std::string::npos) << name << tags;
        EXPECT_NE(tags.find("synthetic: a \"test\" & <more>"), std::string::npos) << name << tags;
        EXPECT_NE(tags.find("12ab"), std::string::npos) << name << tags;
    }
}

} // namespace
} // namespace bifrons::data
