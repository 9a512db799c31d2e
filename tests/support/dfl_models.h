// tests/support/dfl_models.h - models of DeepFaceLab as make_dfl_models.py recorded them: what their files hold, and
// what they make of a picture. Values follow from names, as there.
#pragma once

#include "engine/safetensors.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <map>
#include <sstream>
#include <string>
#include <vector>

namespace bifrons::test {

constexpr int kDflSide = 64;

/// n numbers in 0..1.
inline std::vector<double> uniform(const std::string& name, std::int64_t n)
{
    std::uint32_t h = 2166136261u;
    for (const char c : name) h = (h ^ std::uint8_t(c)) * 16777619u;
    std::vector<double> values;
    for (std::uint32_t i = 0; i < std::uint32_t(n); ++i) {
        std::uint32_t x = h + i * 2654435761u;
        x = (x ^ x >> 16) * 0x7FEB352Du;
        x = (x ^ x >> 15) * 0x846CA68Bu;
        x ^= x >> 16;
        values.push_back((x >> 8) / 16777216.0);
    }
    return values;
}

inline std::vector<float> uniform_floats(const std::string& name, std::int64_t n)
{
    const std::vector<double> values = uniform(name, n);
    return {values.begin(), values.end()};
}

/// Of a weight in a layer of this shape.
inline std::vector<float> drawn(const std::string& name, const std::vector<std::int64_t>& shape)
{
    std::int64_t n = 1;
    for (const std::int64_t side : shape) n *= side;
    const double limit = shape.size() > 1 ? std::sqrt(4.5 / double(n / shape.back())) : 0.1;
    std::vector<float> values;
    for (const double u : uniform(name, n)) values.push_back(float((2 * u - 1) * limit));
    return values;
}

/// An array of a model's file.
struct DflArray {
    std::string key; ///< its name there
    std::vector<std::int64_t> shape;
    std::vector<float> values;
};

/// The arrays of the model, by file ("encoder") in their order; optimizers' counts are left out.
inline std::map<std::string, std::vector<DflArray>> dfl_arrays(const std::string& archi)
{
    std::ifstream in(BIFRONS_DFL_MODELS "/" + archi + ".txt");
    std::map<std::string, std::vector<DflArray>> files;
    for (std::string line; std::getline(in, line);) {
        std::istringstream words(line);
        std::string file, name;
        words >> file >> name;
        DflArray array{name.substr(name.find('/') + 1), {}, {}};
        for (std::int64_t side; words >> side;) array.shape.push_back(side);
        if (array.shape.empty()) continue;
        const bool mean = array.key.rfind("ms_", 0) == 0, square = array.key.rfind("vs_", 0) == 0;
        const std::string weight =
            mean || square ? array.key.substr(3, array.key.rfind("_0:0") - 3) : name.substr(0, name.rfind(":0"));
        array.values = drawn(weight, array.shape);
        if (square)
            for (float& v : array.values) v *= v;
        files[file].push_back(std::move(array));
    }
    EXPECT_FALSE(files.empty()) << archi;
    return files;
}

/// What was recorded in NAME.f32.
inline std::vector<float> recorded(const std::string& name)
{
    std::ifstream in(BIFRONS_DFL_MODELS "/" + name + ".f32", std::ios::binary);
    const std::string bytes{std::istreambuf_iterator<char>(in), {}};
    std::vector<float> values(bytes.size() / sizeof(float));
    std::copy_n(bytes.data(), values.size() * sizeof(float), reinterpret_cast<char*>(values.data()));
    return values;
}

/// What is recorded of an array.
inline std::vector<float> every_fifth(const std::vector<float>& values)
{
    std::vector<float> some;
    for (std::size_t i = 0; i < values.size(); i += 5) some.push_back(values[i]);
    return some;
}

inline double largest_difference(const std::vector<float>& a, const std::vector<float>& b)
{
    EXPECT_EQ(a.size(), b.size());
    double largest = a.size() == b.size() && !a.empty() ? 0 : 1e9;
    for (std::size_t i = 0; i < std::min(a.size(), b.size()); ++i)
        largest = std::max(largest, std::abs(double(a[i]) - double(b[i]))); // not a number: kept out below
    EXPECT_TRUE(std::all_of(a.begin(), a.end(), [](float v) { return std::isfinite(v); }));
    return largest;
}

const std::vector<std::string> kDflArchis = {"df", "df-ud", "df-ut", "df-dc", "df-udtc", "liae", "liae-ud", "liae-udt"};

} // namespace bifrons::test
