#include "kernels/pointwise/depth_to_space.h"

#include "kernels/pointwise/depth_to_space_ref.h"
#include "tests/support/stores.h"

using namespace bifrons;
using namespace bifrons::kernels;
using namespace bifrons::test;

namespace {

class DepthToSpaceTest : public OnDevice {};
BIFRONS_ON_ALL_DEVICES(DepthToSpaceTest);
class F64DepthToSpaceTest : public OnDevice {};
BIFRONS_ON_CPU(F64DepthToSpaceTest);
class Bf16DepthToSpaceTest : public OnDevice {};
BIFRONS_ON_ALL_DEVICES(Bf16DepthToSpaceTest);

TEST_P(DepthToSpaceTest, orders_differ_as_their_names_say)
{
    // One pixel, 8 channels = 2x2 blocks of 2 channels, to 2 x 2 pixels.
    const View x = device().upload<float>({0, 1, 2, 3, 4, 5, 6, 7}), y = device().poisoned<float>(8);
    run(exec(), DepthToSpace{{.C = 2, .order = ShuffleOrder::dcr}, x, y});
    EXPECT_EQ(device().download<float>(y, 8), (std::vector<float>{0, 1, 2, 3, 4, 5, 6, 7}));
    run(exec(), DepthToSpace{{.C = 2, .order = ShuffleOrder::crd}, x, y});
    EXPECT_EQ(device().download<float>(y, 8), (std::vector<float>{0, 4, 1, 5, 2, 6, 3, 7}));
    // Two pixels side by side: the second row of each lands below.
    run(exec(), DepthToSpace{{.W = 2}, x, y});
    EXPECT_EQ(device().download<float>(y, 8), (std::vector<float>{0, 1, 4, 5, 2, 3, 6, 7}));
}

template <class T>
void expect_agreement(TestDevice& device, const DepthToSpaceShape& s)
{
    const auto x = random_values<T>(s.size(), 1);
    std::vector<T> want(x.size());
    ref::depth_to_space(s, x.data(), want.data());
    const View y = device.poisoned<T>(s.size());
    run(device.exec(), DepthToSpace{s, device.upload(x), y});
    EXPECT_EQ(bits_of(device.download<T>(y, s.size())), bits_of(want));
    const std::vector<double> exact(x.size(), 0.0);
    expect_stores<T>(device, cast<double>(x), exact, [&](const Store& d) {
        run(device.exec(), SpaceToDepth{s, y, d});
    });
}

template <class T>
void expect_agreement_at_all_shapes(TestDevice& device)
{
    for (const ShuffleOrder order : {ShuffleOrder::dcr, ShuffleOrder::crd})
        for (const DepthToSpaceShape s :
             {DepthToSpaceShape{1, 1, 1, 1, 1, order}, DepthToSpaceShape{2, 3, 5, 7, 2, order},
              DepthToSpaceShape{1, 4, 2, 3, 3, order}, DepthToSpaceShape{2, 3, 2, 16, 2, order}})
            expect_agreement<T>(device, s);
}

TEST_P(DepthToSpaceTest, agrees_with_the_definition_and_is_undone_by_its_inverse)
{
    expect_agreement_at_all_shapes<float>(device());
}
TEST_P(F64DepthToSpaceTest, agrees_with_the_definition_and_is_undone_by_its_inverse)
{
    expect_agreement_at_all_shapes<double>(device());
}
TEST_P(Bf16DepthToSpaceTest, agrees_with_the_definition_and_is_undone_by_its_inverse)
{
    expect_agreement_at_all_shapes<bf16>(device());
}

TEST_P(DepthToSpaceTest, dcr_is_the_shuffle_of_the_store_formula)
{
    const DepthToSpaceShape s{2, 3, 4, 5, 2, ShuffleOrder::dcr};
    const View x = device().upload(random_values(s.size(), 3)), y = device().poisoned<float>(s.size()),
               fused = device().poisoned<float>(s.size());
    run(exec(), DepthToSpace{s, x, y});
    run(exec(), EpilogueFwd{{s.N, s.H, s.W, 4 * s.C}, x, fused, {.shuffle = 2}});
    EXPECT_EQ(device().download<float>(y, s.size()), device().download<float>(fused, s.size()));
}

} // namespace
