#include "model/feature_network.h"

#include "tests/support/devices.h"
#include "tests/support/feature_files.h"
#include "tests/support/temp_folder.h"

#include <functional>

using namespace bifrons;
using namespace bifrons::model;
using namespace bifrons::test;

namespace {

/// Says what is wrong with a file, or with the taps asked for.
class Refused : public ::testing::Test {
  protected:
    std::string complaint(const FeatureTensors& tensors, ErrorKind kind = ErrorKind::data, const std::string& taps = "")
    {
        tensors.write(path_);
        return complaint(kind, taps);
    }
    std::string complaint(ErrorKind kind = ErrorKind::data, const std::string& taps = "")
    {
        try {
            FeatureNetwork network(device_.device(), path_, parse_taps(taps), Precision::f32);
        } catch (const Error& e) {
            EXPECT_EQ(e.kind(), kind) << e.what();
            EXPECT_NE(std::string(e.what()).find(path_), std::string::npos) << e.what() << ": names the file";
            return e.what();
        }
        return "";
    }
    TempFolder folder_;
    const std::string path_ = folder_ / "net.safetensors";
    TestDevice device_{"cpu", 256};
};

#define EXPECT_SAYS(text, part) EXPECT_NE((text).find(part), std::string::npos) << (text)

TEST_F(Refused, a_missing_or_truncated_file)
{
    EXPECT_SAYS(complaint(), "cannot be opened");
    EXPECT_EQ(complaint(vgg16(2)), "");
    const std::string bytes = read_bytes(path_);
    write_bytes(path_, bytes.substr(0, bytes.size() / 2));
    EXPECT_SAYS(complaint(), "damaged");
}

TEST_F(Refused, another_network)
{
    FeatureTensors alexnet;
    alexnet.add("features.0.weight", {64, 3, 11, 11}, random_values(64 * 3 * 121, 1));
    alexnet.add("features.0.bias", {64}, random_values(64, 2));
    EXPECT_SAYS(complaint(alexnet), "features.0.weight is [64,3,11,11]; expected [64,3,3,3] of VGG-16");
    FeatureTensors normalised = vgg16(1);
    normalised.add("features.1.running_mean", {64}, random_values(64, 3));
    EXPECT_SAYS(complaint(normalised), "has features.1.running_mean, which VGG-16 does not have");
    FeatureTensors resnet;
    resnet.conv("layer1.0.conv1", 64, 64, 3);
    EXPECT_SAYS(complaint(resnet), "has neither features.0.weight nor conv1_1.weight");
    FeatureTensors of_squeezenet = squeezenet();
    of_squeezenet.remove("features.4.squeeze.weight");
    of_squeezenet.add("features.4.squeeze.weight", {32, 128, 1, 1}, random_values(32 * 128, 4));
    EXPECT_SAYS(complaint(of_squeezenet), "features.4.squeeze.weight is [32,128,1,1]; expected [16,128,1,1]");
}

TEST_F(Refused, a_layer_that_is_lacking_or_spoiled)
{
    FeatureTensors gap = vgg16(3);
    gap.remove("features.2.weight");
    EXPECT_SAYS(complaint(gap), "but not all of features.2");
    FeatureTensors no_bias = vgg16(2);
    no_bias.remove("features.2.bias");
    EXPECT_SAYS(complaint(no_bias), "but not all of features.2");
    FeatureTensors no_head = squeezenet();
    no_head.remove("lpips.lin0.model.1.weight");
    EXPECT_SAYS(complaint(no_head), "no lpips.lin0.model.1.weight");
    FeatureTensors nan = vgg16(2);
    nan.list[2].values[17] = NAN;
    EXPECT_SAYS(complaint(nan), "features.2.weight holds nan");
    FeatureTensors mirrored = vgg16(2);
    mirrored.metadata["padding"] = "replicate";
    EXPECT_SAYS(complaint(mirrored), "padding = \"replicate\"");
}

TEST_F(Refused, taps_that_are_not_there)
{
    EXPECT_SAYS(complaint(vgg16(4), ErrorKind::usage, "relu1_2, relu3_3"),
                "has no tap \"relu3_3\"; it has relu1_1, relu1_2, relu2_1, relu2_2");
    EXPECT_SAYS(complaint(vgg16(1)), "ends before VGG-16's first tap");
    FeatureTensors metadata = vgg16(2);
    metadata.metadata["taps"] = "relu1_1,relu9_9";
    EXPECT_SAYS(complaint(metadata, ErrorKind::usage), "no tap \"relu9_9\"");
}

TEST(Taps, are_names_with_weights)
{
    const std::vector<Tap> taps = parse_taps("relu1_2:0.5, relu2_2");
    ASSERT_EQ(taps.size(), 2u);
    EXPECT_EQ(taps[0].name, "relu1_2");
    EXPECT_EQ(taps[0].weight, 0.5f);
    EXPECT_EQ(taps[1].name, "relu2_2");
    EXPECT_EQ(taps[1].weight, 1.0f);
    EXPECT_TRUE(parse_taps("").empty());
    for (const char* wrong : {"relu1_2:", "relu1_2:x", "relu1_2:-1", "relu1_2:nan", ",relu1_2", "a,a"})
        EXPECT_THROW(parse_taps(wrong), Error) << wrong;
}

/// Features of one picture [H,W,3], taps by name.
std::map<std::string, std::vector<double>> features(const std::string& path, const std::string& taps, std::int64_t H,
                                                    std::int64_t W, const std::vector<double>& picture)
{
    TestDevice device("cpu");
    const FeatureNetwork network(device.device(), path, parse_taps(taps), Precision::f32, DType::f64);
    Pool pool(device.device());
    Tape tape(device.exec(), pool, false);
    const Tensor input = Tensor::wrap(device.upload(picture), {1, H, W, 3});
    std::map<std::string, std::vector<double>> values;
    const std::vector<Var> all = network(tape, Var(input));
    for (std::size_t i = 0; i < all.size(); ++i)
        values[network.taps()[i].name] = all[i].value().download<double>(device.exec());
    return values;
}

/// conv1_1 whose filter k shows channel k of its input, one pixel up and to the left, and filter 3 + k the negative.
FeatureTensors showing(bool torchvision)
{
    FeatureTensors tensors = vgg16(1, torchvision);
    std::vector<float>& w = tensors.list[0].values;
    std::fill(w.begin(), w.end(), 0.0f);
    for (std::size_t k = 0; k < 3; ++k) w[(k * 3 + k) * 9] = 1, w[((k + 3) * 3 + k) * 9] = -1;
    std::fill(tensors.list[1].values.begin(), tensors.list[1].values.end(), 0.0f);
    return tensors;
}

/// What the network was given at (h,w), channel c, found in the features at (h+1,w+1).
double shown(const std::vector<double>& features, std::int64_t W, std::int64_t h, std::int64_t w, std::int64_t c)
{
    const double* at = &features[std::size_t(((h + 1) * W + w + 1) * 64)];
    return at[c] - at[c + 3];
}

class Input : public ::testing::Test {
  protected:
    static constexpr std::int64_t H = 4, W = 5;
    std::vector<double> given(const FeatureTensors& tensors)
    {
        tensors.write(folder_ / "net");
        return features(folder_ / "net", "relu1_1", H, W, picture_)["relu1_1"];
    }
    /// Blue, green and red of (2,1).
    double bgr(int c) const { return picture_[std::size_t((2 * W + 1) * 3 + c)]; }
    TempFolder folder_;
    const std::vector<double> picture_ = random_values<double>(H * W * 3, 5, 0, 1);
};

TEST_F(Input, of_torchvisions_networks_is_normalised_rgb_with_zeros_around)
{
    const std::vector<double> f = given(showing(true));
    EXPECT_NEAR(shown(f, W, 2, 1, 0), (bgr(2) - 0.485) / 0.229, 1e-12);
    EXPECT_NEAR(shown(f, W, 2, 1, 1), (bgr(1) - 0.456) / 0.224, 1e-12);
    EXPECT_NEAR(shown(f, W, 2, 1, 2), (bgr(0) - 0.406) / 0.225, 1e-12);
    EXPECT_EQ(shown(f, W, -1, 2, 0), 0);
    EXPECT_EQ(shown(f, W, 2, -1, 1), 0);
}

TEST_F(Input, of_oxfords_networks_is_bgr_less_its_means)
{
    const std::vector<double> f = given(showing(false));
    EXPECT_NEAR(shown(f, W, 2, 1, 0), 255 * bgr(0) - 103.939, 1e-11);
    EXPECT_NEAR(shown(f, W, 2, 1, 1), 255 * bgr(1) - 116.779, 1e-11);
    EXPECT_NEAR(shown(f, W, 2, 1, 2), 255 * bgr(2) - 123.68, 1e-11);
}

TEST_F(Input, may_be_the_files_own_and_mirrored)
{
    FeatureTensors tensors = showing(false);
    tensors.add("pre_1x1.weight", {3, 3, 1, 1}, {0, 0, 255, 0, 4, 0.5f, 2, 0, 0}); // of R, G, B
    tensors.add("pre_1x1.bias", {3}, {-100, 10, 0.25f});
    tensors.metadata["padding"] = "reflect";
    const std::vector<double> f = given(tensors);
    EXPECT_NEAR(shown(f, W, 2, 1, 0), 255 * bgr(0) - 100, 1e-11);
    EXPECT_NEAR(shown(f, W, 2, 1, 1), 4 * bgr(1) + 0.5 * bgr(0) + 10, 1e-12);
    EXPECT_NEAR(shown(f, W, 2, 1, 2), 2 * bgr(2) + 0.25, 1e-12);
    for (int c = 0; c < 3; ++c) {
        EXPECT_EQ(shown(f, W, -1, 2, c), shown(f, W, 1, 2, c));
        EXPECT_EQ(shown(f, W, 2, -1, c), shown(f, W, 2, 1, c));
    }
}

TEST(FeatureNetworks, files_mean_their_own_taps)
{
    TempFolder folder;
    TestDevice device("cpu", 256);
    const auto taps = [&](const FeatureTensors& tensors) {
        tensors.write(folder / "net");
        const FeatureNetwork network(device.device(), folder / "net", {}, Precision::f32);
        std::string names;
        for (const Tap& tap : network.taps()) names += tap.name + " ";
        return names;
    };
    EXPECT_EQ(taps(vgg16(4)), "relu1_2 relu2_2 ");
    EXPECT_EQ(taps(squeezenet()), "relu1 fire3 ");
    FeatureTensors meant = vgg16(4);
    meant.metadata["taps"] = "relu2_1,relu1_1";
    EXPECT_EQ(taps(meant), "relu2_1 relu1_1 ");
}

TEST(FeatureNetworks, layers_beyond_the_deepest_tap_take_no_memory)
{
    TempFolder folder;
    vgg16(4).write(folder / "net");
    TestDevice device("cpu", 256), plan("plan:cuda:sm_90", 256);
    const auto bytes = [&](TestDevice& on, const std::string& taps, Precision precision) {
        return FeatureNetwork(on.device(), folder / "net", parse_taps(taps), precision).bytes();
    };
    EXPECT_EQ(bytes(device, "relu1_1", Precision::f32), 4u * (64 * 27 + 64));
    EXPECT_EQ(bytes(device, "relu1_2, relu1_1", Precision::f32), 4u * (64 * 27 + 64 + 64 * 576 + 64));
    EXPECT_EQ(bytes(plan, "relu1_1", Precision::bf16), 2u * 64 * 27 + 4 * 64) << "plan looks at sizes";
}

TEST(FeatureNetworks, say_which_pictures_fit)
{
    TempFolder folder;
    TestDevice device("cpu", std::size_t(1) << 20);
    Pool pool(device.device());
    FeatureTensors mirrored = vgg16(2, false);
    mirrored.metadata["padding"] = "reflect";
    mirrored.write(folder / "mirrored");
    vgg16(4).write(folder / "vgg");
    whole_squeezenet().write(folder / "squeezenet");
    for (const auto& [file, taps] : {std::pair{"mirrored", "relu1_2"}, {"vgg", "relu2_2"}, {"squeezenet", ""}}) {
        const FeatureNetwork network(device.device(), folder / file, parse_taps(taps), Precision::f32);
        int least = 0;
        for (std::int64_t side = 1; side <= 32; ++side) {
            const Tensor picture = Tensor::empty({1, side, side, 3}, DType::f32, pool);
            picture.upload(device.exec(), std::vector<float>(std::size_t(picture.size())));
            Tape tape(device.exec(), pool, false);
            if (network.fits(side)) {
                EXPECT_NO_THROW(network(tape, Var(picture))) << file << " " << side;
                if (least == 0) least = int(side);
            } else {
                EXPECT_THROW(network(tape, Var(picture)), Error) << file << " " << side;
            }
        }
        EXPECT_GE(least, 2) << file;
        EXPECT_LE(least, 25) << file;
    }
}

TEST(FeatureNetworks, of_squeezenet_have_its_shapes)
{
    TempFolder folder;
    squeezenet().write(folder / "net");
    const auto of =
        features(folder / "net", "relu1, fire2, fire3", 32, 18, random_values<double>(32 * 18 * 3, 1, 0, 1));
    EXPECT_EQ(of.at("relu1").size(), 15u * 8 * 64);
    EXPECT_EQ(of.at("fire2").size(), 7u * 4 * 128) << "the last window of 3 has two columns";
    EXPECT_EQ(of.at("fire3").size(), 7u * 4 * 128);
}

} // namespace
