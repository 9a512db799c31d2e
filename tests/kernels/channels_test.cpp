#include "kernels/pointwise/channels.h"

#include "kernels/pointwise/channels_ref.h"
#include "tests/support/stores.h"

using namespace bifrons;
using namespace bifrons::kernels;
using namespace bifrons::test;

namespace {

class ChannelsTest : public OnDevice {};
BIFRONS_ON_ALL_DEVICES(ChannelsTest);
class F64ChannelsTest : public OnDevice {};
BIFRONS_ON_CPU(F64ChannelsTest);
class Bf16ChannelsTest : public OnDevice {};
BIFRONS_ON_ALL_DEVICES(Bf16ChannelsTest);

const ChannelsShape kShapes[] = {{1, 1, 1}, {7, 2, 3}, {500, 17, 5}, {3, 1, 4000}, {37, 8, 16}};

TEST_P(ChannelsTest, puts_a_before_b_in_every_row)
{
    const View y = device().poisoned<float>(6);
    run(exec(),
        ConcatChannels{
            {.rows = 2, .A = 1, .B = 2}, device().upload<float>({1, 2}), device().upload<float>({10, 11, 20, 21}), y});
    EXPECT_EQ(device().download<float>(y, 6), (std::vector<float>{1, 10, 11, 2, 20, 21}));
}

template <class T>
void expect_agreement(TestDevice& device, const ChannelsShape& s)
{
    const auto a = random_values<T>(s.rows * s.A, 1), b = random_values<T>(s.rows * s.B, 2);
    std::vector<T> want(std::size_t(s.size()));
    ref::concat_channels(s, a.data(), b.data(), want.data());
    const View y = device.poisoned<T>(s.size());
    run(device.exec(), ConcatChannels{s, device.upload(a), device.upload(b), y});
    EXPECT_EQ(bits_of(device.download<T>(y, s.size())), bits_of(want));

    expect_stores<T>(device, cast<double>(a), std::vector<double>(a.size(), 0.0), [&](const Store& d) {
        run(device.exec(), SplitChannels{s, y, d, {}});
    });
    expect_stores<T>(device, cast<double>(b), std::vector<double>(b.size(), 0.0), [&](const Store& d) {
        run(device.exec(), SplitChannels{s, y, {}, d});
    });
    const View both_a = device.poisoned<T>(s.rows * s.A), both_b = device.poisoned<T>(s.rows * s.B);
    run(device.exec(), SplitChannels{s, y, {.out = both_a}, {.out = both_b}});
    EXPECT_EQ(bits_of(device.download<T>(both_a, s.rows * s.A)), bits_of(a));
    EXPECT_EQ(bits_of(device.download<T>(both_b, s.rows * s.B)), bits_of(b));
}

TEST_P(ChannelsTest, agrees_with_the_definition_and_is_undone_by_split)
{
    for (const ChannelsShape& s : kShapes) expect_agreement<float>(device(), s);
}
TEST_P(F64ChannelsTest, agrees_with_the_definition_and_is_undone_by_split)
{
    for (const ChannelsShape& s : kShapes) expect_agreement<double>(device(), s);
}
TEST_P(Bf16ChannelsTest, agrees_with_the_definition_and_is_undone_by_split)
{
    for (const ChannelsShape& s : kShapes) expect_agreement<bf16>(device(), s);
}

TEST(Channels, refuses_mixed_element_types)
{
    TestDevice cpu("cpu");
    const View a = cpu.upload<float>({1}), b = cpu.upload<double>({1}), y = cpu.poisoned<float>(2);
    EXPECT_THROW(run(cpu.exec(), ConcatChannels{{}, a, b, y}), Error);
}

} // namespace
