// tests/support/feature_files.h - small safetensors files that hold the beginning of VGG-16 or SqueezeNet 1.1, with
// random weights that keep features of order 1.
#pragma once

#include "engine/safetensors.h"
#include "tests/support/numerics.h"

#include <cmath>

namespace bifrons::test {

/// Tensors being collected for a file.
struct FeatureTensors {
    struct Entry {
        std::string name;
        std::vector<std::int64_t> shape;
        std::vector<float> values;
    };
    std::vector<Entry> list;
    Metadata metadata;

    void add(const std::string& name, const std::vector<std::int64_t>& shape, const std::vector<float>& values)
    {
        list.push_back({name, shape, values});
    }
    void remove(const std::string& name)
    {
        std::erase_if(list, [&](const Entry& t) { return t.name == name; });
    }
    /// A convolution [K,C,side,side] whose outputs have about its inputs' variance.
    void conv(const std::string& name, std::int64_t K, std::int64_t C, std::int64_t side)
    {
        const double limit = std::sqrt(6.0 / double(C * side * side));
        const auto seed = std::uint32_t(list.size() + 1);
        add(name + ".weight", {K, C, side, side}, random_values(K * C * side * side, seed, -limit, limit));
        add(name + ".bias", {K}, random_values(K, seed + 100, -0.1, 0.2));
    }
    void write(const std::string& path) const
    {
        std::vector<NamedTensor> tensors;
        for (const Entry& t : list) tensors.push_back({t.name, DType::f32, t.shape, t.values.data()});
        write_safetensors(path, tensors, metadata);
    }
};

/// The first `convs` (up to 4) convolutions of VGG-16, by torchvision's names or Oxford's.
inline FeatureTensors vgg16(int convs, bool torchvision = true)
{
    const char* const names[][2] = {
        {"features.0", "conv1_1"}, {"features.2", "conv1_2"}, {"features.5", "conv2_1"}, {"features.7", "conv2_2"}};
    const std::int64_t widths[] = {3, 64, 64, 128, 128};
    FeatureTensors tensors;
    for (int i = 0; i < convs; ++i) tensors.conv(names[i][torchvision ? 0 : 1], widths[i + 1], widths[i], 3);
    return tensors;
}

/// SqueezeNet 1.1 whole, with all heads.
inline FeatureTensors whole_squeezenet()
{
    struct Fire {
        int index;
        std::int64_t C, squeezed, half;
    };
    FeatureTensors tensors;
    tensors.conv("features.0", 64, 3, 3);
    for (const Fire& f : {Fire{3, 64, 16, 64},
                          {4, 128, 16, 64},
                          {6, 128, 32, 128},
                          {7, 256, 32, 128},
                          {9, 256, 48, 192},
                          {10, 384, 48, 192},
                          {11, 384, 64, 256},
                          {12, 512, 64, 256}}) {
        const std::string name = str("features.", f.index, ".");
        tensors.conv(name + "squeeze", f.squeezed, f.C, 1);
        tensors.conv(name + "expand1x1", f.half, f.squeezed, 1);
        tensors.conv(name + "expand3x3", f.half, f.squeezed, 3);
    }
    const std::int64_t channels[] = {64, 128, 256, 384, 384, 512, 512};
    for (std::uint32_t i = 0; i < 7; ++i)
        tensors.add(str("lpips.lin", i, ".model.1.weight"), {1, channels[i], 1, 1},
                    random_values(channels[i], 201 + i, 0, 1));
    return tensors;
}

/// SqueezeNet 1.1 to fire3, the first two heads with it.
inline FeatureTensors squeezenet()
{
    FeatureTensors tensors = whole_squeezenet();
    std::erase_if(tensors.list, [](const FeatureTensors::Entry& t) {
        for (const char* kept : {"features.0.", "features.3.", "features.4.", "lpips.lin0.", "lpips.lin1."})
            if (t.name.rfind(kept, 0) == 0) return false;
        return true;
    });
    return tensors;
}

} // namespace bifrons::test
