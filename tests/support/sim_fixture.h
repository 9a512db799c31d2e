// tests/support/sim_fixture.h - small kernels on the simulator, and what it says about wrong ones.
#pragma once

#include "kernels/device/sim_device.h"
#include "kernels/device/simt.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

namespace bifrons::test {

constexpr const char* kSchedules[] = {"forward", "reverse", "random", "random:1", "random:2", "warps", "warps:1"};

/// Each order with each way of doing asynchronous work.
constexpr const char* kAsyncSchedules[] = {"forward:late",    "forward:early",  "forward:random", "reverse:late",
                                           "reverse:early",   "reverse:random", "random:1:late",  "random:2:early",
                                           "random:3:random", "warps:1:late",   "warps:2:early",  "warps:3:random"};

/// A device with 4096 floats, 0 1 2 ... and as many of poison.
struct SimFixture {
    explicit SimFixture(const std::string& schedule) : device(kernels::sim::Schedule::parse(schedule))
    {
        std::vector<float> values(kFloats);
        std::iota(values.begin(), values.end(), 0.0f);
        device.copy({}, in, values.data(), kFloats * sizeof(float));
    }
    ~SimFixture() { device.free(in), device.free(out); }
    SimFixture(const SimFixture&) = delete;

    /// What the launch says; empty if nothing.
    template <class... Parameters, class... Arguments>
    std::string error_of(void (*kernel)(Parameters...), const kernels::Grid& grid, const Arguments&... arguments)
    {
        try {
            kernels::sim::launch("kernel", kernel, grid, exec(), arguments...);
            return "";
        } catch (const Error& e) {
            EXPECT_EQ(e.kind(), ErrorKind::bug);
            return e.what();
        }
    }
    kernels::Exec exec() { return {.device = &device}; }
    template <class T>
    void set(T* at, std::type_identity_t<T> value)
    {
        device.copy({}, at, &value, sizeof value);
    }

    static constexpr int kFloats = 4096;
    kernels::SimDevice device;
    float* in = static_cast<float*>(device.allocate(kFloats * sizeof(float)));
    float* out = static_cast<float*>(device.allocate(kFloats * sizeof(float)));
};

/// Leaves a test of what a wrong kernel does where the checker stops such a kernel (see sim_check_test.cpp).
#define BIFRONS_SKIP_WHERE_CHECKED()                                                                                   \
    if (::bifrons::kernels::sim::kCheckedKernels) GTEST_SKIP() << "the checker stops this kernel"

/// Whether AddressSanitizer stops the program where memory outside of an object is touched.
#if defined(__SANITIZE_ADDRESS__)
constexpr bool kAddressSanitizer = true;
#else
constexpr bool kAddressSanitizer = false;
#endif

inline ::testing::AssertionResult says(const std::string& text, const std::vector<std::string>& words)
{
    for (const std::string& word : words)
        if (text.find(word) == std::string::npos)
            return ::testing::AssertionFailure() << "\"" << word << "\" is missing in \"" << text << "\"";
    return ::testing::AssertionSuccess();
}

} // namespace bifrons::test
