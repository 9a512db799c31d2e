// tests/kernels/access_counts.cpp - what kernels ask of memory, in numbers for docs/kernels/: runs one operation after
// the other on the simulator, on small operands, and prints for each kernel
//
//   requests   of warps to global memory       sectors   pieces of 32 bytes that these touch
//   shared     requests to shared memory       ways      cycles a phase that they take: 1 without bank conflicts;
//                                                        those of packets, which it does not see whole, left out
//
// and before them the operation's Cost. Its counts are of the race check's build (preset simcheck), which sees each
// access; see kernels/sim/access_counter.h.
//
//   build-simcheck/tests/access_counts [BEGINNING OF A CASE'S NAME]
#include "kernels/augment/augment.h"
#include "kernels/augment/blur_outside.h"
#include "kernels/augment/soft_mask.h"
#include "kernels/color/color.h"
#include "kernels/color/match.h"
#include "kernels/conv2d/conv2d_igemm.h"
#include "kernels/device/plan_device.h"
#include "kernels/device/sim_device.h"
#include "kernels/losses/dssim.h"
#include "kernels/losses/mse.h"
#include "kernels/optim/global_norm.h"
#include "kernels/optim/update.h"
#include "kernels/poisson/poisson.h"
#include "tests/support/devices.h"
#include "tests/support/numerics.h"

#include <algorithm>
#include <cstdio>
#include <map>

using namespace bifrons;
using namespace bifrons::kernels;
using namespace bifrons::test;

namespace {

/// An operation on operands of its own, and the names of its kernels.
struct Case {
    std::string name;
    std::vector<std::string> kernels;
    std::function<void(TestDevice&)> run;
};

template <class T>
View random(TestDevice& device, std::int64_t n, double low = 0, double high = 1)
{
    return device.upload(random_values<T>(n, 1, low, high));
}

View state_of(TestDevice& device)
{
    const StepState state{.seed = 5, .step = 7, .applied = 7, .rate = 1e-4f};
    const auto* bytes = reinterpret_cast<const std::uint8_t*>(&state);
    return device.upload(std::vector<std::uint8_t>(bytes, bytes + sizeof state));
}

// ---- convolution -------------------------------------------------------------------------------------------------

Conv2dShape layer(std::int64_t C, std::int64_t K, Conv2dMethod method, bool tf32 = false)
{
    return {.H = 8, .W = 16, .C = C, .K = K, .R = 3, .S = 3, .pad = 1, .method = method, .tf32 = tf32};
}

template <class T>
Case conv_fwd(const std::string& name, const Conv2dShape& s, const std::vector<std::string>& kernels)
{
    return {"conv2d fwd " + name, kernels, [=](TestDevice& device) {
                run(device.exec(), Conv2dFwd{s,
                                             random<T>(device, s.x_size()),
                                             random<T>(device, s.w_size()),
                                             device.poisoned<T>(s.y_size()),
                                             {}});
            }};
}

/// One tile of the implicit matrix product, unsplit.
template <class T>
Case igemm_fwd(const std::string& name, IgemmTile tile, bool tensor_cores)
{
    const auto method = tensor_cores ? Conv2dMethod::igemm_mma : Conv2dMethod::tiled;
    const Conv2dShape s = layer(16, 128, method, tensor_cores && sizeof(T) == 4);
    return {"conv2d fwd " + name, {"conv2d_fwd igemm_mma"}, [=](TestDevice& device) {
                const View x = random<T>(device, s.x_size()), w = random<T>(device, s.w_size()),
                           y = device.poisoned<T>(s.y_size());
                const IgemmPlan plan{.tile = tile, .splits = 1, .tensor_cores = tensor_cores};
                if (device.device().kind() == DeviceKind::sim)
                    run_igemm(sim::Exec{device.exec()}, Conv2dFwd{s, x, w, y}, plan);
                else // which would split the sum
                    run(device.exec(), Conv2dFwd{layer(s.C, s.K, Conv2dMethod::direct), x, w, y, {}});
            }};
}

std::vector<Case> convolutions()
{
    const Conv2dShape first{
        .H = 16, .W = 64, .C = 3, .K = 64, .R = 5, .S = 5, .stride = 2, .pad = 2, .method = Conv2dMethod::direct};
    Conv2dShape head{.H = 16, .W = 32, .C = 64, .K = 9, .R = 3, .S = 3, .pad = 1, .method = Conv2dMethod::direct};
    const auto with = [](Conv2dShape s, Conv2dMethod method) {
        s.method = method;
        return s;
    };
    return {
        conv_fwd<float>("direct f32", layer(16, 128, Conv2dMethod::direct), {"conv2d_fwd direct"}),
        conv_fwd<bf16>("direct bf16", layer(16, 128, Conv2dMethod::direct), {"conv2d_fwd direct"}),
        igemm_fwd<float>("tiled f32 64x64", IgemmTile::medium, false),
        igemm_fwd<float>("tiled f32 128x128", IgemmTile::large, false),
        igemm_fwd<float>("igemm_mma tf32 128x128", IgemmTile::large, true),
        igemm_fwd<bf16>("igemm_mma bf16 64x64", IgemmTile::medium, true),
        igemm_fwd<bf16>("igemm_mma bf16 128x128", IgemmTile::large, true),
        conv_fwd<bf16>("first layer direct", first, {"conv2d_fwd direct"}),
        conv_fwd<bf16>("first layer few_channels", with(first, Conv2dMethod::few_channels),
                       {"conv2d_fwd few_channels"}),
        conv_fwd<bf16>("head direct", head, {"conv2d_fwd direct"}),
        conv_fwd<bf16>("head igemm_mma", with(head, Conv2dMethod::igemm_mma), {"conv2d_fwd igemm_mma"}),
        conv_fwd<bf16>("head by head", with(head, Conv2dMethod::head), {"conv2d_fwd head"}),
    };
}

// ---- the other families ------------------------------------------------------------------------------------------

std::vector<Case> losses()
{
    constexpr std::int64_t kSide = 64, kPixels = kSide * kSide;
    const MseShape pair{.rows = kPixels, .C = 3};
    const DssimShape windows{.H = kSide, .W = kSide, .C = 3};
    return {{"loss mse",
             {"mse_fwd"},
             [=](TestDevice& device) {
                 run(device.exec(), MseFwd{pair, random<float>(device, 3 * kPixels), random<float>(device, 3 * kPixels),
                                           random<float>(device, kPixels), 1, device.poisoned<float>(1)});
             }},
            {"loss mse gradient",
             {"mse_grad"},
             [=](TestDevice& device) {
                 run(device.exec(), MseGrad{pair,
                                            random<float>(device, 3 * kPixels),
                                            random<float>(device, 3 * kPixels),
                                            random<float>(device, kPixels),
                                            1,
                                            device.upload<float>({1}),
                                            {.out = device.poisoned<float>(3 * kPixels)}});
             }},
            {"loss dssim and its gradient", {"dssim_fwd", "dssim_grad"}, [=](TestDevice& device) {
                 const View a = random<float>(device, 3 * kPixels), b = random<float>(device, 3 * kPixels),
                            slopes = device.poisoned<float>(3 * windows.windows());
                 run(device.exec(), DssimFwd{windows, a, b, {}, 1, device.poisoned<float>(1), slopes});
                 run(device.exec(), DssimGrad{windows,
                                              a,
                                              b,
                                              {},
                                              1,
                                              slopes,
                                              device.upload<float>({1}),
                                              {.out = device.poisoned<float>(3 * kPixels)}});
             }}};
}

std::vector<Case> optimizers()
{
    constexpr std::int64_t kCount = 1 << 14;
    const auto arenas = [](TestDevice& device, bool mean) {
        return UpdateArenas{.w = random<float>(device, kCount),
                            .g = random<float>(device, kCount),
                            .m = mean ? random<float>(device, kCount) : View{},
                            .v = random<float>(device, kCount)};
    };
    const auto state = [](TestDevice& device) { return static_cast<const StepState*>(state_of(device).data); };
    return {
        {"optimizer global_norm",
         {"global_norm"},
         [](TestDevice& device) {
             run(device.exec(), GlobalNorm{kCount, random<float>(device, kCount), device.poisoned<float>(1)});
         }},
        {"optimizer rmsprop",
         {"update"},
         [=](TestDevice& device) {
             run(device.exec(), Update{kCount, {.rule = UpdateRule::rmsprop}, arenas(device, false), state(device)});
         }},
        {"optimizer adam",
         {"update"},
         [=](TestDevice& device) {
             run(device.exec(), Update{kCount, {}, arenas(device, true), state(device)});
         }},
        {"optimizer adam, packed copy and average", {"update"}, [=](TestDevice& device) {
             UpdateArenas all = arenas(device, true);
             all.packed = device.poisoned<bf16>(kCount);
             all.average = random<float>(device, kCount);
             run(device.exec(), Update{kCount, {.average_decay = 0.999f}, all, state(device)});
         }}};
}

Case drawn_batch(const std::string& name, std::int64_t side, const AugmentOptions& options)
{
    return {"augmentation " + name, {"augment"}, [=](TestDevice& device) {
                const BatchShape s{.N = 1, .side = 16};
                const std::int64_t count = 2, face = side * side;
                Faces faces{.count = count, .side = side};
                faces.images = device.upload(std::vector<std::uint8_t>(std::size_t(count * face * 3), 100));
                faces.masks = device.upload(std::vector<std::uint8_t>(std::size_t(count * face), 255));
                const std::int64_t pixels = s.N * s.side * s.side;
                run(device.exec(), Augment{s,
                                           options,
                                           faces,
                                           static_cast<const StepState*>(state_of(device).data),
                                           {device.poisoned<float>(3 * pixels), device.poisoned<float>(3 * pixels),
                                            device.poisoned<float>(pixels)}});
            }};
}

std::vector<Case> augmentations()
{
    constexpr std::int64_t kSide = 32, kPixels = 2 * kSide * kSide;
    return {drawn_batch("batch as it is", 16, {.rotation_deg = 0, .scale = 0, .shift = 0, .flip = 0, .warp = false}),
            drawn_batch("batch turned and warped", 16, {}),
            drawn_batch("batch from faces of twice the side", 32, {}),
            {"augmentation soft_mask",
             {"soft_mask"},
             [=](TestDevice& device) {
                 run(device.exec(), SoftMask{{.N = 2, .H = kSide, .W = kSide, .sigma = 2},
                                             random<float>(device, kPixels),
                                             device.poisoned<float>(kPixels)});
             }},
            {"augmentation blur_outside", {"blur_outside"}, [=](TestDevice& device) {
                 run(device.exec(), BlurOutside{{.N = 2, .H = kSide, .W = kSide, .sigma = 1},
                                                random<float>(device, kPixels),
                                                random<float>(device, 3 * kPixels)});
             }}};
}

std::vector<Case> colours()
{
    constexpr std::int64_t kSide = 32, kPixels = kSide * kSide;
    std::vector<Case> cases = {{"colour statistics", {"color_statistics"}, [](TestDevice& device) {
                                    run(device.exec(),
                                        ColorStatistics{kPixels, random<float>(device, 3 * kPixels),
                                                        random<float>(device, kPixels), device.poisoned<float>(6)});
                                }}};
    for (const auto& [name, kind] :
         {std::pair{"rct", ColorMatch::rct}, std::pair{"lct", ColorMatch::lct}, std::pair{"mkl", ColorMatch::mkl},
          std::pair{"idt", ColorMatch::idt}, std::pair{"sot", ColorMatch::sot}})
        cases.push_back({str("colour ", name), {"color_match"}, [kind = kind](TestDevice& device) {
                             run(device.exec(),
                                 MatchColors{{.H = kSide, .W = kSide, .kind = kind},
                                             random<float>(device, 3 * kPixels),
                                             device.upload(random_values<float>(3 * kPixels, 2, 0.2, 0.9)),
                                             {},
                                             nullptr,
                                             device.poisoned<float>(3 * kPixels)});
                         }});
    return cases;
}

std::vector<Case> poisson()
{
    std::vector<Case> cases;
    for (const std::int64_t side : {18, 34}) {
        const PoissonShape s{side, side, 3};
        cases.push_back(
            {str("poisson divergence ", side), {"poisson_divergence"}, [s](TestDevice& device) {
                 run(device.exec(),
                     PoissonDivergence{s, random<float>(device, s.size()), {}, {}, device.poisoned<float>(s.size())});
             }});
        cases.push_back({str("poisson solve ", side), {"poisson_solve"}, [s](TestDevice& device) {
                             run(device.exec(), PoissonSolve{s,
                                                             random<float>(device, s.size(), -0.1, 0.1),
                                                             {},
                                                             0.1f / 255,
                                                             random<float>(device, s.size())});
                         }});
    }
    return cases;
}

// ---- printing ----------------------------------------------------------------------------------------------------

Cost cost_of(const Case& c)
{
    TestDevice plan("plan:cuda:sm_90");
    c.run(plan);
    Cost sum;
    for (const PlanDevice::Entry& entry : static_cast<PlanDevice&>(plan.device()).entries()) {
        if (entry.op == std::string("copy") || entry.op == std::string("fill")) continue; // the operands' upload
        sum.flops += entry.cost.flops;
        sum.bytes += entry.cost.bytes;
    }
    return sum;
}

bool is_packet(const sim::AccessCount& at)
{
    return at.place.rfind("kernels/device/packet.cuh", 0) == 0;
}

/// Of a packet, the parts that the host's compiler made of it are one: each touches the same sectors. How its parts
/// suit the banks says nothing about the whole.
std::vector<sim::AccessCount> with_whole_packets(const std::vector<sim::AccessCount>& places)
{
    std::vector<sim::AccessCount> whole;
    std::map<std::string, std::size_t> packets;
    for (const sim::AccessCount& at : places) {
        const auto [found, is_new] = packets.emplace(at.place, whole.size());
        if (!is_packet(at) || is_new) {
            whole.push_back(at);
            continue;
        }
        sim::AccessCount& sum = whole[found->second];
        sum.requests = std::max(sum.requests, at.requests);
        sum.sectors = std::max(sum.sectors, at.sectors);
    }
    return whole;
}

void print_counts(const std::string& kernel, const std::vector<sim::AccessCount>& places)
{
    sim::AccessCount global, shared;
    for (const sim::AccessCount& at : with_whole_packets(places)) {
        const bool copies = at.phases > 0 && at.sectors > 0; // from one memory to the other: a request to each
        if (at.sectors > 0) global.requests += copies ? at.requests / 2 : at.requests;
        if (at.phases > 0) shared.requests += copies ? at.requests / 2 : at.requests;
        global.sectors += at.sectors;
        shared.phases += is_packet(at) ? 0 : at.phases;
        shared.cycles += is_packet(at) ? 0 : at.cycles;
    }
    std::printf("    %-26s %9lld requests %9lld sectors", kernel.c_str(), static_cast<long long>(global.requests),
                static_cast<long long>(global.sectors));
    if (shared.requests > 0) std::printf(" %9lld shared", static_cast<long long>(shared.requests));
    if (shared.phases > 0) std::printf(" %6.2f ways", shared.ways());
    std::printf("\n");
}

void print(const Case& c)
{
    const Cost cost = cost_of(c);
    TestDevice device("sim:forward");
    auto& simulator = static_cast<SimDevice&>(device.device());
    simulator.count_accesses();
    c.run(device);
    std::printf("%s: %.0f operations, %.0f bytes = %.0f sectors\n", c.name.c_str(), cost.flops, cost.bytes,
                cost.bytes / 32);
    for (const std::string& kernel : c.kernels) print_counts(kernel, simulator.access_counts(kernel));
    std::fflush(stdout); // a case takes its time
}

} // namespace

int main(int argc, char** argv)
{
    const std::string wanted = argc > 1 ? argv[1] : "";
    for (const auto& cases : {convolutions(), losses(), optimizers(), augmentations(), colours(), poisson()})
        for (const Case& c : cases)
            if (c.name.rfind(wanted, 0) == 0) print(c);
}
