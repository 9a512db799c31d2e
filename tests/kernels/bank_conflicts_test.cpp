// Kernels whose shared memory is laid out so that no bank serves two words of a request at once: counted, see
// kernels/sim/access_counter.h. In a plain build what ldmatrix and cp.async do, in the race check's every access.
#include "kernels/base/bf16.h"
#include "kernels/conv2d/conv2d.h"
#include "kernels/device/sim_device.h"
#include "tests/support/devices.h"

using namespace bifrons;
using namespace bifrons::kernels;
using namespace bifrons::test;

namespace {

/// Each place in a file that the kernel accesses shared memory from; but not packets, which the host's compiler may
/// take apart.
void expect_no_conflicts(const SimDevice& device, const std::string& kernel, const std::string& file)
{
    int places = 0;
    for (const sim::AccessCount& count : device.access_counts(kernel)) {
        const std::string innermost = count.place.substr(0, count.place.find(':'));
        if (count.phases == 0 || innermost.find(file) == std::string::npos) continue;
        EXPECT_EQ(count.ways(), 1) << kernel << " at " << count.place;
        ++places;
    }
    EXPECT_GT(places, 0) << kernel;
}

/// The three passes on ones of type T, counted.
template <class T>
class Counted {
  public:
    explicit Counted(const Conv2dShape& s) : simulator_(static_cast<SimDevice&>(device_.device()))
    {
        simulator_.count_accesses();
        const auto ones = [&](std::int64_t n) {
            return device_.upload(std::vector<T>(std::size_t(n), from_f32<T>(1)));
        };
        const View x = ones(s.x_size()), w = ones(s.w_size()), dy = ones(s.y_size());
        run(device_.exec(), Conv2dFwd{s, x, w, device_.poisoned<T>(s.y_size()), {}});
        run(device_.exec(), Conv2dDgrad{s, dy, w, {.out = device_.poisoned<T>(s.x_size())}});
        run(device_.exec(), Conv2dWgrad{s, dy, x, device_.poisoned<float>(s.w_size()), {}, false});
    }
    void expect_none(const std::string& kernel, const std::string& file = "kernels/conv2d/igemm")
    {
        expect_no_conflicts(simulator_, kernel, file);
    }

  private:
    TestDevice device_{"sim:forward", std::size_t(1) << 20};
    SimDevice& simulator_;
};

Conv2dShape square(std::int64_t C, std::int64_t K, Conv2dMethod method, bool tf32 = false)
{
    return {.N = 1, .H = 12, .W = 12, .C = C, .K = K, .R = 3, .S = 3, .pad = 1, .method = method, .tf32 = tf32};
}

template <class T>
void expect_none_in_igemm(std::int64_t channels)
{
    SCOPED_TRACE(channels);
    Counted<T> counted(square(channels, channels, Conv2dMethod::igemm_mma, true));
    for (const char* kernel : {"conv2d_fwd igemm_mma", "conv2d_dgrad igemm_mma", "conv2d_wgrad igemm_mma"})
        counted.expect_none(kernel);
}

/// The checked build counts plain reads too, and where rows of y are no whole runs the sums are read one by one on
/// their way out, with conflicts that the tiles do not have.
bool counts_tiles_alone(std::int64_t channels)
{
    return !BIFRONS_SIM_CHECK || channels == 64;
}

TEST(BankConflicts, none_in_the_tiles_of_igemm_mma)
{
    for (const std::int64_t channels : {64, 44, 22}) // copies of 16, 8 and 4 bytes
        if (counts_tiles_alone(channels)) expect_none_in_igemm<bf16>(channels);
}

TEST(BankConflicts, none_in_the_tiles_of_igemm_mma_in_tf32)
{
    for (const std::int64_t channels : {64, 22, 11})
        if (counts_tiles_alone(channels)) expect_none_in_igemm<float>(channels);
}

TEST(BankConflicts, none_in_the_tiles_of_few_channels_and_head)
{
    Counted<bf16> head(square(64, 9, Conv2dMethod::automatic));
    for (const char* kernel : {"conv2d_fwd head", "conv2d_wgrad few_channels"}) head.expect_none(kernel);
    Counted<bf16> narrow_head(square(22, 9, Conv2dMethod::automatic));
    narrow_head.expect_none("conv2d_fwd head");
#if !BIFRONS_SIM_CHECK // which counts the gathering of windows too
    head.expect_none("conv2d_dgrad few_channels", "kernels/conv2d/conv2d_few_channels.cu");
#endif
}

} // namespace
