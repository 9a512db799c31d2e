// The benchmarks' table of layers against the network itself, as its training step is planned.
#include "bench/layers.h"
#include "kernels/device/plan_device.h"
#include "model/trainer.h"

#include <gtest/gtest.h>

using namespace bifrons;

namespace {

struct Untouched : BatchSource {
    void enqueue(kernels::Exec, const kernels::StepState*, Batch&) override {}
};

/// The network's own name of a layer of one identity: "decoder.up0" is "decoder_src.up0".
std::string name_in(const bench::Layer& layer, const std::string& identity)
{
    const std::string decoder = "decoder";
    return layer.identities == 2 ? layer.name : decoder + "_" + identity + layer.name.substr(decoder.size());
}

class LayersTest : public ::testing::TestWithParam<int> {};
INSTANTIATE_TEST_SUITE_P(Resolutions, LayersTest, ::testing::Values(64, 128, 256));

TEST_P(LayersTest, are_those_of_the_network)
{
    model::Settings settings;
    settings.archi = "df-ud";
    settings.resolution = GetParam();
    settings.batch_size = 3;
    const auto device = kernels::open_device("plan:cuda:sm_90");
    Untouched source;
    model::Trainer trainer(*device, settings, source, nullptr);
    std::map<std::string, double> flops; // forward, by layer
    for (const auto& [path, cost] : trainer.costs())
        if (path.ends_with("/conv2d_fwd") || path.ends_with("/dense_fwd"))
            flops[path.substr(0, path.find('/'))] += cost.flops;
    std::set<std::string> weights;
    for (const auto& entry : trainer.parameters().entries())
        if (entry.name.ends_with(".weight")) weights.insert(entry.name);

    for (const bench::Layer& layer : bench::layers_of(settings.resolution, settings.e_dims, settings.ae_dims,
                                                      settings.d_dims, settings.d_mask_dims))
        for (const char* identity : {"src", "dst"}) {
            const std::string name = name_in(layer, identity);
            const int number = trainer.parameters().find(name + ".weight");
            ASSERT_GE(number, 0) << name;
            const kernels::Conv2dShape s = layer.shape(settings.batch_size);
            const Shape expected = layer.dense() ? Shape{s.K, s.C} : Shape{s.K, s.R, s.S, s.C};
            EXPECT_EQ(trainer.parameters().entries()[std::size_t(number)].shape, expected) << name;
            EXPECT_EQ(flops[name], 2.0 * double(s.y_size() * s.R * s.S * s.C)) << name;
            weights.erase(name + ".weight");
        }
    EXPECT_TRUE(weights.empty()) << "not in the table: " << *weights.begin();
}

} // namespace
