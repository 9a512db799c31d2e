// tests/support/devices.h - cases are declared once and run on every device present. cuda is skipped, never passed,
// where there is none.
#pragma once

#include "kernels/device/dispatch.h"

#include <gtest/gtest.h>

#include <cstring>

namespace bifrons::test {

/// A device with room for an operation's scratch; uploads and downloads wait.
class TestDevice {
  public:
    explicit TestDevice(const std::string& name, std::size_t workspace_bytes = std::size_t(64) << 20)
        : device_(kernels::open_device(name))
    {
        workspace_ = {device_->allocate(workspace_bytes), workspace_bytes};
    }
    ~TestDevice()
    {
        for (void* data : buffers_) device_->free(data);
        device_->free(workspace_.data);
    }
    TestDevice(const TestDevice&) = delete;

    kernels::Device& device() { return *device_; }
    kernels::Exec exec() { return {device_.get(), {}, workspace_}; }
    /// With exactly the workspace that is stated: the simulator sees what is written beyond.
    kernels::Exec exec(const kernels::Cost& cost)
    {
        const std::size_t bytes = cost.workspace_bytes;
        return {device_.get(), {}, {bytes ? poisoned<std::uint8_t>(std::int64_t(bytes)).data : nullptr, bytes}};
    }

    /// In exactly the workspace that the operation asks for.
    template <class Op>
    void run_with_workspace(const Op& op)
    {
        kernels::run(exec(op.cost(device_->target())), op);
    }

    template <class T>
    kernels::View upload(const std::vector<T>& values)
    {
        void* data = device_->allocate(values.size() * sizeof(T));
        buffers_.push_back(data);
        device_->upload({}, data, values.data(), values.size() * sizeof(T));
        return {data, kernels::dtype_of<T>()};
    }
    /// n elements of 0xFF: NaN in every float type, so that what is not written shows.
    template <class T>
    kernels::View poisoned(std::int64_t n)
    {
        void* data = device_->allocate(std::size_t(n) * sizeof(T));
        buffers_.push_back(data);
        device_->fill({}, data, 0xFF, std::size_t(n) * sizeof(T));
        return {data, kernels::dtype_of<T>()};
    }
    template <class T>
    std::vector<T> download(kernels::ConstView view, std::int64_t n)
    {
        std::vector<T> values(static_cast<std::size_t>(n));
        device_->download({}, values.data(), view.as<T>(), values.size() * sizeof(T));
        return values;
    }

  private:
    std::unique_ptr<kernels::Device> device_;
    kernels::Workspace workspace_;
    std::vector<void*> buffers_;
};

/// Why the device cannot be used here; empty if it can.
inline std::string absent(const std::string& name)
{
    try {
        kernels::open_device(name);
        return "";
    } catch (const Error& e) {
        return e.what();
    }
}

/// Base of tests that run on a device named by their parameter: TEST_P(MyTest, name) { device().upload(...) }.
class OnDevice : public ::testing::TestWithParam<std::string> {
  protected:
    void SetUp() override
    {
        if (const std::string why = absent(GetParam()); !why.empty()) GTEST_SKIP() << why;
        const bool poisons_memory = GetParam().rfind("sim", 0) == 0; // which takes its time
        device_ = std::make_unique<TestDevice>(GetParam(), std::size_t(poisons_memory ? 8 : 64) << 20);
    }
    TestDevice& device() { return *device_; }
    kernels::Exec exec() { return device_->exec(); }
    kernels::Exec exec(const kernels::Cost& cost) { return device_->exec(cost); }
    template <class Op>
    void run_with_workspace(const Op& op)
    {
        device_->run_with_workspace(op);
    }
    kernels::Target target() { return device_->device().target(); }

  private:
    std::unique_ptr<TestDevice> device_;
};

/// The schedules that a build tries the simulator with: four; two where each access is checked, which needs no luck;
/// one under AddressSanitizer, which looks at addresses alone.
inline std::vector<std::string> simulators()
{
#if BIFRONS_SIM_CHECK
    return {"sim:forward", "sim:warps:1"};
#elif defined(__SANITIZE_ADDRESS__)
    return {"sim:random:1"};
#else
    return {"sim:forward", "sim:reverse", "sim:random:1", "sim:warps:1"};
#endif
}

/// These devices, the simulators, and cuda.
inline std::vector<std::string> with_gpu_devices(std::vector<std::string> devices)
{
    for (const std::string& simulator : simulators()) devices.push_back(simulator);
    devices.push_back("cuda");
    return devices;
}

/// Operations that have CUDA kernels: every device. Others: cpu only, until their kernels are written.
#define BIFRONS_ON_ALL_DEVICES(Suite)                                                                                  \
    INSTANTIATE_TEST_SUITE_P(Devices, Suite, ::testing::ValuesIn(::bifrons::test::with_gpu_devices({"cpu", "cpu:1"})), \
                             ::bifrons::test::device_test_name)
/// bf16 storage: the devices that run the CUDA kernels.
#define BIFRONS_ON_GPU_DEVICES(Suite)                                                                                  \
    INSTANTIATE_TEST_SUITE_P(Devices, Suite, ::testing::ValuesIn(::bifrons::test::with_gpu_devices({})),               \
                             ::bifrons::test::device_test_name)
#define BIFRONS_ON_CPU(Suite)                                                                                          \
    INSTANTIATE_TEST_SUITE_P(Devices, Suite, ::testing::Values("cpu", "cpu:1"), ::bifrons::test::device_test_name)

inline std::string device_test_name(const ::testing::TestParamInfo<std::string>& info)
{
    std::string name = info.param;
    for (char& c : name)
        if (c == ':') c = '_';
    return name;
}

} // namespace bifrons::test
