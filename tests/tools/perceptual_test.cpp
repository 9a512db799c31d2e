// The perceptual networks with their real weights on real pictures, against the values that the weights' sources state.
#include "model/perceptual.h"

#include "data/image.h"
#include "tests/data/folder.h"

#include <algorithm>
#include <numeric>

using namespace bifrons;
using namespace bifrons::test;

namespace {

std::filesystem::path backbone(const std::string& name)
{
    return assets() / "backbones" / name;
}

data::ImageF picture(const std::string& name)
{
    return data::to_float(data::load_image(backbone(name)));
}

TEST(Backbones, lpips_of_its_authors_example)
{
    BIFRONS_NEEDS_ASSET(backbone("lpips_squeeze.safetensors"));
    const auto device = kernels::open_device("cpu");
    model::Lpips lpips(*device, backbone("lpips_squeeze.safetensors"));
    const data::ImageF ref = picture("ex_ref.png"), p0 = picture("ex_p0.png"), p1 = picture("ex_p1.png");
    const auto distance = [&](const data::ImageF& a, const data::ImageF& b) {
        return lpips(a.H, a.W, a.pixels, b.pixels);
    };
    EXPECT_NEAR(distance(ref, p0), 0.7112, 0.002);
    EXPECT_NEAR(distance(ref, p1), 0.1479, 0.002);
    EXPECT_EQ(distance(ref, ref), 0);
    EXPECT_NEAR(distance(p0, ref), distance(ref, p0), 1e-6) << "symmetric";
}

/// Features of a picture, by tap.
std::map<std::string, std::vector<double>> features(const std::string& file, const std::string& taps,
                                                    const data::ImageF& of)
{
    const auto device = kernels::open_device("cpu");
    Pool pool(*device);
    const model::FeatureNetwork network(*device, backbone(file), model::parse_taps(taps), Precision::f32);
    const Tensor input = Tensor::empty({1, of.H, of.W, 3}, DType::f32, pool);
    input.upload(kernels::Exec{device.get(), {}, {}}, of.pixels);
    std::map<std::string, std::vector<double>> values;
    Step step(
        *device, {},
        [&](kernels::Exec ex, Memory& memory) {
            Tape tape(ex, memory, false);
            const std::vector<Var> all = network(tape, Var(input));
            if (ex.device->kind() == kernels::DeviceKind::plan) return;
            for (std::size_t i = 0; i < all.size(); ++i)
                values[network.taps()[i].name] = all[i].value().download<double>(ex);
        },
        false);
    step.run();
    return values;
}

double mean(const std::vector<double>& values)
{
    return std::accumulate(values.begin(), values.end(), 0.0) / double(values.size());
}

/// By definition of the normalisation, over many pictures; a single one has 0.6 to 1.3, in all layers alike.
TEST(Backbones, normalised_vgg19_has_a_mean_of_about_one_in_each_layer)
{
    const std::string file = "vgg19_normalised_conv3_1.safetensors";
    BIFRONS_NEEDS_ASSET(backbone(file));
    std::map<std::string, double> means;
    constexpr const char* kPhotographs[] = {"backbones/cat.jpg", "faces/stills/2007_007763.jpg",
                                            "faces/stills/2008_001009.jpg", "faces/stills/2008_002079.jpg",
                                            "faces/stills/2009_004587.jpg"};
    for (const char* name : kPhotographs) {
        BIFRONS_NEEDS_ASSET(assets() / name);
        const data::ImageF photograph = data::to_float(data::load_image(assets() / name));
        for (const auto& [tap, values] : features(file, "relu1_1, relu1_2, relu2_1, relu2_2, relu3_1", photograph))
            means[tap] += mean(values) / double(std::size(kPhotographs));
    }
    for (const auto& [tap, value] : means) {
        EXPECT_NEAR(value, 1, 0.25) << tap;
        EXPECT_NEAR(value / means.at("relu1_1"), 1, 0.1) << tap;
    }
}

TEST(Backbones, vgg16_has_the_published_weights_and_sees_a_photograph)
{
    const std::string file = "vgg16_conv1_1-conv2_2.safetensors";
    BIFRONS_NEEDS_ASSET(backbone(file));
    const std::vector<float> w = float_values(SafetensorsFile(backbone(file)).at("conv1_1.weight")),
                             b = float_values(SafetensorsFile(backbone(file)).at("conv1_1.bias"));
    EXPECT_EQ(w[0], 0.42947057f);
    EXPECT_EQ(w[27], 0.11727387f);
    EXPECT_EQ(w[54], 0.03401296f);

    const data::ImageF cat = picture("cat.jpg");
    const auto of = features(file, "relu1_1, relu2_2", cat);
    const double means[] = {103.939, 116.779, 123.68};
    const std::int64_t h = cat.H / 3, x = cat.W / 2;
    for (std::int64_t k = 0; k < 64; ++k) { // the definition, at one place
        double sum = double(b[std::size_t(k)]), size = std::abs(sum);
        for (std::int64_t c = 0; c < 3; ++c)
            for (std::int64_t tap = 0; tap < 9; ++tap) {
                const double product = double(w[std::size_t((k * 3 + c) * 9 + tap)]) *
                                       (255 * double(cat.at(h + tap / 3 - 1, x + tap % 3 - 1)[c]) - means[c]);
                sum += product;
                size += std::abs(product);
            }
        EXPECT_NEAR(of.at("relu1_1")[std::size_t((h * cat.W + x) * 64 + k)], std::max(sum, 0.0), 1e-5 * size) << k;
    }
    const auto& deep = of.at("relu2_2");
    const double zeros = double(std::count(deep.begin(), deep.end(), 0.0)) / double(deep.size());
    EXPECT_GT(zeros, 0.2) << "features of a trained network are sparse";
    EXPECT_LT(zeros, 0.95);
}

} // namespace
