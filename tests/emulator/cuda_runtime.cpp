// tests/emulator/cuda_runtime.cpp - stands in for the CUDA runtime library: the functions that our code calls, for one
// emulated GPU. A program that is linked with it runs the PTX inside it where no GPU is.
//
// It is strict where a GPU would forgive: work in a stream is put off until somebody waits for it, so that a missing
// wait shows; what may not be called while a stream records is an error; a fault stays, as it does on a GPU; the host
// cannot read device memory, nor kernels host memory.
#include "tests/emulator/fatbinary.h"
#include "tests/emulator/imagined_gpu.h"
#include "tests/emulator/module.h"
#include "tests/emulator/run_grid.h"

#include "kernels/base/error.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <set>
#include <utility>

#include <cuda_runtime_api.h>

using namespace bifrons::emulator;
using bifrons::str;

namespace {

using Work = std::function<void()>;

struct GraphOfWork {
    std::vector<Work> work;
};

struct StreamOfWork {
    std::deque<Work> work;
    std::unique_ptr<GraphOfWork> recording;
    bool recording_broken = false;
};

struct TimedEvent {
    std::shared_ptr<StreamOfWork> stream;
    std::size_t recorded = 0, reached = 0; // how often
    std::chrono::steady_clock::time_point time;
    bool timed = true;
};

struct Function {
    Module* module;
    int target;
    std::string name;
    std::size_t dynamic_shared_allowed = 0; ///< 0: what static shared memory leaves of kSharedAlways
};

struct Pool {
    std::size_t used = 0, reserved = 0;
};

constexpr std::size_t kSharedAlways = 48 << 10, kSharedOfBlock = 227 << 10, kSharedOfMultiprocessor = 228 << 10,
                      kSharedOfSystem = 1 << 10;
constexpr unsigned kThreadsOfMultiprocessor = 2048, kBlocksOfMultiprocessor = 32;
constexpr int kMultiprocessors = 4;

struct Gpu {
    std::recursive_mutex mutex;
    cudaError_t last = cudaSuccess, fault = cudaSuccess;
    std::vector<std::pair<std::unique_ptr<Module>, int>> modules; // with the architecture of their PTX
    std::map<const void*, Function> functions;
    std::map<cudaStream_t, std::shared_ptr<StreamOfWork>> streams;
    std::map<cudaEvent_t, std::shared_ptr<TimedEvent>> events;
    std::map<cudaGraphExec_t, std::shared_ptr<GraphOfWork>> executables;
    std::map<std::uintptr_t, std::size_t> pinned;
    std::map<void*, std::pair<Pool*, std::size_t>> blocks; // of the pools
    std::set<Pool*> pools;
    ImaginedGpu imagined = read_imagined_gpu();
};

Gpu& gpu()
{
    static Gpu* the_gpu = new Gpu; // never ends: destructors of the program still call
    return *the_gpu;
}

/// What a call answers; says why on stderr.
struct Refusal {
    cudaError_t status;
    std::string reason;
};

[[noreturn]] void refuse(cudaError_t status, const std::string& reason)
{
    throw Refusal{status, reason};
}

template <class Body>
cudaError_t answer(const char* function, const Body& body)
{
    const std::lock_guard lock(gpu().mutex);
    if (gpu().fault != cudaSuccess) return gpu().last = gpu().fault;
    try {
        body();
        return cudaSuccess;
    } catch (const Refusal& refusal) {
        std::fprintf(stderr, "emulated GPU: %s: %s\n", function, refusal.reason.c_str());
        return gpu().last = refusal.status;
    } catch (const Fault& fault) {
        std::fprintf(stderr, "emulated GPU: %s: a kernel's fault: %s\n", function, fault.what());
        return gpu().last = gpu().fault = fault.status;
    }
}

template <class Map, class Handle>
auto& entry_of(Map& map, Handle handle, const char* what)
{
    const auto found = map.find(handle);
    if (found == map.end()) refuse(cudaErrorInvalidResourceHandle, str("no such ", what));
    return found->second;
}

std::shared_ptr<StreamOfWork> stream_of(cudaStream_t stream)
{
    if (!stream) refuse(cudaErrorInvalidResourceHandle, "the default stream is not what this program uses");
    return entry_of(gpu().streams, stream, "stream");
}

/// A stream that is not recording: a call that would break a recording is an error.
std::shared_ptr<StreamOfWork> idle_stream(cudaStream_t handle)
{
    auto stream = stream_of(handle);
    if (stream->recording) {
        stream->recording_broken = true;
        refuse(cudaErrorStreamCaptureUnsupported, "not allowed while the stream records");
    }
    return stream;
}

/// Calls that may wait or allocate are not allowed while any stream records.
void need_no_recording()
{
    for (const auto& [handle, stream] : gpu().streams) idle_stream(handle);
}

void enqueue(StreamOfWork& stream, Work work)
{
    if (stream.recording)
        stream.recording->work.push_back(std::move(work));
    else
        stream.work.push_back(std::move(work));
}

void do_next(StreamOfWork& stream)
{
    const Work work = std::move(stream.work.front());
    stream.work.pop_front();
    work();
}

void do_all(StreamOfWork& stream)
{
    while (!stream.work.empty()) do_next(stream);
}

void do_until_reached(TimedEvent& event, std::size_t times)
{
    while (event.reached < times) {
        if (!event.stream || event.stream->work.empty()) refuse(cudaErrorUnknown, "an event that was not recorded");
        do_next(*event.stream);
    }
}

enum class MemoryKind { device, pinned, pageable };

MemoryKind kind_of(const void* data, std::size_t bytes)
{
    if (DeviceMemory::instance().is_device(data)) return MemoryKind::device;
    const auto at = reinterpret_cast<std::uintptr_t>(data);
    auto block = gpu().pinned.upper_bound(at);
    if (block == gpu().pinned.begin()) return MemoryKind::pageable;
    --block;
    return at + bytes <= block->first + block->second ? MemoryKind::pinned : MemoryKind::pageable;
}

std::byte* bytes_of(const void* data, std::size_t bytes)
{
    if (!DeviceMemory::instance().is_device(data)) return static_cast<std::byte*>(const_cast<void*>(data));
    std::byte* found = DeviceMemory::instance().bytes_at(reinterpret_cast<std::uint64_t>(data), bytes);
    if (!found) throw Fault(cudaErrorInvalidValue, str("a copy or fill of ", bytes, " bytes is not inside one block"));
    return found;
}

const Kernel& kernel_of(const void* function)
{
    const auto found = gpu().functions.find(function);
    if (found == gpu().functions.end()) refuse(cudaErrorInvalidDeviceFunction, "no such kernel");
    if (!found->second.module || !gpu().imagined.code)
        refuse(cudaErrorNoKernelImageForDevice, "the program holds no PTX that can be read");
    try {
        const Kernel* kernel = found->second.module->kernel(found->second.name);
        if (!kernel) refuse(cudaErrorInvalidDeviceFunction, "no kernel " + found->second.name);
        return *kernel;
    } catch (const std::runtime_error& e) {
        refuse(cudaErrorInvalidPtx, e.what());
    }
}

unsigned resident_blocks(unsigned threads, std::size_t shared)
{
    const unsigned by_shared = unsigned(kSharedOfMultiprocessor / (shared + kSharedOfSystem));
    return std::min({kThreadsOfMultiprocessor / std::max(1u, threads), by_shared, kBlocksOfMultiprocessor});
}

void check_launch(const Grid& grid, const Function& function)
{
    const auto& [x, y, z] = grid.blocks;
    const unsigned threads = grid.threads[0] * grid.threads[1] * grid.threads[2];
    const std::size_t shared = grid.kernel->shared_bytes + grid.dynamic_shared;
    const auto need = [&](bool holds, const std::string& what) {
        if (!holds) refuse(cudaErrorInvalidConfiguration, grid.kernel->name + ": " + what);
    };
    need(x > 0 && y > 0 && z > 0 && x < 1u << 31 && y <= 65535 && z <= 65535, str("a grid of ", x, " x ", y, " x ", z));
    need(threads > 0 && threads <= 1024 && grid.threads[2] <= 64, str("blocks of ", threads, " threads"));
    need(threads <= grid.kernel->max_threads,
         str(threads, " threads, but its launch bound is ", grid.kernel->max_threads));
    const std::size_t allowed = function.dynamic_shared_allowed > 0 ? function.dynamic_shared_allowed
                                                                    : kSharedAlways - grid.kernel->shared_bytes;
    need(grid.dynamic_shared <= allowed, str(grid.dynamic_shared, " bytes of dynamic shared memory beside ",
                                             grid.kernel->shared_bytes, " static ones; ", allowed, " are allowed"));
    if (grid.cooperative && std::size_t(x) * y * z > std::size_t(kMultiprocessors) * resident_blocks(threads, shared))
        refuse(cudaErrorCooperativeLaunchTooLarge, grid.kernel->name + ": too many blocks for a cooperative launch");
}

void read_attributes(Grid& grid, const cudaLaunchConfig_t& config)
{
    for (unsigned k = 0; k < config.numAttrs; ++k) {
        const cudaLaunchAttribute& a = config.attrs[k];
        if (a.id == cudaLaunchAttributeCooperative)
            grid.cooperative = a.val.cooperative != 0;
        else if (a.id == cudaLaunchAttributeProgrammaticStreamSerialization)
            grid.pdl = a.val.programmaticStreamSerializationAllowed != 0;
        else
            refuse(cudaErrorNotSupported, "a launch attribute that is not emulated");
    }
}

std::vector<std::byte> parameters_of(const Kernel& kernel, void** arguments)
{
    std::vector<std::byte> bytes(kernel.parameter_bytes);
    for (std::size_t k = 0; k < kernel.parameters.size(); ++k)
        std::memcpy(bytes.data() + kernel.parameters[k].offset, arguments[k], kernel.parameters[k].bytes);
    return bytes;
}

void run_or_fail(const Grid& grid)
{
    ImaginedGpu& imagined = gpu().imagined;
    const bool named =
        !imagined.faulty_kernel.empty() && grid.kernel->name.find(imagined.faulty_kernel) != std::string::npos;
    if (named && --imagined.faulty_launch == 0)
        throw Fault(cudaErrorIllegalAddress, grid.kernel->name + ": the fault that was asked for");
    run_grid(grid);
}

Pool* pool_of(cudaMemPool_t pool)
{
    auto* const p = reinterpret_cast<Pool*>(pool);
    if (!gpu().pools.contains(p)) refuse(cudaErrorInvalidValue, "no such memory pool");
    return p;
}

} // namespace

extern "C" {

// ---- what nvcc's code calls ----
void** __cudaRegisterFatBinary(void* wrapper)
{
    const std::lock_guard lock(gpu().mutex);
    const std::string ptx = ptx_of(wrapper);
    const int target = target_of(ptx);
    if (gpu().imagined.sm == 0) gpu().imagined.sm = target;
    gpu().modules.emplace_back(ptx.empty() ? nullptr : std::make_unique<Module>(ptx), target);
    return new void*(reinterpret_cast<void*>(gpu().modules.size() - 1));
}
void __cudaRegisterFatBinaryEnd(void**) {}
void __cudaUnregisterFatBinary(void**) {}
char __cudaInitModule(void**)
{
    return 1;
}
void __cudaRegisterFunction(void** module, const char* host, char*, const char* name, int, uint3*, uint3*, dim3*, dim3*,
                            int*)
{
    const auto& [code, target] = gpu().modules.at(reinterpret_cast<std::size_t>(*module));
    gpu().functions[host] = {code.get(), target, name};
}
cudaError_t __cudaGetKernel(cudaKernel_t*, const void*)
{
    return cudaErrorNotSupported; // launches by <<<>>>, which this program has not
}
cudaError_t __cudaLaunchKernel(cudaKernel_t, dim3, dim3, void**, std::size_t, cudaStream_t)
{
    return cudaErrorNotSupported;
}
cudaError_t __cudaPopCallConfiguration(dim3*, dim3*, std::size_t*, void*)
{
    return cudaErrorNotSupported;
}

// ---- device and errors ----
cudaError_t cudaDriverGetVersion(int* version)
{
    *version = gpu().imagined.driver;
    return cudaSuccess;
}
cudaError_t cudaGetDeviceCount(int* count)
{
    return answer("cudaGetDeviceCount", [&] {
        if (gpu().imagined.driver < CUDART_VERSION / 1000 * 1000) refuse(cudaErrorInsufficientDriver, "an old driver");
        if (gpu().imagined.gpus == 0) refuse(cudaErrorNoDevice, "no GPU");
        *count = gpu().imagined.gpus;
    });
}
cudaError_t cudaSetDevice(int device)
{
    return answer("cudaSetDevice", [&] {
        if (device != 0) refuse(cudaErrorInvalidDevice, "there is one GPU");
    });
}
cudaError_t cudaGetDevice(int* device)
{
    return answer("cudaGetDevice", [&] { *device = 0; });
}
cudaError_t cudaGetDeviceProperties(cudaDeviceProp* properties, int)
{
    return answer("cudaGetDeviceProperties", [&] {
        *properties = {};
        std::strcpy(properties->name, "emulated GPU");
        properties->totalGlobalMem = gpu().imagined.memory;
        properties->major = gpu().imagined.sm / 10, properties->minor = gpu().imagined.sm % 10;
        properties->multiProcessorCount = kMultiprocessors;
    });
}
cudaError_t cudaDeviceGetAttribute(int* value, cudaDeviceAttr attribute, int)
{
    return answer("cudaDeviceGetAttribute", [&] {
        if (attribute == cudaDevAttrMultiProcessorCount)
            *value = kMultiprocessors;
        else if (attribute == cudaDevAttrMemoryPoolsSupported)
            *value = gpu().imagined.pools;
        else if (attribute == cudaDevAttrL2CacheSize)
            *value = 1 << 20;
        else
            refuse(cudaErrorNotSupported, str("attribute ", int(attribute), " is not emulated"));
    });
}
cudaError_t cudaDeviceGetPCIBusId(char* text, int bytes, int)
{
    return answer("cudaDeviceGetPCIBusId", [&] { std::snprintf(text, std::size_t(bytes), "none"); });
}
cudaError_t cudaMemGetInfo(std::size_t* unused, std::size_t* total)
{
    return answer("cudaMemGetInfo", [&] {
        std::size_t reserved = 0;
        for (const Pool* pool : gpu().pools) reserved += pool->reserved;
        *total = gpu().imagined.memory, *unused = *total - std::min(*total, reserved);
    });
}
cudaError_t cudaGetLastError()
{
    const std::lock_guard lock(gpu().mutex);
    return std::exchange(gpu().last, gpu().fault);
}
const char* cudaGetErrorString(cudaError_t status)
{
    return status == cudaErrorMemoryAllocation ? "out of memory" : "as the emulated GPU says on stderr";
}
const char* cudaGetErrorName(cudaError_t status)
{
    static thread_local std::string name;
    name = str("cudaError ", int(status));
    return name.c_str();
}

// ---- memory ----
cudaError_t cudaMemPoolCreate(cudaMemPool_t* pool, const cudaMemPoolProps*)
{
    return answer("cudaMemPoolCreate", [&] {
        Pool* const made = *gpu().pools.insert(new Pool).first;
        *pool = reinterpret_cast<cudaMemPool_t>(made);
    });
}
cudaError_t cudaMemPoolDestroy(cudaMemPool_t pool)
{
    return answer("cudaMemPoolDestroy", [&] { gpu().pools.erase(pool_of(pool)); });
}
cudaError_t cudaMemPoolSetAttribute(cudaMemPool_t pool, cudaMemPoolAttr, void*)
{
    return answer("cudaMemPoolSetAttribute", [&] { pool_of(pool); });
}
cudaError_t cudaMemPoolGetAttribute(cudaMemPool_t pool, cudaMemPoolAttr attribute, void* value)
{
    return answer("cudaMemPoolGetAttribute", [&] {
        const Pool& p = *pool_of(pool);
        *static_cast<std::uint64_t*>(value) = attribute == cudaMemPoolAttrUsedMemCurrent ? p.used : p.reserved;
    });
}
cudaError_t cudaMemPoolTrimTo(cudaMemPool_t pool, std::size_t least)
{
    return answer("cudaMemPoolTrimTo", [&] {
        Pool& p = *pool_of(pool);
        p.reserved = std::max(p.used, std::min(p.reserved, least));
    });
}
cudaError_t cudaMallocFromPoolAsync(void** data, std::size_t bytes, cudaMemPool_t pool, cudaStream_t handle)
{
    return answer("cudaMallocFromPoolAsync", [&] {
        need_no_recording();
        const auto stream = idle_stream(handle);
        Pool& p = *pool_of(pool);
        do_all(*stream); // frees that wait in it
        const bool fits = DeviceMemory::instance().used() + bytes <= gpu().imagined.memory;
        *data = fits ? DeviceMemory::instance().reserve(bytes) : nullptr;
        if (!*data) throw Refusal{cudaErrorMemoryAllocation, str("out of memory for ", bytes, " bytes")};
        p.used += bytes, p.reserved = std::max(p.reserved, p.used);
        gpu().blocks[*data] = {&p, bytes};
        enqueue(*stream, [block = *data] { DeviceMemory::instance().fill_poison(block); });
    });
}
cudaError_t cudaFreeAsync(void* data, cudaStream_t handle)
{
    return answer("cudaFreeAsync", [&] {
        const auto stream = idle_stream(handle);
        const auto [pool, bytes] = entry_of(gpu().blocks, data, "block of memory");
        gpu().blocks.erase(data);
        enqueue(*stream, [data, pool = pool, bytes = bytes] {
            DeviceMemory::instance().release(data);
            if (gpu().pools.contains(pool)) pool->used -= bytes;
        });
    });
}
cudaError_t cudaMallocHost(void** data, std::size_t bytes)
{
    return answer("cudaMallocHost", [&] {
        need_no_recording();
        *data = std::malloc(bytes);
        gpu().pinned[reinterpret_cast<std::uintptr_t>(*data)] = bytes;
    });
}
cudaError_t cudaFreeHost(void* data)
{
    return answer("cudaFreeHost", [&] {
        need_no_recording();
        for (const auto& [handle, stream] : gpu().streams) do_all(*stream); // as cudaFreeHost waits for the GPU
        entry_of(gpu().pinned, reinterpret_cast<std::uintptr_t>(data), "pinned memory");
        gpu().pinned.erase(reinterpret_cast<std::uintptr_t>(data));
        std::free(data);
    });
}
cudaError_t cudaMemcpyAsync(void* to, const void* from, std::size_t bytes, cudaMemcpyKind, cudaStream_t handle)
{
    return answer("cudaMemcpyAsync", [&] {
        const auto stream = stream_of(handle);
        const bool from_pageable = kind_of(from, bytes) == MemoryKind::pageable;
        const bool to_pageable = kind_of(to, bytes) == MemoryKind::pageable;
        if (from_pageable || to_pageable) idle_stream(handle);
        if (from_pageable) { // is read before the call returns
            std::vector<std::byte> bytes_now(static_cast<const std::byte*>(from),
                                             static_cast<const std::byte*>(from) + bytes);
            enqueue(*stream, [=, bytes_now = std::move(bytes_now)] {
                std::memcpy(bytes_of(to, bytes), bytes_now.data(), bytes);
            });
        } else {
            enqueue(*stream, [=] { std::memmove(bytes_of(to, bytes), bytes_of(from, bytes), bytes); });
        }
        if (to_pageable) do_all(*stream); // is written when the call returns
    });
}
cudaError_t cudaMemsetAsync(void* data, int value, std::size_t bytes, cudaStream_t handle)
{
    return answer("cudaMemsetAsync",
                  [&] { enqueue(*stream_of(handle), [=] { std::memset(bytes_of(data, bytes), value, bytes); }); });
}

// ---- streams and events ----
cudaError_t cudaStreamCreateWithFlags(cudaStream_t* stream, unsigned)
{
    return answer("cudaStreamCreateWithFlags", [&] {
        auto made = std::make_shared<StreamOfWork>();
        *stream = reinterpret_cast<cudaStream_t>(made.get());
        gpu().streams[*stream] = made;
    });
}
cudaError_t cudaStreamDestroy(cudaStream_t stream)
{
    return answer("cudaStreamDestroy", [&] {
        do_all(*idle_stream(stream));
        gpu().streams.erase(stream);
    });
}
cudaError_t cudaStreamSynchronize(cudaStream_t stream)
{
    return answer("cudaStreamSynchronize", [&] {
        need_no_recording();
        do_all(*idle_stream(stream));
    });
}
cudaError_t cudaStreamWaitEvent(cudaStream_t stream, cudaEvent_t event, unsigned)
{
    return answer("cudaStreamWaitEvent", [&] {
        const auto awaited = entry_of(gpu().events, event, "event");
        enqueue(*idle_stream(stream), [awaited, times = awaited->recorded] { do_until_reached(*awaited, times); });
    });
}
cudaError_t cudaEventCreateWithFlags(cudaEvent_t* event, unsigned flags)
{
    return answer("cudaEventCreate", [&] {
        auto made = std::make_shared<TimedEvent>();
        made->timed = (flags & cudaEventDisableTiming) == 0;
        *event = reinterpret_cast<cudaEvent_t>(made.get());
        gpu().events[*event] = made;
    });
}
cudaError_t cudaEventCreate(cudaEvent_t* event)
{
    return cudaEventCreateWithFlags(event, cudaEventDefault);
}
cudaError_t cudaEventDestroy(cudaEvent_t event)
{
    return answer("cudaEventDestroy", [&] {
        entry_of(gpu().events, event, "event");
        gpu().events.erase(event);
    });
}
cudaError_t cudaEventRecord(cudaEvent_t event, cudaStream_t handle)
{
    return answer("cudaEventRecord", [&] {
        const auto recorded = entry_of(gpu().events, event, "event");
        recorded->stream = idle_stream(handle); // events in a recording are not what this program uses
        const std::size_t times = ++recorded->recorded;
        enqueue(*recorded->stream,
                [recorded, times] { recorded->reached = times, recorded->time = std::chrono::steady_clock::now(); });
    });
}
cudaError_t cudaEventSynchronize(cudaEvent_t event)
{
    return answer("cudaEventSynchronize", [&] {
        need_no_recording();
        const auto awaited = entry_of(gpu().events, event, "event");
        do_until_reached(*awaited, awaited->recorded);
    });
}
cudaError_t cudaEventElapsedTime(float* ms, cudaEvent_t begin, cudaEvent_t end)
{
    return answer("cudaEventElapsedTime", [&] {
        const TimedEvent &b = *entry_of(gpu().events, begin, "event"), &e = *entry_of(gpu().events, end, "event");
        if (!b.timed || !e.timed || b.recorded == 0 || e.recorded == 0)
            refuse(cudaErrorInvalidResourceHandle, "an event without a time");
        if (b.reached < b.recorded || e.reached < e.recorded) refuse(cudaErrorNotReady, "an event that is not reached");
        *ms = std::chrono::duration<float, std::milli>(e.time - b.time).count();
    });
}

// ---- recording ----
cudaError_t cudaStreamBeginCapture(cudaStream_t handle, cudaStreamCaptureMode)
{
    return answer("cudaStreamBeginCapture", [&] { idle_stream(handle)->recording = std::make_unique<GraphOfWork>(); });
}
cudaError_t cudaStreamIsCapturing(cudaStream_t handle, cudaStreamCaptureStatus* status)
{
    return answer("cudaStreamIsCapturing", [&] {
        *status = stream_of(handle)->recording ? cudaStreamCaptureStatusActive : cudaStreamCaptureStatusNone;
    });
}
cudaError_t cudaStreamEndCapture(cudaStream_t handle, cudaGraph_t* graph)
{
    return answer("cudaStreamEndCapture", [&] {
        const auto stream = stream_of(handle);
        if (!stream->recording) refuse(cudaErrorIllegalState, "the stream does not record");
        const std::unique_ptr<GraphOfWork> recorded = std::move(stream->recording);
        if (std::exchange(stream->recording_broken, false))
            refuse(cudaErrorStreamCaptureInvalidated, "something was called that may not be while a stream records");
        *graph = reinterpret_cast<cudaGraph_t>(new GraphOfWork(*recorded));
    });
}
cudaError_t cudaGraphInstantiate(cudaGraphExec_t* executable, cudaGraph_t graph, unsigned long long)
{
    return answer("cudaGraphInstantiate", [&] {
        auto made = std::make_shared<GraphOfWork>(*reinterpret_cast<GraphOfWork*>(graph));
        *executable = reinterpret_cast<cudaGraphExec_t>(made.get());
        gpu().executables[*executable] = made;
    });
}
cudaError_t cudaGraphLaunch(cudaGraphExec_t executable, cudaStream_t handle)
{
    return answer("cudaGraphLaunch", [&] {
        const auto graph = entry_of(gpu().executables, executable, "executable graph");
        enqueue(*idle_stream(handle), [graph] {
            for (const Work& work : graph->work) work();
        });
    });
}
cudaError_t cudaGraphExecDestroy(cudaGraphExec_t executable)
{
    return answer("cudaGraphExecDestroy", [&] {
        entry_of(gpu().executables, executable, "executable graph");
        gpu().executables.erase(executable);
    });
}
cudaError_t cudaGraphDestroy(cudaGraph_t graph)
{
    return answer("cudaGraphDestroy", [&] { delete reinterpret_cast<GraphOfWork*>(graph); });
}

// ---- kernels ----
cudaError_t cudaFuncGetAttributes(cudaFuncAttributes* attributes, const void* function)
{
    return answer("cudaFuncGetAttributes", [&] {
        *attributes = {};
        attributes->sharedSizeBytes = kernel_of(function).shared_bytes;
        attributes->ptxVersion = gpu().functions.at(function).target;
    });
}
cudaError_t cudaFuncSetAttribute(const void* function, cudaFuncAttribute attribute, int value)
{
    return answer("cudaFuncSetAttribute", [&] {
        const Kernel& kernel = kernel_of(function);
        if (attribute != cudaFuncAttributeMaxDynamicSharedMemorySize) refuse(cudaErrorNotSupported, "is not emulated");
        if (kernel.shared_bytes + std::size_t(value) > kSharedOfBlock)
            refuse(cudaErrorInvalidValue,
                   str(kernel.name, ": ", value, " bytes of shared memory are more than a block has"));
        gpu().functions.at(function).dynamic_shared_allowed = std::size_t(value);
    });
}
cudaError_t cudaOccupancyMaxActiveBlocksPerMultiprocessorWithFlags(int* blocks, const void* function, int threads,
                                                                   std::size_t dynamic, unsigned)
{
    return answer("cudaOccupancyMaxActiveBlocksPerMultiprocessor", [&] {
        *blocks = int(resident_blocks(unsigned(threads), kernel_of(function).shared_bytes + dynamic));
    });
}
cudaError_t cudaLaunchKernelExC(const cudaLaunchConfig_t* config, const void* function, void** arguments)
{
    return answer("cudaLaunchKernelExC", [&] {
        const auto stream = stream_of(config->stream);
        auto grid = std::make_shared<Grid>();
        grid->kernel = &kernel_of(function);
        grid->blocks = {config->gridDim.x, config->gridDim.y, config->gridDim.z};
        grid->threads = {config->blockDim.x, config->blockDim.y, config->blockDim.z};
        grid->dynamic_shared = config->dynamicSmemBytes;
        read_attributes(*grid, *config);
        check_launch(*grid, gpu().functions.at(function));
        grid->parameters = parameters_of(*grid->kernel, arguments);
        enqueue(*stream, [grid] { run_or_fail(*grid); });
    });
}

} // extern "C"
