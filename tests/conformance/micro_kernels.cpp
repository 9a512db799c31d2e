#include "tests/conformance/micro_kernels.h"

#include <random>

namespace bifrons::test {

Words input_words()
{
    std::mt19937 engine(2026);
    Words words(kInputWords);
    for (std::uint32_t& word : words) word = std::uint32_t(engine());
    return words;
}

Words run(kernels::Device& device, const MicroKernel& kernel, const Words& in)
{
    Words out(std::size_t(kernel.words));
    const std::size_t in_bytes = in.size() * sizeof in[0], out_bytes = out.size() * sizeof out[0];
    void *const device_in = device.allocate(in_bytes), *const device_out = device.allocate(out_bytes);
    device.copy({}, device_in, in.data(), in_bytes);
    device.fill({}, device_out, 0, out_bytes);
    kernel.start({.device = &device}, static_cast<const std::uint32_t*>(device_in),
                 static_cast<std::uint32_t*>(device_out));
    device.copy({}, out.data(), device_out, out_bytes);
    device.synchronize({});
    device.free(device_in);
    device.free(device_out);
    return out;
}

std::string golden_path(const std::string& folder, const MicroKernel& kernel)
{
    return folder + "/ptx_" + kernel.name + ".json";
}

} // namespace bifrons::test
