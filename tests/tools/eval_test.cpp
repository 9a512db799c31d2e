// `bifrons eval`: figures that follow from the files it was given, and, on real clips, descriptors that tell people
// apart and a jitter that is known.
#include "data/face_chip.h"
#include "data/hull.h"
#include "data/merge/merge.h"
#include "data/quality.h"
#include "data/warp.h"
#include "engine/checkpoint.h"
#include "model/identity.h"
#include "model/predictor.h"
#include "model/trained.h"
#include "tests/data/folder.h"
#include "tests/tools/made_inputs.h"
#include "tests/tools/run_program.h"
#if BIFRONS_HAS_MEDIA
#include "data/extract/extract.h"
#endif

#include <map>

using namespace bifrons;
using namespace bifrons::test;
namespace fs = std::filesystem;
using model::IdentityNetwork;

namespace {

Result eval(const Folder& folder, std::vector<std::string> more, bool json = true)
{
    std::vector<std::string> words = {"eval",  "--model",      folder / "model", "--src", folder / "src",
                                      "--dst", folder / "dst", "--device",       "cpu"};
    if (json) words.push_back("--json");
    words.insert(words.end(), more.begin(), more.end());
    return bifrons_run(words);
}

class EvalCommand : public ::testing::Test {
  protected:
    void SetUp() override
    {
        make_faceset(folder_ / "src", 20);
        make_faceset(folder_ / "dst", 90);
        make_model(folder_ / "model", 0.25);
    }
    const Folder folder_;
};

/// Mean PSNR inside the hull of faces 4, 5 and 6, which a quarter of twelve leaves out, by the shortest way.
double psnr_of_held_out(const fs::path& model_folder, const fs::path& faceset, model::Predictor::Identity identity)
{
    const auto device = kernels::open_device("cpu");
    const model::TrainedModel model(*device, *load_latest_checkpoint(model_folder, [](const std::string&) {}));
    model::Predictor predictor(*device, model.network(), 3, identity, model.precision());
    const data::FaceArrays faces = data::load_faces(data::load_faceset(faceset), {4, 5, 6}, data::FaceType::full, 32);
    std::vector<float> pictures;
    for (const std::uint8_t v : faces.images) pictures.push_back(float(v) / 255);
    const std::vector<float> made = predictor(pictures).face;
    double mean = 0;
    for (std::size_t n = 0; n < 3; ++n) {
        double sum = 0, weight = 0;
        for (std::size_t i = n * 32 * 32 * 3; i < (n + 1) * 32 * 32 * 3; ++i) {
            const double m = faces.masks[i / 3] / 255.0;
            sum += m * std::pow(m * (double(made[i]) - double(pictures[i])), 2);
            weight += m;
        }
        mean -= 10 * std::log10(sum / weight) / 3;
    }
    return mean;
}

TEST_F(EvalCommand, compares_held_out_faces_with_their_own_reconstructions)
{
    const Result r = eval(folder_, {});
    ASSERT_EQ(r.code, 0) << r.out << r.err;
    const nlohmann::json j = r.json();
    EXPECT_EQ(j["faces"]["src"], 3);
    EXPECT_EQ(j["faces"]["dst"], 3);
    EXPECT_EQ(j["held_out"], true);
    EXPECT_EQ(j["step"], 0);
    const double src = psnr_of_held_out(folder_ / "model", folder_ / "src", model::Predictor::Identity::src),
                 dst = psnr_of_held_out(folder_ / "model", folder_ / "dst", model::Predictor::Identity::dst);
    EXPECT_NEAR(j["src"]["psnr"], src, 1e-4);
    EXPECT_NEAR(j["dst"]["psnr"], dst, 1e-4);
    EXPECT_GT(std::abs(src - dst), 0.01);
    for (const char* identity : {"src", "dst"}) {
        EXPECT_GT(j[identity]["ssim"], -1);
        EXPECT_LT(j[identity]["ssim"], 1);
        EXPECT_GT(j[identity]["sharpness"], 0);
        EXPECT_NE(j[identity]["sharpness"], 1);
    }
    EXPECT_FALSE(j.contains("self_swap"));
    for (const char* absent : {"identity", "lpips", "jitter", "self_swap", "in_frame"})
        EXPECT_TRUE(j["not_measured"].contains(absent));
}

TEST_F(EvalCommand, the_table_names_what_was_not_measured_and_why)
{
    const Result r = eval(folder_, {"--self-swap", "--identity", folder_ / "absent.safetensors"}, false);
    ASSERT_EQ(r.code, 0) << r.out << r.err;
    for (const char* part : {"at step 0, 3 source and 3 destination faces", "PSNR dB", "SSIM", "source, reconstructed",
                             "destination, reconstructed", "self-swap", "not measured\n",
                             "absent.safetensors: does not exist; expected dlib's face-recognition network",
                             "--lpips FILE was not given: SqueezeNet", "    jitter: "})
        EXPECT_NE(r.out.find(part), std::string::npos) << part << r.out;
    EXPECT_EQ(r.out.find("identity of"), std::string::npos) << r.out;
}

TEST_F(EvalCommand, a_swap_of_alike_decoders_and_faces_is_close_to_what_was_there)
{
    // Nothing is trained: the pasted face is grey, but takes the frame's colours; the picture around it is untouched.
    const nlohmann::json j = eval(folder_, {"--self-swap", "--samples", "2"}).json();
    EXPECT_EQ(j["faces"]["dst"], 2);
    EXPECT_GT(j["self_swap"]["psnr"], 5);
    EXPECT_LT(j["self_swap"]["psnr"], 60);
    EXPECT_LT(j["self_swap"]["ssim"], 0.999);
}

TEST_F(EvalCommand, leaves_out_faces_whose_hull_is_not_in_the_picture_and_names_them)
{
    data::Faceset set = data::load_faceset(folder_ / "dst");
    const auto moved = [](data::FaceRecord& face, double right) {
        face.matrix.m[2] += right;
        face.in_face = face.matrix(face.in_frame);
    };
    moved(set.faces[4], 1000);
    moved(set.faces[6], -1000);
    data::save_faceset(set);
    const Result r = eval(folder_, {"--self-swap"});
    ASSERT_EQ(r.code, 0) << r.out << r.err;
    const nlohmann::json j = r.json();
    EXPECT_EQ(j["faces"]["dst"], 1);
    EXPECT_EQ(j["left_out"]["dst"], (std::vector<std::string>{"images/clip_4_0.png", "images/clip_6_0.png"}));
    EXPECT_TRUE(j["left_out"]["src"].empty());
    EXPECT_TRUE(j["dst"]["psnr"].is_number());
    EXPECT_TRUE(j["self_swap"]["psnr"].is_number());
    const Result table = eval(folder_, {}, false);
    EXPECT_NE(table.out.find("left out: the hull lies outside the picture, or the picture is damaged\n"),
              std::string::npos)
        << table.out;
    EXPECT_NE(table.out.find("dst, 2: images/clip_4_0.png images/clip_6_0.png\n"), std::string::npos) << table.out;
    EXPECT_EQ(eval(folder_, {"--samples", "1"}).code, 0) << "face 6, in the middle of all, is not asked for";
    for (data::FaceRecord& face : set.faces) moved(face, 5000);
    data::save_faceset(set);
    const Result none = eval(folder_, {}, false);
    EXPECT_EQ(none.code, 3);
    EXPECT_NE(none.err.find("dst: of 3 selected faces none lies within a picture that can be read"), std::string::npos)
        << none.err;
}

TEST_F(EvalCommand, leaves_out_damaged_pictures_and_names_them)
{
    write_text(folder_ / "dst/images/clip_5_0.png", "damaged");
    const nlohmann::json j = eval(folder_, {"--self-swap"}).json();
    EXPECT_EQ(j["faces"]["dst"], 2);
    EXPECT_EQ(j["left_out"]["dst"], (std::vector<std::string>{"images/clip_5_0.png"}));
    EXPECT_TRUE(j["self_swap"]["psnr"].is_number());
}

TEST_F(EvalCommand, says_so_where_nothing_was_held_out)
{
    make_model(folder_ / "model", 0);
    const Result r = eval(folder_, {"--samples", "5"});
    ASSERT_EQ(r.code, 0) << r.out;
    EXPECT_EQ(r.json()["held_out"], false);
    EXPECT_EQ(r.json()["faces"]["src"], 5);
    EXPECT_NE(r.out.find("the figures flatter the model"), std::string::npos) << r.out;
}

TEST_F(EvalCommand, refuses_what_it_cannot_use)
{
    const auto refused = [&](const std::vector<std::string>& more, int code, const std::string& part) {
        const Result r = eval(folder_, more, false);
        EXPECT_EQ(r.code, code) << r.out << r.err;
        EXPECT_NE(r.err.find(part), std::string::npos) << r.err;
    };
    const std::string checkpoint = folder_ / "model/step-000000000.safetensors";
    refused({"--identity", checkpoint}, 3, "step-000000000.safetensors: has no tensor \"conv32_down.conv.filters\"");
    write_text(folder_ / "torn.safetensors", "torn");
    refused({"--identity", folder_ / "torn.safetensors"}, 3, "torn.safetensors: ");
    refused({"--lpips", checkpoint}, 3, "step-000000000.safetensors");
    refused({"--samples", "0"}, 2, "is 0; expected a number in 1..1000");
#if BIFRONS_HAS_MEDIA
    refused({"--merged", "m.mp4"}, 2, "--input is missing");
    refused({"--input", "m.mp4"}, 2, "--merged is missing");
#endif
    fs::remove_all(folder_ / "dst");
    refused({}, 3, "dst");
}

#if BIFRONS_HAS_MEDIA

/// Gives a faceset of made_inputs.h frames that it could have been cut out of, of 100 x 90 px.
void make_frames(const fs::path& faceset, const fs::path& frames)
{
    fs::create_directories(frames);
    data::Faceset set = data::load_faceset(faceset);
    set.sources[0].path = frames.filename().string();
    data::save_faceset(set);
    for (std::size_t n = 0; n < set.faces.size(); ++n) {
        data::Image frame(90, 100, 3);
        for (std::size_t i = 0; i < frame.pixels.size(); ++i)
            frame.pixels[i] = std::uint8_t(20 + i / 300 + (i * (n + 3)) % 29);
        data::save_image(frames / str(n, ".png"), frame);
    }
}

/// Mean PSNR inside the hull of faces 4, 5 and 6 pasted into their frames, by the shortest way.
double psnr_in_frame(const fs::path& model_folder, const fs::path& faceset, model::Predictor::Identity identity)
{
    const auto device = kernels::open_device("cpu");
    const model::TrainedModel model(*device, *load_latest_checkpoint(model_folder, [](const std::string&) {}));
    model::Predictor predictor(*device, model.network(), 1, identity, model.precision());
    data::Merger merger({});
    const data::Faceset set = data::load_faceset(faceset);
    double mean = 0;
    for (const std::size_t n : {4, 5, 6}) {
        const data::Image frame = data::load_image(faceset.parent_path() / set.sources[0].path / str(n, ".png"));
        const data::Landmarks& points = set.faces[n].in_frame;
        const data::Affine crop = data::face_from_frame(points, data::FaceType::full, 32);
        const auto made = predictor(data::to_float(data::warp(frame, crop, 32, 32)).pixels);
        data::PredictedFace face{.face_from_frame = crop, .in_frame = points, .face = {32, 32, 3}, .mask = {32, 32, 1}};
        face.face.pixels = made.face, face.mask.pixels = made.mask;
        data::Image pasted = frame;
        merger.merge(pasted, face);
        const data::ImageF hull = data::to_float(data::hull_mask(points, frame.H, frame.W));
        data::ImageF inside = data::to_float(frame); // outside of the hull nothing differs
        for (std::size_t i = 0; i < inside.pixels.size(); ++i)
            inside.pixels[i] += hull.pixels[i / 3] * (float(pasted.pixels[i]) / 255 - inside.pixels[i]);
        mean += data::psnr(inside, data::to_float(frame), hull) / 3;
    }
    return mean;
}

TEST_F(EvalCommand, pastes_held_out_faces_into_their_frames)
{
    make_frames(folder_ / "src", folder_ / "src-frames");
    make_frames(folder_ / "dst", folder_ / "dst-frames");
    const Result r = eval(folder_, {});
    ASSERT_EQ(r.code, 0) << r.out << r.err;
    const nlohmann::json j = r.json()["in_frame"];
    const double src = psnr_in_frame(folder_ / "model", folder_ / "src", model::Predictor::Identity::src),
                 dst = psnr_in_frame(folder_ / "model", folder_ / "dst", model::Predictor::Identity::dst);
    EXPECT_NEAR(j["src"]["psnr"], src, 1e-4);
    EXPECT_NEAR(j["dst"]["psnr"], dst, 1e-4);
    EXPECT_GT(j["swap"]["sharpness"], 0);
    EXPECT_FALSE(r.json()["not_measured"].contains("in_frame"));
    fs::remove(folder_ / "dst-frames/9.png");
    fs::remove(folder_ / "dst-frames/8.png");
    EXPECT_EQ(eval(folder_, {}).code, 0) << "frames behind the last one that is asked for";
    for (const int n : {0, 1, 2, 3}) fs::remove(folder_ / str("dst-frames/", n, ".png"));
    const Result short_of_frames = eval(folder_, {}, false);
    EXPECT_EQ(short_of_frames.code, 3);
    EXPECT_NE(short_of_frames.err.find("has 6 frames, but"), std::string::npos) << short_of_frames.err;
}

fs::path network_file()
{
    return assets() / "models/face_identity_resnet34.safetensors";
}
fs::path lpips_file()
{
    return assets() / "backbones/lpips_squeeze.safetensors";
}
fs::path clip(const std::string& name)
{
    return assets() / "faces/grid" / (name + ".mpg");
}

/// Every `step`-th frame of a clip.
std::vector<data::Frame> frames_of(const std::string& name, std::int64_t step)
{
    const auto source = data::open_frames(clip(name));
    std::vector<data::Frame> frames;
    for (data::Frame frame; source->next(frame);)
        if (frame.index % step == 0) frames.push_back(frame);
    return frames;
}

using Descriptors = std::vector<IdentityNetwork::Descriptor>;

Descriptors describe(IdentityNetwork& network, const std::string& name)
{
    const std::vector<data::Frame> frames = frames_of(name, 25);
    data::FaceFinder finder(data::FinderOptions{});
    std::vector<float> chips;
    const auto found = finder.find(frames);
    for (std::size_t i = 0; i < frames.size(); ++i) {
        EXPECT_EQ(found[i].faces.size(), 1u) << name << " " << i;
        const data::ImageF chip = data::to_float(data::face_chip(frames[i].image, found[i].faces.at(0).points));
        chips.insert(chips.end(), chip.pixels.begin(), chip.pixels.end());
    }
    return network(chips);
}

struct Spread {
    double least = 1e9, mean = 0, most = 0;
};
Spread spread(const Descriptors& a, const Descriptors& b)
{
    Spread s;
    for (const auto& x : a)
        for (const auto& y : b) {
            const double d = model::distance(x, y);
            s.least = std::min(s.least, d);
            s.most = std::max(s.most, d);
            s.mean += d / double(a.size() * b.size());
        }
    return s;
}

TEST(IdentityOfPeople, distances_are_those_measured_with_another_engine)
{
    BIFRONS_NEEDS_ASSET(network_file());
    BIFRONS_NEEDS_ASSET(clip("brbk7n"));
    const auto device = kernels::open_device("cpu");
    IdentityNetwork network(*device, SafetensorsFile(network_file()));
    std::map<std::string, Descriptors> people;
    for (const char* name : {"pwij3p", "swwp2s", "sbia1a", "brbk7n"}) people[name] = describe(network, name);
    // The assets' SOURCES.md, over all frames: one man in two clips 0.265 mean, 0.341 most; others 0.647 least.
    const Spread same = spread(people["pwij3p"], people["swwp2s"]);
    EXPECT_NEAR(same.mean, 0.265, 0.03);
    EXPECT_LE(same.most, 0.36);
    double least = 1e9;
    for (const auto& [a, b] : {std::pair{"pwij3p", "sbia1a"},
                               {"pwij3p", "brbk7n"},
                               {"swwp2s", "sbia1a"},
                               {"swwp2s", "brbk7n"},
                               {"sbia1a", "brbk7n"}})
        least = std::min(least, spread(people[a], people[b]).least);
    EXPECT_GE(least, 0.62);
}

/// The first frames of a clip as a folder of pictures; `change` may alter them.
void write_frames(const fs::path& folder, const std::string& name, int count,
                  const std::function<void(int, data::Image&)>& change = {})
{
    fs::create_directory(folder);
    const auto source = data::open_frames(clip(name));
    data::Frame frame;
    for (int i = 0; i < count && source->next(frame); ++i) {
        if (change) change(i, frame.image);
        data::save_image(folder / str(i, ".png"), frame.image);
    }
}

TEST(EvalOnClips, identities_looks_and_jitter)
{
    BIFRONS_NEEDS_ASSET(network_file());
    BIFRONS_NEEDS_ASSET(lpips_file());
    BIFRONS_NEEDS_ASSET(clip("sbia1a"));
    const Folder folder;
    make_model(folder / "model", 0.5);
    for (const auto& [name, set] : {std::pair{"pwij3p", "src"}, {"sbia1a", "dst"}}) {
        write_frames(folder / name, name, 5);
        data::extract({folder / name}, folder / set, {});
    }
    // Twelve levels up and down again, where there is room: a second difference of 24.
    write_frames(folder / "merged", "sbia1a", 5, [](int i, data::Image& image) {
        for (std::uint8_t& v : image.pixels) v = std::uint8_t(v / 2 + (i % 2 ? 12 : 0));
    });
    write_frames(folder / "halved", "sbia1a", 5, [](int, data::Image& image) {
        for (std::uint8_t& v : image.pixels) v = std::uint8_t(v / 2);
    });
    const Result r = eval(folder, {"--identity", network_file(), "--lpips", lpips_file(), "--self-swap", "--input",
                                   folder / "halved", "--merged", folder / "merged"});
    ASSERT_EQ(r.code, 0) << r.out << r.err;
    const nlohmann::json j = r.json(), identity = j["identity"];
    EXPECT_TRUE(j["not_measured"].empty()) << j["not_measured"];
    for (const char* part : {"src", "dst", "self_swap"}) {
        EXPECT_GT(j[part]["lpips"], 0.01) << part;
        EXPECT_LT(j[part]["lpips"], 1) << part;
    }
    EXPECT_LT(identity["src"]["to_src"], 0.3);
    EXPECT_GT(identity["src"]["to_dst"], 0.6);
    EXPECT_LT(identity["dst"]["to_dst"], 0.3);
    EXPECT_GT(identity["dst"]["to_src"], 0.6);
    EXPECT_GT(identity["swap"]["to_src"], 0.4) << "an untrained model makes nobody's face";
    const double before = j["jitter"]["colour"]["input"], after = j["jitter"]["colour"]["merged"];
    EXPECT_NEAR(after, 24, before + 1e-9) << "changes of the footage itself add up at most";
    EXPECT_LT(before, 3);
    EXPECT_GT(j["jitter"]["landmarks"]["input"], 0);
    EXPECT_LT(j["jitter"]["landmarks"]["input"], 0.1);

    write_frames(folder / "short", "sbia1a", 4);
    const Result cut = eval(folder, {"--input", folder / "halved", "--merged", folder / "short"});
    EXPECT_EQ(cut.code, 3);
    EXPECT_NE(cut.out.find("expected the output of `bifrons merge`"), std::string::npos) << cut.out;
}

#endif

} // namespace
