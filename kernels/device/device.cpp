#include "kernels/device/device.h"

#include "kernels/device/cpu_device.h"
#include "kernels/device/dispatch.h"
#include "kernels/device/plan_device.h"

#if BIFRONS_HAS_CUDA
#include "kernels/device/cuda_device.h"
#endif
#if BIFRONS_HAS_SIM
#include "kernels/device/sim_device.h"
#endif

#include <cstdlib>

namespace bifrons::kernels {

const char* device_kind_name(DeviceKind kind)
{
    switch (kind) {
    case DeviceKind::cpu:
        return "cpu";
    case DeviceKind::sim:
        return "sim";
    case DeviceKind::cuda:
        return "cuda";
    case DeviceKind::plan:
        return "plan";
    }
    return "?";
}

void Device::trim() {}

void Device::upload(Stream stream, void* to, const void* from, std::size_t bytes)
{
    copy(stream, to, from, bytes);
    synchronize(stream);
}

void Device::download(Stream stream, void* to, const void* from, std::size_t bytes)
{
    copy(stream, to, from, bytes);
    synchronize(stream);
}

void Device::enqueue(Stream, std::function<void()>)
{
    throw Error(ErrorKind::bug, str(device_kind_name(kind()), ": host work submitted to a device that runs none"));
}

void Device::account(const char*, const Cost&) {}
void Device::push_range(const std::string&) {}
void Device::pop_range() {}

void check_elements(Target target, const char* op, DType dtype)
{
    const bool cpu = target.kind == DeviceKind::cpu;
    BIFRONS_CHECK(shape, dtype == DType::f32 || dtype == DType::bf16 || (cpu && dtype == DType::f64), op, ": ",
                  dtype_name(dtype), " values; expected f32 or bf16", cpu ? ", or f64," : "", " on ",
                  cpu ? "a cpu" : "a GPU");
}

void throw_no_kernel(const Exec& ex, const char* op)
{
    throw Error(ErrorKind::device, str(op, ": has no kernel for device ", device_kind_name(ex.device->kind()),
                                       " in this build. Use --device cpu."));
}

namespace {

[[noreturn, maybe_unused]] void throw_not_built(const std::string& name)
{
    throw Error(ErrorKind::device,
                str("device ", name,
                    ": this program was built without it. Use --device cpu, or rebuild with the CUDA "
                    "toolkit installed (see the README)."));
}

/// The number behind the last ':', or throws.
int parse_number(const std::string& name, const std::string& digits, int low, int high)
{
    char* end = nullptr;
    const long n = std::strtol(digits.c_str(), &end, 10);
    BIFRONS_CHECK(usage, !digits.empty() && *end == '\0' && n >= low && n <= high, "device \"", name, "\": \"", digits,
                  "\" is not a number in ", low, "..", high);
    return int(n);
}

Target plan_target(const std::string& name)
{
    if (name == "plan" || name == "plan:cpu") return {.kind = DeviceKind::cpu, .threads = CpuDevice::usable_threads()};
    if (name == "plan:cuda") return {.kind = DeviceKind::cuda, .sm = 90};
    const std::string prefix = "plan:cuda:sm_";
    BIFRONS_CHECK(usage, name.rfind(prefix, 0) == 0, "device \"", name,
                  "\" is unknown; expected plan, plan:cpu, plan:cuda or plan:cuda:sm_90");
    return {.kind = DeviceKind::cuda, .sm = parse_number(name, name.substr(prefix.size()), 80, 999)};
}

} // namespace

DeviceChoice choose_device()
{
#if BIFRONS_HAS_CUDA
    const std::string reason = cuda_unusable_reason(0);
    return reason.empty() ? DeviceChoice{"cuda:0", "an NVIDIA GPU is usable"} : DeviceChoice{"cpu", reason};
#else
    return {"cpu", "this program was built without CUDA"};
#endif
}

std::unique_ptr<Device> open_device(const std::string& name)
{
    if (name == "auto") return open_device(choose_device().name);
    if (name == "cpu") return std::make_unique<CpuDevice>();
    if (name.rfind("cpu:", 0) == 0) return std::make_unique<CpuDevice>(parse_number(name, name.substr(4), 1, 1024));
    if (name.rfind("plan", 0) == 0) return std::make_unique<PlanDevice>(plan_target(name));
    if (name == "sim" || name.rfind("sim:", 0) == 0) {
#if BIFRONS_HAS_SIM
        if (name == "sim") return std::make_unique<SimDevice>();
        return std::make_unique<SimDevice>(sim::Schedule::parse(name.substr(4)));
#else
        throw_not_built(name);
#endif
    }
    if (name == "cuda" || name.rfind("cuda:", 0) == 0) {
#if BIFRONS_HAS_CUDA
        return open_cuda_device(name == "cuda" ? 0 : parse_number(name, name.substr(5), 0, 1023));
#else
        throw_not_built(name);
#endif
    }
    throw Error(ErrorKind::usage,
                str("device \"", name, "\" is unknown; expected auto, cpu, cpu:THREADS, cuda or cuda:N"));
}

} // namespace bifrons::kernels
