// Which method `automatic` comes to on a GPU.
#include "kernels/conv2d/conv2d_methods.h"

#include <gtest/gtest.h>

using namespace bifrons;
using namespace bifrons::kernels;

namespace {

struct Choice {
    const char* layer;
    Conv2dShape s;
    DType dtype;
    const char *fwd, *dgrad, *wgrad;
};

const Conv2dShape kFirst{.N = 8, .H = 64, .W = 64, .C = 3, .K = 64, .R = 5, .S = 5, .stride = 2, .pad = 2};
const Conv2dShape kMiddle{.N = 8, .H = 32, .W = 32, .C = 64, .K = 128, .R = 3, .S = 3, .pad = 1};
const Conv2dShape kHead{.N = 8, .H = 64, .W = 64, .C = 64, .K = 3, .R = 1, .S = 1};
const Conv2dShape kWideHead{.N = 8, .H = 64, .W = 64, .C = 64, .K = 16, .R = 3, .S = 3, .pad = 1};
const Conv2dShape kOnePixelHead{.N = 8, .C = 64, .K = 3};
const Conv2dShape kDense{.N = 8, .C = 4, .K = 128};

Conv2dShape in_tf32(Conv2dShape s)
{
    s.tf32 = true;
    return s;
}

const Choice kChoices[] = {
    {"first", kFirst, DType::bf16, "few_channels", "direct", "few_channels"},
    {"first", kFirst, DType::f32, "tiled", "tiled", "tiled"},
    {"first in tf32", in_tf32(kFirst), DType::f32, "igemm_mma", "igemm_mma", "igemm_mma"},
    {"middle", kMiddle, DType::bf16, "igemm_mma", "igemm_mma", "igemm_mma"},
    {"middle", kMiddle, DType::f32, "tiled", "tiled", "tiled"},
    {"middle in tf32", in_tf32(kMiddle), DType::f32, "igemm_mma", "igemm_mma", "igemm_mma"},
    {"head", kHead, DType::bf16, "head", "few_channels", "few_channels"},
    {"head", kHead, DType::f32, "tiled", "tiled", "tiled"},
    {"wide head", kWideHead, DType::bf16, "head", "igemm_mma", "igemm_mma"},
    {"head of one pixel", kOnePixelHead, DType::bf16, "igemm_mma", "direct", "direct"},
    {"dense", kDense, DType::bf16, "igemm_mma", "igemm_mma", "igemm_mma"},
};

TEST(Conv2dGpuMethods, automatic_takes_the_first_that_supports_the_pass_and_pays)
{
    for (const Choice& c : kChoices) {
        SCOPED_TRACE(str(c.layer, " ", dtype_name(c.dtype)));
        EXPECT_STREQ(conv2d_gpu_method(Conv2dPass::fwd, c.s, c.dtype).name, c.fwd);
        EXPECT_STREQ(conv2d_gpu_method(Conv2dPass::dgrad, c.s, c.dtype).name, c.dgrad);
        EXPECT_STREQ(conv2d_gpu_method(Conv2dPass::wgrad, c.s, c.dtype).name, c.wgrad);
    }
}

TEST(Conv2dGpuMethods, a_method_that_is_named_is_taken_whatever_pays)
{
    Conv2dShape s = kMiddle;
    s.method = Conv2dMethod::direct;
    EXPECT_STREQ(conv2d_gpu_method(Conv2dPass::fwd, s, DType::bf16).name, "direct");
    s.method = Conv2dMethod::loops;
    EXPECT_THROW(conv2d_gpu_method(Conv2dPass::fwd, s, DType::bf16), Error);
}

TEST(Conv2dGpuMethods, each_pass_that_a_method_supports_has_code)
{
    for (const Conv2dMethod method : {Conv2dMethod::direct, Conv2dMethod::tiled, Conv2dMethod::igemm_mma,
                                      Conv2dMethod::few_channels, Conv2dMethod::head})
        for (const Choice& c : kChoices) {
            Conv2dShape s = c.s;
            s.method = method;
            const Conv2dGpuMethod& m = conv2d_gpu_method(Conv2dPass::fwd, s, c.dtype);
            SCOPED_TRACE(str(m.name, " ", c.layer));
            EXPECT_TRUE(m.fwd || !m.supports(Conv2dPass::fwd, s, c.dtype));
            EXPECT_TRUE(m.dgrad || !m.supports(Conv2dPass::dgrad, s, c.dtype));
            EXPECT_TRUE(m.wgrad || !m.supports(Conv2dPass::wgrad, s, c.dtype));
        }
}

} // namespace
