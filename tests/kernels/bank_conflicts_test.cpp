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

TEST(BankConflicts, none_in_the_tiles_of_igemm_mma)
{
    TestDevice device("sim:forward", std::size_t(1) << 20);
    auto& simulator = static_cast<SimDevice&>(device.device());
    simulator.count_accesses();
    const Conv2dShape s = {
        .N = 1, .H = 12, .W = 12, .C = 64, .K = 64, .R = 3, .S = 3, .pad = 1, .method = Conv2dMethod::igemm_mma};
    const auto ones = [&](std::int64_t n) {
        return device.upload(std::vector<bf16>(std::size_t(n), from_f32<bf16>(1)));
    };
    const View x = ones(s.x_size()), w = ones(s.w_size()), dy = ones(s.y_size());
    conv2d_fwd(device.exec(), s, x, w, device.poisoned<bf16>(s.y_size()), {});
    conv2d_dgrad(device.exec(), s, dy, w, {.out = device.poisoned<bf16>(s.x_size())});
    conv2d_wgrad(device.exec(), s, dy, x, device.poisoned<float>(s.w_size()), {}, false);
    for (const char* kernel : {"conv2d_fwd igemm_mma", "conv2d_dgrad igemm_mma", "conv2d_wgrad igemm_mma"})
        expect_no_conflicts(simulator, kernel, "kernels/conv2d/igemm");
}

} // namespace
