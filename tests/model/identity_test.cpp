// The network of identity against plain loops in double, on weights of its own; real faces: tests/tools/eval_test.cpp.
#include "model/identity.h"

#include "tests/support/numerics.h"
#include "tests/support/temp_folder.h"

#include <map>

using namespace bifrons;
using namespace bifrons::model;
using namespace bifrons::test;

namespace {

/// A file of random weights whose layers keep the size of what passes.
struct RandomNetwork {
    std::map<std::string, std::vector<float>> values;
    std::map<std::string, std::vector<std::int64_t>> shapes;
    std::uint32_t seed = 1;

    void add(const std::string& name, std::vector<std::int64_t> shape, double low, double high)
    {
        std::int64_t size = 1;
        for (const std::int64_t s : shape) size *= s;
        values[name] = random_values(size, ++seed, low, high);
        shapes[name] = shape;
    }
    void conv(const std::string& name, std::int64_t side, std::int64_t C, std::int64_t K)
    {
        const double reach = std::sqrt(6.0 / double(side * side * C));
        add(name + ".conv.filters", {side, side, C, K}, -reach, reach);
        add(name + ".conv.bias", {K}, -0.1, 0.1);
        add(name + ".scale.weights", {K}, 0.5, 0.9);
        add(name + ".scale.biases", {K}, -0.1, 0.1);
    }
    RandomNetwork()
    {
        conv("conv32_down", 7, 3, 32);
        const auto block = [&](const std::string& name, std::int64_t C, std::int64_t K) {
            conv(name + ".conv1", 3, C, K);
            conv(name + ".conv2", 3, K, K);
        };
        for (const auto& [name, C, K] : blocks()) block(name, C, K);
        add("fc", {256, 128}, -0.1, 0.1);
    }
    struct Row {
        std::string name;
        std::int64_t C, K;
    };
    static std::vector<Row> blocks()
    {
        return {{"conv32_1", 32, 32},    {"conv32_2", 32, 32},          {"conv32_3", 32, 32},
                {"conv64_down", 32, 64}, {"conv64_1", 64, 64},          {"conv64_2", 64, 64},
                {"conv64_3", 64, 64},    {"conv128_down", 64, 128},     {"conv128_1", 128, 128},
                {"conv128_2", 128, 128}, {"conv256_down", 128, 256},    {"conv256_1", 256, 256},
                {"conv256_2", 256, 256}, {"conv256_down_out", 256, 256}};
    }
    void write(const std::string& path) const
    {
        std::vector<NamedTensor> tensors;
        for (const auto& [name, v] : values) tensors.push_back({name, DType::f32, shapes.at(name), v.data()});
        write_safetensors(path, tensors, {});
    }
};

/// One picture of the slow network: [side,side,C].
struct Map {
    std::int64_t side = 0, C = 0;
    std::vector<double> v;
    Map(std::int64_t s, std::int64_t c) : side(s), C(c), v(std::size_t(s * s * c)) {}
    double& at(std::int64_t y, std::int64_t x, std::int64_t c) { return v[std::size_t((y * side + x) * C + c)]; }
    double get(std::int64_t y, std::int64_t x, std::int64_t c) const // zero where it is not defined
    {
        const bool inside = y >= 0 && x >= 0 && y < side && x < side && c < C;
        return inside ? v[std::size_t((y * side + x) * C + c)] : 0;
    }
};

Map convolved(const RandomNetwork& net, const std::string& name, const Map& x, std::int64_t stride)
{
    const auto& shape = net.shapes.at(name + ".conv.filters");
    const std::int64_t R = shape[0], C = shape[2], K = shape[3], pad = stride == 1 ? R / 2 : 0;
    const auto &w = net.values.at(name + ".conv.filters"), &bias = net.values.at(name + ".conv.bias"),
               &scale = net.values.at(name + ".scale.weights"), &offset = net.values.at(name + ".scale.biases");
    Map y((x.side + 2 * pad - R) / stride + 1, K);
    for (std::int64_t p = 0; p < y.side; ++p)
        for (std::int64_t q = 0; q < y.side; ++q) {
            std::vector<double> sum(bias.begin(), bias.end());
            for (std::int64_t i = 0; i < R * R * C; ++i) {
                const double v = x.get(p * stride + i / C / R - pad, q * stride + i / C % R - pad, i % C);
                for (std::int64_t k = 0; k < K; ++k) sum[std::size_t(k)] += v * double(w[std::size_t(i * K + k)]);
            }
            for (std::int64_t k = 0; k < K; ++k)
                y.at(p, q, k) = double(scale[std::size_t(k)]) * sum[std::size_t(k)] + double(offset[std::size_t(k)]);
        }
    return y;
}

/// max(0, a + b), each with zeros where the other is larger.
Map positive_sum(const Map& a, const Map& b)
{
    Map y(std::max(a.side, b.side), std::max(a.C, b.C));
    for (std::int64_t p = 0; p < y.side; ++p)
        for (std::int64_t q = 0; q < y.side; ++q)
            for (std::int64_t c = 0; c < y.C; ++c) y.at(p, q, c) = std::max(0.0, a.get(p, q, c) + b.get(p, q, c));
    return y;
}

/// Windows of `window` every 2, their largest or their mean.
Map pooled(const Map& x, std::int64_t window, bool largest)
{
    Map y((x.side - window) / 2 + 1, x.C);
    for (std::int64_t p = 0; p < y.side; ++p)
        for (std::int64_t q = 0; q < y.side; ++q)
            for (std::int64_t c = 0; c < x.C; ++c) {
                double most = x.get(2 * p, 2 * q, c), sum = 0;
                for (std::int64_t i = 0; i < window * window; ++i) {
                    const double v = x.get(2 * p + i / window, 2 * q + i % window, c);
                    most = std::max(most, v);
                    sum += v;
                }
                y.at(p, q, c) = largest ? most : sum / double(window * window);
            }
    return y;
}

std::vector<double> described(const RandomNetwork& net, const std::vector<float>& bgr)
{
    const double mean[3] = {122.782, 117.001, 104.298}; // RGB
    Map x(150, 3);
    for (std::size_t i = 0; i < x.v.size(); ++i)
        x.v[i] = (255 * double(bgr[i - i % 3 + 2 - i % 3]) - mean[i % 3]) / 256;
    const Map nothing(0, 0);
    x = pooled(positive_sum(convolved(net, "conv32_down", x, 2), nothing), 3, true);
    EXPECT_EQ(x.side, 35);
    for (const auto& [name, C, K] : RandomNetwork::blocks()) {
        const bool halves = name.find("down") != std::string::npos;
        const Map inner = positive_sum(convolved(net, name + ".conv1", x, halves ? 2 : 1), nothing);
        x = positive_sum(convolved(net, name + ".conv2", inner, 1), halves ? pooled(x, 2, false) : x);
    }
    EXPECT_EQ(x.side, 2);
    std::vector<double> y(128);
    for (std::int64_t i = 0; i < 4 * 256; ++i)
        for (std::size_t k = 0; k < 128; ++k)
            y[k] += x.v[std::size_t(i)] / 4 * double(net.values.at("fc")[std::size_t(i % 256) * 128 + k]);
    return y;
}

TEST(Identity, agrees_with_plain_loops)
{
    const TempFolder folder;
    const RandomNetwork random;
    random.write(folder / "net.safetensors");
    const auto device = kernels::open_device("cpu");
    IdentityNetwork network(*device, SafetensorsFile(folder / "net.safetensors"));
    // Six pictures, more than a batch; the last is looked at.
    const std::size_t size = 150 * 150 * 3;
    const std::vector<float> chips = random_values(std::int64_t(6 * size), 5, 0, 1);
    const auto got = network(chips);
    ASSERT_EQ(got.size(), 6u);
    const std::vector<double> want = described(random, {chips.end() - std::ptrdiff_t(size), chips.end()});
    double norm = 0, error = 0;
    for (std::size_t k = 0; k < 128; ++k) {
        norm += want[k] * want[k];
        error += std::pow(double(got[5][k]) - want[k], 2);
    }
    ASSERT_GT(norm, 1e-3);
    // To first order the relative errors of 29 layers of at most 2304 products add up.
    EXPECT_LE(std::sqrt(error), 30 * gamma32(2304) * std::sqrt(norm));
    EXPECT_EQ(network(chips), got) << "repeats to the bit";
    EXPECT_TRUE(network({}).empty());
}

TEST(Identity, refuses_another_network)
{
    const TempFolder folder;
    const auto device = kernels::open_device("cpu:1");
    const auto says = [&](const RandomNetwork& net, const std::string& part) {
        net.write(folder / "net.safetensors");
        try {
            IdentityNetwork network(*device, SafetensorsFile(folder / "net.safetensors"));
            ADD_FAILURE() << "taken; " << part;
        } catch (const Error& e) {
            EXPECT_EQ(e.kind(), ErrorKind::data);
            EXPECT_NE(std::string(e.what()).find("net.safetensors: " + part), std::string::npos) << e.what();
        }
    };
    RandomNetwork lacking, narrow;
    lacking.values.erase("fc");
    says(lacking, "has no tensor \"fc\"; expected dlib's");
    narrow.shapes["conv64_1.conv2.conv.bias"] = {32};
    narrow.values["conv64_1.conv2.conv.bias"].resize(32);
    says(narrow, "has another shape of \"conv64_1.conv2.conv.bias\"; expected dlib's");
}

TEST(Identity, distances_and_means)
{
    IdentityNetwork::Descriptor a = {}, b = {};
    a[0] = 3, b[127] = 4;
    EXPECT_DOUBLE_EQ(distance(a, b), 5);
    EXPECT_EQ(mean({a, b})[0], 1.5f);
    EXPECT_EQ(mean({a, b})[127], 2);
}

} // namespace
