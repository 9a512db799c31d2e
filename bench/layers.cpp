#include "bench/layers.h"

#include "kernels/base/error.h"

namespace bifrons::bench {

namespace {

kernels::Conv2dShape convolution(std::int64_t side, std::int64_t C, std::int64_t K, std::int64_t R,
                                 std::int64_t stride = 1)
{
    return {.H = side, .W = side, .C = C, .K = K, .R = R, .S = R, .stride = stride, .pad = (R - 1) / 2};
}

constexpr float kScaleSlope = 0.1f, kResidualSlope = 0.2f;

Layer upscale(const std::string& name, int identities, std::int64_t side, std::int64_t C, std::int64_t K,
              float input_slope)
{
    return {.name = name,
            .identities = identities,
            .s = convolution(side, C, 4 * K, 3),
            .slope = kScaleSlope,
            .input_slope = input_slope,
            .shuffle = 2};
}

} // namespace

std::vector<Layer> layers_of(std::int64_t resolution, std::int64_t e, std::int64_t ae, std::int64_t d, std::int64_t m)
{
    std::vector<Layer> layers;
    std::int64_t side = resolution, C = 3;
    for (int i = 0; i < 4; ++i, side /= 2) {
        layers.push_back({.name = str("encoder.down", i + 1),
                          .identities = 2,
                          .s = convolution(side, C, e << i, 5, 2),
                          .slope = kScaleSlope,
                          .input_slope = i == 0 ? 1 : kScaleSlope,
                          .picture = i == 0});
        C = e << i;
    }
    const std::int64_t low = resolution / 32;
    layers.push_back({.name = "inter.dense1", .identities = 2, .s = convolution(1, side * side * C, ae, 1)});
    layers.push_back({.name = "inter.dense2", .identities = 2, .s = convolution(1, ae, low * low * ae, 1)});
    layers.push_back(upscale("inter.upscale1", 2, low, ae, ae, 1));

    side = 2 * low, C = ae;
    for (int i = 0; i < 3; ++i) {
        const std::int64_t K = 8 * d >> i;
        layers.push_back(upscale(str("decoder.up", i), 1, side, C, K, i == 0 ? kScaleSlope : kResidualSlope));
        side *= 2, C = K;
        layers.push_back({.name = str("decoder.res", i, ".conv1"),
                          .s = convolution(side, C, C, 3),
                          .slope = kResidualSlope,
                          .input_slope = kScaleSlope,
                          .skipped = true});
        layers.push_back({.name = str("decoder.res", i, ".conv2"),
                          .s = convolution(side, C, C, 3),
                          .slope = kResidualSlope,
                          .input_slope = kResidualSlope,
                          .add = true});
    }
    layers.push_back(
        {.name = "decoder.out", .s = convolution(side, C, 3, 1), .input_slope = kResidualSlope, .head = true});
    layers.push_back(
        {.name = "decoder.out3", .s = convolution(side, C, 9, 3), .input_slope = kResidualSlope, .head = true});

    side = 2 * low, C = ae;
    for (int i = 0; i < 4; ++i, side *= 2) {
        const std::int64_t K = 8 * m >> i;
        layers.push_back(upscale(str("decoder.mask_up", i), 1, side, C, K, kScaleSlope));
        C = K;
    }
    layers.push_back(
        {.name = "decoder.mask_out", .s = convolution(side, C, 1, 1), .input_slope = kScaleSlope, .head = true});
    return layers;
}

} // namespace bifrons::bench
