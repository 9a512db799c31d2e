#include "bench/bench.h"

#include "kernels/base/bf16.h"

#include <algorithm>
#include <cmath>
#include <fstream>
#include <random>

#if BIFRONS_HAS_CUDA
#include <cuda_runtime_api.h>
#endif
#include <unistd.h>

namespace bifrons::bench {

namespace {

constexpr double kMib = 1 << 20;

/// Bytes of the last cache before the memory.
double cache_bytes(kernels::DeviceKind kind)
{
#if BIFRONS_HAS_CUDA
    int device = 0, bytes = 0;
    if (kind == kernels::DeviceKind::cuda && cudaGetDevice(&device) == cudaSuccess &&
        cudaDeviceGetAttribute(&bytes, cudaDevAttrL2CacheSize, device) == cudaSuccess)
        return bytes;
#endif
    return kind == kernels::DeviceKind::cpu ? std::clamp(double(sysconf(_SC_LEVEL3_CACHE_SIZE)), 8 * kMib, 32 * kMib)
                                            : 0;
}

/// Normal numbers, drawn once: a prime number of them, so that no tensor's rows line up with the period.
const std::vector<float>& normals()
{
    static const std::vector<float> values = [] {
        std::mt19937 random(1);
        std::normal_distribution<float> draw;
        std::vector<float> drawn(1048573);
        for (float& v : drawn) v = draw(random);
        return drawn;
    }();
    return values;
}

float rounded(float v, DType dtype)
{
    return dtype == DType::bf16 ? kernels::to_f32(kernels::to_bf16(v)) : v;
}

} // namespace

Bench::Bench(kernels::Device& device, int sets) : device_(device), stream_(device.create_stream()), sets_(sets) {}

Bench::~Bench()
{
    try {
        device_.synchronize(stream_); // memory is freed in the order of the device's own stream
    } catch (const Error&) {          // was told when it was met
    }
    device_.destroy_stream(stream_);
    for (void* data : data_) device_.free(data);
}

void Bench::rotate(double bytes)
{
    constexpr int kMost = 64;
    sets_ = int(std::clamp(std::ceil(2 * cache_bytes(device_.kind()) / bytes), 2.0, double(kMost)));
}

void Bench::reserve(std::size_t bytes)
{
    if (bytes <= workspace_.bytes) return;
    data_.push_back(device_.allocate(bytes));
    workspace_ = {data_.back(), bytes};
}

View Bench::allocate(std::int64_t n, DType dtype)
{
    data_.push_back(device_.allocate(std::size_t(n) * dtype_bytes(dtype)));
    return {data_.back(), dtype};
}

std::vector<float> Bench::normal_values(std::int64_t n, DType dtype, std::uint32_t seed, double deviation, bool leaky)
{
    const std::vector<float>& drawn = normals();
    std::vector<float> values(std::size_t(n), 0.0f);
    std::size_t from = seed * std::size_t(123457) % drawn.size();
    for (float& v : values) {
        v = float(deviation) * drawn[from];
        if (leaky && v < 0) v *= 0.1f;
        v = rounded(v, dtype);
        if (++from == drawn.size()) from = 0;
    }
    return values;
}

Buffer Bench::upload(const std::vector<float>& values, DType dtype)
{
    std::vector<kernels::bf16> halves;
    if (dtype == DType::bf16)
        for (const float v : values) halves.push_back(kernels::to_bf16(v));
    const bool half = dtype == DType::bf16;
    const void* const from = half ? static_cast<const void*>(halves.data()) : values.data();
    Buffer buffer;
    for (int set = 0; set < sets_; ++set) {
        buffer.sets.push_back(allocate(std::int64_t(values.size()), dtype));
        device_.copy(stream_, buffer[set].data, from, values.size() * dtype_bytes(dtype));
    }
    device_.synchronize(stream_);
    return buffer;
}

Buffer Bench::upload_bytes(const std::vector<std::uint8_t>& values)
{
    Buffer buffer;
    for (int set = 0; set < sets_; ++set) {
        buffer.sets.push_back(allocate(std::int64_t(values.size()), DType::u8));
        device_.copy(stream_, buffer[set].data, values.data(), values.size());
    }
    device_.synchronize(stream_);
    return buffer;
}

Buffer Bench::poisoned(std::int64_t n, DType dtype)
{
    Buffer buffer;
    for (int set = 0; set < sets_; ++set) {
        buffer.sets.push_back(allocate(n, dtype));
        device_.fill(stream_, buffer[set].data, 0xFF, std::size_t(n) * dtype_bytes(dtype));
    }
    device_.synchronize(stream_);
    return buffer;
}

std::vector<float> Bench::download(ConstView view, std::int64_t n)
{
    std::vector<std::uint8_t> bytes(std::size_t(n) * dtype_bytes(view.dtype));
    device_.copy(stream_, bytes.data(), view.data, bytes.size());
    device_.synchronize(stream_);
    std::vector<float> values(std::size_t(n), 0.0f);
    for (std::size_t i = 0; i < values.size(); ++i) {
        kernels::bf16 half;
        if (view.dtype == DType::f32) std::memcpy(&values[i], &bytes[4 * i], 4);
        if (view.dtype == DType::u8) values[i] = bytes[i];
        if (view.dtype != DType::bf16) continue;
        std::memcpy(&half, &bytes[2 * i], 2);
        values[i] = kernels::to_f32(half);
    }
    return values;
}

std::string Case::name() const
{
    std::string text = str(family, "/", what);
    if (batch > 0) text += str("/", network.resolution, "px/b", batch);
    if (!method.empty()) text += "/" + method;
    return precision.empty() ? text : text + "/" + precision;
}

DType storage_of(const std::string& precision)
{
    return precision == "bf16" ? DType::bf16 : DType::f32;
}

Arithmetic products_of(const std::string& precision)
{
    return precision == "bf16" ? Arithmetic::bf16 : precision == "tf32" ? Arithmetic::tf32 : Arithmetic::f32;
}

} // namespace bifrons::bench
