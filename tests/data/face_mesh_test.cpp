// MediaPipe's network: against plain loops in double on weights of its own, and with its real file, which is not part
// of the project, against what TensorFlow Lite answers; and the 68 points that are made of its 468.
#include "data/extract/face_mesh.h"

#include "data/extract/extract.h"
#include "data/extract/plausible.h"
#include "data/jitter.h"
#include "data/warp.h"
#include "tests/data/faces.h"
#include "tests/data/folder.h"
#include "tests/support/numerics.h"

#include <cmath>
#include <map>
#include <random>

namespace bifrons::data {
namespace {

namespace fs = std::filesystem;
using test::Folder;

fs::path real_file()
{
    return test::assets() / "models" / face_mesh_file();
}

/// A file of random weights whose layers keep the size of what passes.
struct RandomNetwork {
    std::map<std::string, std::vector<float>> values;
    std::map<std::string, std::vector<std::int64_t>> shapes;

    void add(const std::string& name, const std::vector<std::int64_t>& shape, double low, double high)
    {
        std::int64_t size = 1;
        for (const std::int64_t side : shape) size *= side;
        values[name] = test::random_values(size, std::uint32_t(values.size() + 1), low, high);
        shapes[name] = shape;
    }
    void conv(const std::string& name, const std::vector<std::int64_t>& shape, std::int64_t K)
    {
        const double reach = std::sqrt(3.0 / double(shape[1] * shape[2] * (name[0] == 'd' ? 1 : shape[3])));
        add(name + "/Kernel", shape, -reach, reach);
        add(name + "/Bias", {K}, -0.1, 0.1);
    }
    void block(int depthwise, int pointwise, int slope, std::int64_t C, std::int64_t K)
    {
        conv(name("depthwise_conv2d", depthwise), {1, 3, 3, C}, C);
        conv(name("conv2d", pointwise), {K, 1, 1, C}, K);
        add(name("p_re_lu", slope) + "/Alpha", {1, 1, K}, -0.5, 0.5);
    }
    static std::string name(const char* layer, int number) { return number > 0 ? str(layer, "_", number) : layer; }

    RandomNetwork()
    {
        conv("conv2d", {16, 3, 3, 3}, 16);
        add("p_re_lu/Alpha", {1, 1, 16}, -0.5, 0.5);
        constexpr std::array<int, 18> kIn = {16,  16,  16,  32,  32,  32,  64,  64, 64,
                                             128, 128, 128, 128, 128, 128, 128, 128},
                                      kOut = {16,  16,  32,  32,  32,  64,  64,  64, 128,
                                              128, 128, 128, 128, 128, 128, 128, 128};
        for (int i = 0; i < 17; ++i) block(i, i + 1, i + 1, kIn[std::size_t(i)], kOut[std::size_t(i)]);
        conv("conv2d_18", {32, 1, 1, 128}, 32);
        add("p_re_lu_18/Alpha", {1, 1, 32}, -0.5, 0.5);
        block(17, 19, 19, 32, 32);
        conv("conv2d_20", {1404, 3, 3, 32}, 1404);
        block(22, 27, 25, 128, 128);
        conv("conv2d_28", {32, 1, 1, 128}, 32);
        add("p_re_lu_26/Alpha", {1, 1, 32}, -0.5, 0.5);
        block(23, 29, 27, 32, 32);
        conv("conv2d_30", {1, 3, 3, 32}, 1);
    }
    void write(const fs::path& path) const
    {
        std::vector<NamedTensor> tensors;
        for (const auto& [name, v] : values) tensors.push_back({name, DType::f32, shapes.at(name), v.data()});
        write_safetensors(path.string(), tensors, {});
    }
};

/// One picture of the slow network: [side,side,C], zero outside.
struct Map {
    std::int64_t side, C;
    std::vector<double> v;
    Map(std::int64_t s, std::int64_t c) : side(s), C(c), v(std::size_t(s * s * c)) {}
    double& at(std::int64_t y, std::int64_t x, std::int64_t c) { return v[std::size_t((y * side + x) * C + c)]; }
    double get(std::int64_t y, std::int64_t x, std::int64_t c) const
    {
        const bool inside = y >= 0 && x >= 0 && y < side && x < side && c < C;
        return inside ? v[std::size_t((y * side + x) * C + c)] : 0;
    }
};

/// TensorFlow's layers as its documentation defines them, by name.
struct SlowNetwork {
    const RandomNetwork& net;

    /// "same" padding with 3x3 windows: one row more below where a side is halved.
    Map conv(const std::string& name, const Map& x, std::int64_t stride, bool same) const
    {
        const auto &w = net.values.at(name + "/Kernel"), &bias = net.values.at(name + "/Bias");
        const auto& shape = net.shapes.at(name + "/Kernel");
        const bool depthwise = name[0] == 'd';
        const std::int64_t R = shape[1], K = depthwise ? shape[3] : shape[0], C = shape[3];
        const std::int64_t side = same ? x.side / stride : (x.side - R) / stride + 1;
        const std::int64_t before = same ? ((side - 1) * stride + R - x.side) / 2 : 0;
        Map y(side, K);
        for (std::int64_t p = 0; p < side; ++p)
            for (std::int64_t q = 0; q < side; ++q)
                for (std::int64_t k = 0; k < K; ++k) {
                    double sum = bias[std::size_t(k)];
                    for (std::int64_t i = 0; i < R * R; ++i) {
                        const std::int64_t h = p * stride + i / R - before, v = q * stride + i % R - before;
                        if (depthwise) {
                            sum += x.get(h, v, k) * w[std::size_t(i * C + k)];
                            continue;
                        }
                        for (std::int64_t c = 0; c < C; ++c)
                            sum += x.get(h, v, c) * w[std::size_t((k * R * R + i) * C + c)];
                    }
                    y.at(p, q, k) = sum;
                }
        return y;
    }
    Map activated(int slope, const Map& x, const Map& add) const
    {
        const auto& slopes = net.values.at(RandomNetwork::name("p_re_lu", slope) + "/Alpha");
        Map y(x.side, x.C);
        for (std::int64_t p = 0; p < x.side; ++p)
            for (std::int64_t q = 0; q < x.side; ++q)
                for (std::int64_t c = 0; c < x.C; ++c) {
                    const double v = x.get(p, q, c) + add.get(p, q, c);
                    y.at(p, q, c) = v > 0 ? v : slopes[std::size_t(c)] * v;
                }
        return y;
    }
    Map block(const Map& x, int depthwise, int pointwise, int slope, bool halves) const
    {
        Map past = halves ? Map(x.side / 2, x.C) : x;
        for (std::int64_t i = 0; halves && i < past.side * past.side * x.C; ++i) {
            const std::int64_t p = i / x.C / past.side * 2, q = i / x.C % past.side * 2, c = i % x.C;
            past.v[std::size_t(i)] = std::max(std::max(x.get(p, q, c), x.get(p, q + 1, c)),
                                              std::max(x.get(p + 1, q, c), x.get(p + 1, q + 1, c)));
        }
        const Map inner = conv(RandomNetwork::name("depthwise_conv2d", depthwise), x, halves ? 2 : 1, true);
        return activated(slope, conv(RandomNetwork::name("conv2d", pointwise), inner, 1, true), past);
    }
    /// 1404 values and the logit.
    std::vector<double> operator()(const Image& bgr) const
    {
        const Map none(0, 0);
        Map x(192, 3);
        for (std::int64_t i = 0; i < 192 * 192; ++i)
            for (std::int64_t c = 0; c < 3; ++c) x.at(i / 192, i % 192, c) = bgr.at(i / 192, i % 192)[2 - c] / 255.0;
        x = activated(0, conv("conv2d", x, 2, true), none);
        for (int i = 0; i < 14; ++i) x = block(x, i, i + 1, i + 1, i == 2 || i == 5 || i == 8 || i == 11);
        Map y = x;
        for (int i = 14; i < 17; ++i) y = block(y, i, i + 1, i + 1, i == 14);
        y = block(activated(18, conv("conv2d_18", y, 1, true), none), 17, 19, 19, false);
        std::vector<double> answer = conv("conv2d_20", y, 3, false).v;
        Map z = block(x, 22, 27, 25, true);
        z = block(activated(26, conv("conv2d_28", z, 1, true), none), 23, 29, 27, false);
        answer.push_back(conv("conv2d_30", z, 3, false).v[0]);
        return answer;
    }
};

Image noise(std::uint32_t seed)
{
    Image image(192, 192, 3);
    std::mt19937 random(seed);
    for (std::uint8_t& v : image.pixels) v = std::uint8_t(random() % 256);
    return image;
}

TEST(FaceMesh, AgreesWithPlainLoops)
{
    const Folder folder;
    const RandomNetwork net;
    net.write(folder / "random.safetensors");
    const std::vector<double> want = SlowNetwork{net}(noise(1));
    ASSERT_EQ(want.size(), 1405u);
    const auto device = kernels::open_device("cpu:1");
    FaceMesh mesh(*device, SafetensorsFile((folder / "random.safetensors").string()));
    for (int run = 0; run < 3; ++run) { // planned, recorded, replayed
        mesh(noise(2));
        const FaceMesh::Answer got = mesh(noise(1));
        double size = 0, error = std::abs(got.presence - want.back());
        for (std::size_t i = 0; i < FaceMesh::kPoints; ++i) {
            error =
                std::max({error, std::abs(got.points[i].x - want[3 * i]), std::abs(got.points[i].y - want[3 * i + 1])});
            size = std::max(size, std::abs(want[3 * i]));
        }
        EXPECT_GT(size, 0.1);
        EXPECT_LT(error, 2e-5 * size) << "run " << run;
    }
}

TEST(FaceMesh, SaysWhatFileItNeeds)
{
    const Folder folder;
    RandomNetwork net;
    const auto device = kernels::open_device("cpu:1");
    const auto file = [&] {
        net.write(folder / "m.safetensors");
        return SafetensorsFile((folder / "m.safetensors").string());
    };
    net.shapes["p_re_lu_25/Alpha"] = {1, 128, 1};
    BIFRONS_EXPECT_ERROR(FaceMesh(*device, file()), data,
                         "another shape of \"p_re_lu_25/Alpha\"; expected MediaPipe's");
    net.values.erase("conv2d_20/Bias");
    BIFRONS_EXPECT_ERROR(FaceMesh(*device, file()), data, "has no tensor \"conv2d_20/Bias\"");
    BIFRONS_EXPECT_ERROR(make_landmark_model({LandmarkKind::facemesh, folder / "m.safetensors"}), data,
                         "`bifrons models get facemesh` fetches it");
    BIFRONS_EXPECT_ERROR(make_landmark_model({LandmarkKind::facemesh, folder / "none"}), data, "none");
    BIFRONS_EXPECT_ERROR(landmark_kind_of("mesh"), usage, "expected dlib or facemesh");
    const std::string before = std::getenv("BIFRONS_MODELS");
    ::setenv("BIFRONS_MODELS", folder.path().c_str(), 1);
    BIFRONS_EXPECT_ERROR(make_landmark_model({LandmarkKind::facemesh}), usage, "--landmark-model");
    EXPECT_EQ(default_landmarks(), LandmarkKind::dlib);
    test::write_text(folder / face_mesh_file(), "");
    EXPECT_EQ(default_landmarks(), LandmarkKind::facemesh);
    ::setenv("BIFRONS_MODELS", before.c_str(), 1);
    EXPECT_THROW(FaceMesh(*device, SafetensorsFile((folder / face_mesh_file()).string())), Error);
}

TEST(FaceMesh, AnswersAsTensorFlowLite)
{
    BIFRONS_NEEDS_ASSET(real_file());
    const fs::path still = test::assets() / "faces" / "stills" / "2008_001009.jpg";
    BIFRONS_NEEDS_ASSET(still);
    const auto device = kernels::open_device("cpu:1");
    FaceMesh mesh(*device, SafetensorsFile(real_file().string()));
    // A face in it, as its pixels are. What ai-edge-litert 2.3.0 answers, with XNNPACK and with its reference kernels.
    const FaceMesh::Answer got = mesh(warp(load_image(still), {{1, 0, -74, 0, 1, -171}}, 192, 192));
    EXPECT_NEAR(got.presence, 19.31957, 0.01);
    const std::map<std::size_t, Point> want = {{0, {94.28244, 93.63319}},     {1, {88.25807, 80.07482}},
                                               {33, {59.34525, 65.29649}},    {61, {79.14707, 106.21665}},
                                               {152, {105.85681, 139.63289}}, {263, {122.66940, 57.87727}},
                                               {291, {119.73006, 101.53961}}, {467, {123.56898, 54.12166}}};
    for (const auto& [i, p] : want) {
        EXPECT_NEAR(got.points[i].x, p.x, 2e-3) << i;
        EXPECT_NEAR(got.points[i].y, p.y, 2e-3) << i;
    }
}

TEST(MeshLandmarks, LieWhereDlibsDoAndJitterLess)
{
    BIFRONS_NEEDS_ASSET(real_file());
    BIFRONS_NEEDS_LANDMARKS();
    const fs::path clip = test::assets() / "faces" / "grid" / "sbia1a.mpg";
    BIFRONS_NEEDS_ASSET(clip);
    const auto source = open_frames(clip);
    const auto mesh = make_landmark_model({LandmarkKind::facemesh, real_file()}), trees = make_landmark_model({});
    std::vector<std::optional<Landmarks>> of_mesh, of_trees;
    Detection box;
    Frame frame;
    for (int i = 0; i < 8 && source->next(frame); ++i) {
        const Image grey = to_grey(frame.image);
        if (i == 0) box = make_hog_detector()->detect(frame.image).at(0);
        of_mesh.push_back(mesh->find(grey, box).points);
        of_trees.push_back(trees->find(grey, box).points);
        const Landmarks &a = *of_mesh.back(), &b = *of_trees.back();
        const double eyes = std::hypot(b[45].x - b[36].x, b[45].y - b[36].y) * 0.66;
        EXPECT_LT(rms_distance(a, b), 0.12 * eyes) << i;
        EXPECT_EQ(implausibility(a, box, grey, *mesh), "") << i;
    }
    EXPECT_LT(*landmark_jitter(of_mesh), 0.65 * *landmark_jitter(of_trees));

    // From another start, to the same points; and no face where there is none.
    const Image grey = to_grey(frame.image);
    Detection shifted = box;
    shifted.rect = {box.rect.left + 12, box.rect.top - 8, box.rect.right + 20, box.rect.bottom};
    EXPECT_LT(rms_distance(mesh->find(grey, shifted).points, mesh->find(grey, box).points), 1);
    const Detection nowhere = {.rect = {5, 5, 95, 95}};
    EXPECT_EQ(implausibility(test::mean_landmarks(70, 15, 15), nowhere, grey, *mesh),
              "landmarks where their network sees no face");
}

} // namespace
} // namespace bifrons::data
