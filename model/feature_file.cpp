#include "model/feature_file.h"

#include "kernels/base/error.h"
#include "kernels/base/words.h"

#include <algorithm>
#include <set>
#include <utility>

namespace bifrons::model {

namespace {

using Kind = FeatureLayer::Kind;

bool has(const SafetensorsFile& file, const std::string& name)
{
    const auto& all = file.tensors();
    return std::any_of(all.begin(), all.end(), [&](const NamedTensor& t) { return t.name == name; });
}

std::string text(const std::vector<std::int64_t>& shape)
{
    std::string sizes;
    for (const std::int64_t n : shape) sizes += str(sizes.empty() ? "" : ",", n);
    return str("[", sizes, "]");
}

void require_shape(const SafetensorsFile& file, const std::string& network, const std::string& tensor,
                   const std::vector<std::int64_t>& shape)
{
    const NamedTensor& t = file.at(tensor);
    BIFRONS_CHECK(data, t.shape == shape, file.path(), ": ", tensor, " is ", text(t.shape), "; expected ", text(shape),
                  " of ", network, ". It is another network's file.");
    BIFRONS_CHECK(data, t.dtype == DType::f32 || t.dtype == DType::bf16 || t.dtype == DType::f16, file.path(), ": ",
                  tensor, " is ", dtype_name(t.dtype), "; expected f32, bf16 or f16");
}

// ---- the networks, whole -------------------------------------------------------------------------------------------

/// Blocks of 3x3 convolutions, each halved by a 2x2 maximum. VGG-19 has a fourth convolution in the last three.
std::vector<FeatureLayer> vgg_layers(bool torchvision, bool nineteen)
{
    const int sizes[] = {2, 2, nineteen ? 4 : 3, nineteen ? 4 : 3, nineteen ? 4 : 3};
    const std::int64_t widths[] = {64, 128, 256, 512, 512};
    std::vector<FeatureLayer> layers;
    std::int64_t channels = 3;
    int number = 0; // torchvision counts rectifiers and maxima too
    for (int block = 0; block < 5; ++block) {
        for (int i = 1; i <= sizes[block]; ++i, number += 2) {
            const std::string place = str(block + 1, "_", i),
                              name = torchvision ? str("features.", number) : str("conv", place);
            layers.push_back({.tap = str("relu", place), .convs = {{.name = name, .K = widths[block], .C = channels}}});
            channels = widths[block];
        }
        layers.push_back({.kind = Kind::pool});
        ++number;
    }
    return layers;
}

FeatureLayer fire(int number, int index, std::int64_t C, std::int64_t squeezed, std::int64_t half, int head)
{
    const std::string name = str("features.", index, ".");
    return {.kind = Kind::fire,
            .tap = str("fire", number),
            .convs = {{.name = name + "squeeze", .K = squeezed, .C = C, .side = 1, .pad = 0},
                      {.name = name + "expand1x1", .K = half, .C = squeezed, .side = 1, .pad = 0},
                      {.name = name + "expand3x3", .K = half, .C = squeezed}},
            .head = head < 0 ? "" : str("lpips.lin", head, ".model.1.weight")};
}

std::vector<FeatureLayer> squeezenet_layers()
{
    const FeatureLayer pool{.kind = Kind::pool, .window = 3, .ceil = true};
    return {{.tap = "relu1",
             .convs = {{.name = "features.0", .K = 64, .C = 3, .stride = 2, .pad = 0}},
             .head = "lpips.lin0.model.1.weight"},
            pool,
            fire(2, 3, 64, 16, 64, -1),
            fire(3, 4, 128, 16, 64, 1),
            pool,
            fire(4, 6, 128, 32, 128, -1),
            fire(5, 7, 256, 32, 128, 2),
            pool,
            fire(6, 9, 256, 48, 192, 3),
            fire(7, 10, 384, 48, 192, 4),
            fire(8, 11, 384, 64, 256, 5),
            fire(9, 12, 512, 64, 256, 6)};
}

// ---- the input -----------------------------------------------------------------------------------------------------

/// RGB 0..1 less the means, over the deviations. LPIPS's scaling of -1..1 is the same map.
kernels::ColorAffine torchvision_input()
{
    const double mean[] = {0.485, 0.456, 0.406}, deviation[] = {0.229, 0.224, 0.225};
    kernels::ColorAffine map;
    for (int k = 0; k < 3; ++k) {
        for (int j = 0; j < 3; ++j) map.A[k][j] = j == 2 - k ? 1 / deviation[k] : 0;
        map.b[k] = -mean[k] / deviation[k];
    }
    return map;
}

/// BGR 0..255 less the means.
kernels::ColorAffine oxford_input()
{
    return {{{255, 0, 0}, {0, 255, 0}, {0, 0, 255}}, {-103.939, -116.779, -123.68}};
}

/// What the file says, given RGB 0..1.
kernels::ColorAffine own_input(const SafetensorsFile& file, const std::string& network)
{
    require_shape(file, network, "pre_1x1.weight", {3, 3, 1, 1});
    require_shape(file, network, "pre_1x1.bias", {3});
    const std::vector<float> w = float_values(file.at("pre_1x1.weight")), b = float_values(file.at("pre_1x1.bias"));
    kernels::ColorAffine map;
    for (std::size_t k = 0; k < 3; ++k) {
        for (std::size_t j = 0; j < 3; ++j) map.A[k][j] = double(w[3 * k + 2 - j]);
        map.b[k] = double(b[k]);
    }
    return map;
}

// ---- the file against the network ----------------------------------------------------------------------------------

std::set<std::string> tensors_of(const std::vector<FeatureLayer>& layers)
{
    std::set<std::string> names;
    for (const FeatureLayer& layer : layers)
        for (const FeatureConv& conv : layer.convs) names.insert({conv.name + ".weight", conv.name + ".bias"});
    return names;
}

bool complete(const SafetensorsFile& file, const FeatureLayer& layer)
{
    return std::all_of(layer.convs.begin(), layer.convs.end(), [&](const FeatureConv& c) {
        return has(file, c.name + ".weight") && has(file, c.name + ".bias");
    });
}

/// Leaves the layers that the file has, which must be the first ones, and nothing else under these names.
void cut(const SafetensorsFile& file, FeatureFile& network, const std::string& prefix)
{
    const std::set<std::string> known = tensors_of(network.layers);
    const auto is_complete = [&](const FeatureLayer& layer) { return complete(file, layer); };
    auto end = std::find_if_not(network.layers.begin(), network.layers.end(), is_complete);
    const std::string missing = end == network.layers.end() ? "" : end->convs[0].name;
    while (end != network.layers.begin() && (end - 1)->kind == Kind::pool) --end; // nothing follows it
    const std::vector<FeatureLayer> rest(end, network.layers.end());
    network.layers.erase(end, network.layers.end());
    const std::set<std::string> beyond = tensors_of(rest);
    for (const NamedTensor& t : file.tensors()) {
        if (t.name.rfind(prefix, 0) != 0) continue;
        BIFRONS_CHECK(data, known.count(t.name), file.path(), ": has ", t.name, ", which ", network.name,
                      " does not have. It is another network's file.");
        BIFRONS_CHECK(data, !beyond.count(t.name), file.path(), ": has ", t.name, ", but not all of ", missing, " (",
                      network.name, "). The file is incomplete or another network's.");
    }
    BIFRONS_CHECK(data, !network.layers.empty(), file.path(), ": does not have the first layer of ", network.name);
}

void check_shapes(const SafetensorsFile& file, const FeatureFile& network)
{
    for (const FeatureLayer& layer : network.layers) {
        for (const FeatureConv& c : layer.convs) {
            require_shape(file, network.name, c.name + ".weight", {c.K, c.C, c.side, c.side});
            require_shape(file, network.name, c.name + ".bias", {c.K});
        }
        if (has(file, layer.head)) require_shape(file, network.name, layer.head, {1, layer.channels(), 1, 1});
    }
}

/// Heads are for all of LPIPS's taps, or there are none.
void keep_heads(const SafetensorsFile& file, FeatureFile& network)
{
    std::string missing;
    int there = 0;
    for (FeatureLayer& layer : network.layers) {
        if (layer.head.empty()) continue;
        if (has(file, layer.head))
            ++there;
        else
            missing = std::exchange(layer.head, "");
    }
    BIFRONS_CHECK(data, there == 0 || missing.empty(), file.path(), ": has LPIPS heads, but no ", missing);
}

void read_metadata(const SafetensorsFile& file, FeatureFile& network)
{
    const Metadata& metadata = file.metadata();
    if (const auto padding = metadata.find("padding"); padding != metadata.end()) {
        BIFRONS_CHECK(data, padding->second == "reflect" || padding->second == "zeros", file.path(),
                      ": its metadata says padding = \"", padding->second, "\"; expected reflect or zeros");
        network.reflect = padding->second == "reflect";
    }
    if (const auto taps = metadata.find("taps"); taps != metadata.end()) network.taps = split(taps->second);
}

/// Which network it is, whole, and how its tensors' names begin.
std::pair<FeatureFile, std::string> recognise(const SafetensorsFile& file)
{
    const bool oxford = has(file, "conv1_1.weight"), torchvision = has(file, "features.0.weight");
    if (torchvision && has(file, "features.3.squeeze.weight"))
        return {{.name = "SqueezeNet 1.1",
                 .layers = squeezenet_layers(),
                 .taps = {"relu1", "fire3", "fire5", "fire6", "fire7", "fire8", "fire9"},
                 .input = torchvision_input()},
                "features."};
    BIFRONS_CHECK(data, oxford || torchvision, file.path(),
                  ": has neither features.0.weight nor conv1_1.weight; expected a file of VGG-16, VGG-19 or SqueezeNet "
                  "1.1. docs/trainer.md says where to get them.");
    const bool nineteen = has(file, oxford ? "conv3_4.weight" : "features.16.weight");
    const std::string name = nineteen ? "VGG-19" : "VGG-16";
    return {{.name = name,
             .layers = vgg_layers(!oxford, nineteen),
             .taps = {"relu1_2", "relu2_2", "relu3_3"},
             .input = has(file, "pre_1x1.weight") ? own_input(file, name)
                      : oxford                    ? oxford_input()
                                                  : torchvision_input()},
            oxford ? "conv" : "features."};
}

} // namespace

std::int64_t FeatureLayer::channels() const
{
    return kind == Kind::fire ? convs[1].K + convs[2].K : convs[0].K;
}

FeatureFile describe_features(const SafetensorsFile& file)
{
    auto [network, prefix] = recognise(file);
    cut(file, network, prefix);
    check_shapes(file, network);
    keep_heads(file, network);
    std::erase_if(network.taps, [&](const std::string& tap) { // of a file that ends early
        return std::none_of(network.layers.begin(), network.layers.end(),
                            [&](const FeatureLayer& layer) { return layer.tap == tap; });
    });
    read_metadata(file, network);
    return network;
}

} // namespace bifrons::model
