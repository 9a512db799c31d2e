#include "kernels/device/cuda_device.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <utility>

#include <cuda_runtime_api.h>
#include <nvtx3/nvToolsExt.h>
#include <nvtx3/nvToolsExtCudaRt.h>
#include <pthread.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace bifrons::kernels {

/// The architecture that the code of this program for the current GPU was compiled for, as in 90 (cuda_probe.cu). Fails
/// if there is none.
cudaError_t cuda_probe(int& architecture);

namespace {

constexpr int kOldestSm = 80;

/// A status that has been reported must not turn up again in a later call.
cudaError_t taken(cudaError_t status)
{
    if (status != cudaSuccess) cudaGetLastError();
    return status;
}

/// Whether it tells of a kernel that has run before, whatever call it turns up in.
bool is_fault_of_a_kernel(cudaError_t status)
{
    switch (status) {
    case cudaErrorIllegalAddress:
    case cudaErrorMisalignedAddress:
    case cudaErrorInvalidAddressSpace:
    case cudaErrorInvalidPc:
    case cudaErrorIllegalInstruction:
    case cudaErrorHardwareStackError:
    case cudaErrorLaunchFailure:
    case cudaErrorLaunchTimeout:
    case cudaErrorAssert:
        return true;
    default:
        return false;
    }
}

void check_for_faults(cudaError_t status)
{
    BIFRONS_CHECK(device, !is_fault_of_a_kernel(status),
                  "cuda: a kernel failed while it ran: ", cudaGetErrorString(status), " (", cudaGetErrorName(status),
                  "). What was saved before is intact. Set BIFRONS_SYNC=1 in the environment to see which kernel.");
}

void check(cudaError_t status, const char* what)
{
    check_for_faults(status);
    BIFRONS_CHECK(device, taken(status) == cudaSuccess, "cuda: ", what, " failed: ", cudaGetErrorString(status), " (",
                  cudaGetErrorName(status), ")");
}

std::string version_text(int version)
{
    return str(version / 1000, ".", version % 1000 / 10);
}

std::string driver_unusable_reason()
{
    int driver = 0;
    if (taken(cudaDriverGetVersion(&driver)) != cudaSuccess || driver == 0)
        return "no NVIDIA driver was found (libcuda.so.1)";
    int count = 0;
    const cudaError_t status = taken(cudaGetDeviceCount(&count));
    if (status == cudaErrorInsufficientDriver)
        return str("the NVIDIA driver is too old: it supports CUDA up to ", version_text(driver), ", CUDA ",
                   CUDART_VERSION / 1000, ".0 is needed");
    if (status == cudaErrorNoDevice || (status == cudaSuccess && count == 0)) return "no NVIDIA GPU was found";
    if (status != cudaSuccess) return str("the NVIDIA driver does not start: ", cudaGetErrorString(status));
    return "";
}

bool sync_every_launch()
{
    static const bool sync = [] {
        const char* value = std::getenv("BIFRONS_SYNC");
        return value && std::strcmp(value, "1") == 0;
    }();
    return sync;
}

class CudaEvent : public Event {
  public:
    CudaEvent() { check(cudaEventCreate(&event), "creating an event"); }
    ~CudaEvent() override { cudaEventDestroy(event); }
    CudaEvent(const CudaEvent&) = delete;
    cudaEvent_t event = nullptr;
};

cudaEvent_t event_of(const Event& event)
{
    return static_cast<const CudaEvent&>(event).event;
}

class CudaRecording : public Recording {
  public:
    explicit CudaRecording(cudaGraph_t graph) : graph_(graph)
    {
        const cudaError_t status = taken(cudaGraphInstantiate(&executable, graph, 0));
        if (status != cudaSuccess) cudaGraphDestroy(graph);
        check(status, "making a graph of the recorded work");
    }
    ~CudaRecording() override
    {
        cudaGraphExecDestroy(executable);
        cudaGraphDestroy(graph_);
    }
    CudaRecording(const CudaRecording&) = delete;
    cudaGraphExec_t executable = nullptr;

  private:
    cudaGraph_t graph_;
};

/// Blocks that are freed stay with the program, for the next allocation.
cudaMemPool_t create_pool(int gpu)
{
    cudaMemPoolProps properties = {};
    properties.allocType = cudaMemAllocationTypePinned;
    properties.location = {cudaMemLocationTypeDevice, gpu};
    cudaMemPool_t pool = nullptr;
    check(cudaMemPoolCreate(&pool, &properties), "creating a memory pool");
    std::uint64_t keep = UINT64_MAX;
    check(cudaMemPoolSetAttribute(pool, cudaMemPoolAttrReleaseThreshold, &keep), "setting up a memory pool");
    return pool;
}

/// Two pieces of pinned memory between the host's pageable memory and the GPU. They take turns: while the GPU copies
/// one, the processor copies the other.
class Staging {
  public:
    Staging()
    {
        for (Piece& piece : pieces_) {
            check(cudaMallocHost(&piece.data, kBytes), "allocating pinned host memory");
            check(cudaEventCreateWithFlags(&piece.copied, cudaEventDisableTiming), "creating an event");
        }
    }
    ~Staging()
    {
        for (const Piece& piece : pieces_) cudaEventDestroy(piece.copied), cudaFreeHost(piece.data);
    }
    Staging(const Staging&) = delete;

    void upload(cudaStream_t stream, void* to, const void* from, std::size_t bytes)
    {
        for_each_piece(bytes, [&](Piece& piece, std::size_t at, std::size_t n) {
            check(cudaEventSynchronize(piece.copied), "copying to the GPU");
            std::memcpy(piece.data, static_cast<const char*>(from) + at, n);
            piece.copy(stream, static_cast<char*>(to) + at, piece.data, n);
        });
    }
    void download(cudaStream_t stream, void* to, const void* from, std::size_t bytes)
    {
        const auto take_out = [&](const Piece& piece, std::size_t at, std::size_t n) {
            check(cudaEventSynchronize(piece.copied), "copying from the GPU");
            std::memcpy(static_cast<char*>(to) + at, piece.data, n);
        };
        for_each_piece(bytes, [&](Piece& piece, std::size_t at, std::size_t n) {
            piece.copy(stream, piece.data, static_cast<const char*>(from) + at, n);
            if (at > 0) take_out(other(piece), at - kBytes, kBytes);
            if (at + n == bytes) take_out(piece, at, n);
        });
    }

  private:
    static constexpr std::size_t kBytes = std::size_t(8) << 20;
    struct Piece {
        void copy(cudaStream_t stream, void* to, const void* from, std::size_t bytes) const
        {
            check(cudaMemcpyAsync(to, from, bytes, cudaMemcpyDefault, stream), "copying memory");
            check(cudaEventRecord(copied, stream), "recording an event");
        }
        void* data = nullptr;
        cudaEvent_t copied = nullptr; // by the GPU; an event that was never recorded counts as reached
    };
    Piece& other(const Piece& piece) { return &piece == pieces_ ? pieces_[1] : pieces_[0]; }
    /// body(piece, offset, bytes)
    template <class Body>
    void for_each_piece(std::size_t bytes, const Body& body)
    {
        for (std::size_t at = 0; at < bytes; at += kBytes)
            body(pieces_[at / kBytes % 2], at, std::min(kBytes, bytes - at));
    }

    Piece pieces_[2];
};

class CudaDevice : public Device {
  public:
    explicit CudaDevice(int index) : index_(index)
    {
        select();
        check(cudaGetDeviceProperties(&properties_, index), "reading the GPU's properties");
        check(cuda_probe(compiled_sm_), "looking for the GPU's code");
        check(cudaStreamCreateWithFlags(&compute_, cudaStreamNonBlocking), "creating a stream");
        pool_ = create_pool(index);
        nvtxNameCudaStreamA(compute_, "bifrons compute");
        char thread[16] = "";
        pthread_getname_np(pthread_self(), thread, sizeof thread);
        nvtxNameOsThreadA(std::uint32_t(syscall(SYS_gettid)), thread);
    }
    ~CudaDevice() override
    {
        cudaSetDevice(index_);
        cudaStreamDestroy(compute_);
        cudaMemPoolDestroy(pool_);
    }
    CudaDevice(const CudaDevice&) = delete;

    DeviceKind kind() const override { return DeviceKind::cuda; }
    Target target() const override
    {
        return {.kind = DeviceKind::cuda, .sm = properties_.major * 10 + properties_.minor};
    }
    std::string describe() const override
    {
        return str("cuda:", index_, ": ", properties_.name, ", ", human_bytes(double(properties_.totalGlobalMem)),
                   ", sm_", target().sm);
    }

    void select() const { check(cudaSetDevice(index_), "selecting the GPU"); }
    int compiled_sm() const { return compiled_sm_; }
    cudaStream_t stream_of(Stream stream) const
    {
        return stream.handle ? static_cast<cudaStream_t>(stream.handle) : compute_;
    }

    // In the order of the compute stream; the wait makes the block usable on every stream.
    void* allocate(std::size_t bytes) override
    {
        select();
        void* data = nullptr;
        cudaError_t status = taken(cudaMallocFromPoolAsync(&data, std::max<std::size_t>(bytes, 1), pool_, compute_));
        if (status == cudaSuccess) status = taken(cudaStreamSynchronize(compute_));
        BIFRONS_CHECK(device, status != cudaErrorMemoryAllocation, "cuda:", index_,
                      ": out of memory: ", human_bytes(double(bytes)), " needed, ", human_bytes(double(free_bytes())),
                      " of ", human_bytes(double(properties_.totalGlobalMem)),
                      " free. Lower the batch size, the resolution or the model's dims.");
        check(status, "allocating memory");
        return data;
    }
    void free(void* data) noexcept override
    {
        if (!data) return;
        cudaSetDevice(index_);
        cudaFreeAsync(data, compute_);
    }
    std::size_t free_bytes() const override
    {
        std::size_t unused = 0, total = 0;
        select();
        check(cudaMemGetInfo(&unused, &total), "asking for free memory");
        std::uint64_t reserved = 0, used = 0; // of the pool
        check(cudaMemPoolGetAttribute(pool_, cudaMemPoolAttrReservedMemCurrent, &reserved), "reading the memory pool");
        check(cudaMemPoolGetAttribute(pool_, cudaMemPoolAttrUsedMemCurrent, &used), "reading the memory pool");
        return unused + std::size_t(reserved - used);
    }
    void trim() override
    {
        select();
        check(cudaStreamSynchronize(compute_), "waiting for the freed memory");
        check(cudaMemPoolTrimTo(pool_, 0), "trimming the memory pool");
    }

    void push_range(const std::string& name) override { nvtxRangePushA(name.c_str()); }
    void pop_range() override { nvtxRangePop(); }

    void copy(Stream stream, void* to, const void* from, std::size_t bytes) override
    {
        select();
        check(cudaMemcpyAsync(to, from, bytes, cudaMemcpyDefault, stream_of(stream)), "copying memory");
    }
    void upload(Stream stream, void* to, const void* from, std::size_t bytes) override
    {
        staging().upload(stream_of(stream), to, from, bytes);
        synchronize(stream);
    }
    void download(Stream stream, void* to, const void* from, std::size_t bytes) override
    {
        synchronize(stream); // names the fault of a kernel before
        staging().download(stream_of(stream), to, from, bytes);
    }
    void fill(Stream stream, void* data, std::uint8_t value, std::size_t bytes) override
    {
        select();
        check(cudaMemsetAsync(data, value, bytes, stream_of(stream)), "filling memory");
    }
    void synchronize(Stream stream) override
    {
        select();
        check(cudaStreamSynchronize(stream_of(stream)), "waiting for the GPU");
    }

    Stream create_stream() override
    {
        select();
        cudaStream_t stream = nullptr;
        check(cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking), "creating a stream");
        return {stream};
    }
    void destroy_stream(Stream stream) noexcept override
    {
        if (stream.handle) cudaStreamDestroy(static_cast<cudaStream_t>(stream.handle));
    }
    std::unique_ptr<Event> record_event(Stream stream) override
    {
        select();
        auto event = std::make_unique<CudaEvent>();
        check(cudaEventRecord(event->event, stream_of(stream)), "recording an event");
        return event;
    }
    void wait_event(Stream stream, const Event& event) override
    {
        select();
        check(cudaStreamWaitEvent(stream_of(stream), event_of(event), 0), "waiting for an event");
    }
    double elapsed_ms(const Event& begin, const Event& end) override
    {
        float ms = 0;
        check(cudaEventSynchronize(event_of(end)), "waiting for an event");
        check(cudaEventElapsedTime(&ms, event_of(begin), event_of(end)), "reading the time between two events");
        return ms;
    }

    void begin_recording(Stream stream) override
    {
        select();
        check(cudaStreamBeginCapture(stream_of(stream), cudaStreamCaptureModeThreadLocal), "starting to record");
    }
    std::unique_ptr<Recording> end_recording(Stream stream) override
    {
        select();
        cudaGraph_t graph = nullptr;
        check(cudaStreamEndCapture(stream_of(stream), &graph), "recording");
        return std::make_unique<CudaRecording>(graph);
    }
    void replay(Stream stream, const Recording& recording) override
    {
        select();
        check(cudaGraphLaunch(static_cast<const CudaRecording&>(recording).executable, stream_of(stream)),
              "replaying the recorded work");
    }

  private:
    Staging& staging()
    {
        select();
        if (!staging_) staging_ = std::make_unique<Staging>();
        return *staging_;
    }

    int index_;
    std::unique_ptr<Staging> staging_;
    cudaDeviceProp properties_ = {};
    int compiled_sm_ = 0;
    cudaStream_t compute_ = nullptr;
    cudaMemPool_t pool_ = nullptr;
};

bool is_recording(cudaStream_t stream)
{
    cudaStreamCaptureStatus status = cudaStreamCaptureStatusNone;
    check(cudaStreamIsCapturing(stream, &status), "asking whether a stream records");
    return status != cudaStreamCaptureStatusNone;
}

} // namespace

std::string cuda_unusable_reason(int index)
{
    if (const std::string reason = driver_unusable_reason(); !reason.empty()) return reason;
    int count = 0;
    check(cudaGetDeviceCount(&count), "counting the GPUs");
    if (index >= count) return str("there is no GPU number ", index, "; ", count, " found, counted from 0");
    cudaDeviceProp gpu = {};
    check(cudaGetDeviceProperties(&gpu, index), "reading the GPU's properties");
    const std::string name = str("GPU ", index, " (", gpu.name, ", sm_", gpu.major, gpu.minor, ")");
    if (gpu.major * 10 + gpu.minor < kOldestSm) return str(name, " is too old; sm_", kOldestSm, " or newer is needed");
    int pools = 0;
    check(cudaDeviceGetAttribute(&pools, cudaDevAttrMemoryPoolsSupported, index), "reading the GPU's properties");
    if (pools == 0) return str(name, " has no memory pools (a virtual GPU?), which are needed");
    cudaError_t status = taken(cudaSetDevice(index));
    int compiled_sm = 0;
    if (status == cudaSuccess) status = taken(cuda_probe(compiled_sm));
    if (status == cudaErrorNoKernelImageForDevice || status == cudaErrorInvalidDeviceFunction)
        return str("this program was built without code for ", name, "; rebuild it with BIFRONS_CUDA_ARCHS naming it");
    if (status != cudaSuccess) return str(name, " does not start: ", cudaGetErrorString(status));
    return "";
}

std::unique_ptr<Device> open_cuda_device(int index)
{
    const std::string reason = cuda_unusable_reason(index);
    BIFRONS_CHECK(device, reason.empty(), "device cuda:", index, ": ", reason, ". Use --device cpu.");
    return std::make_unique<CudaDevice>(index);
}

void select_cuda_device(const kernels::Exec& ex)
{
    static_cast<const CudaDevice&>(*ex.device).select();
}

bool kernels_overlap(const kernels::Exec& ex)
{
    constexpr int kFirst = 90;
    return static_cast<const CudaDevice&>(*ex.device).compiled_sm() >= kFirst;
}

void* prepare_cuda_launch(const kernels::Exec& ex, const char* name)
{
    const auto& device = static_cast<const CudaDevice&>(*ex.device);
    device.select();
    nvtxRangePushA(name);
    return device.stream_of(ex.stream);
}

void finish_cuda_launch(const kernels::Exec& ex, const char* name, const Grid& grid, int launch_status)
{
    nvtxRangePop();
    auto status = taken(cudaError_t(launch_status));
    const cudaStream_t stream = static_cast<const CudaDevice&>(*ex.device).stream_of(ex.stream);
    if (!sync_every_launch()) check_for_faults(status); // of an earlier one
    if (status == cudaSuccess && sync_every_launch() && !is_recording(stream))
        status = taken(cudaStreamSynchronize(stream));
    BIFRONS_CHECK(device, status == cudaSuccess, name, ": the kernel failed on (", grid.blocks.x, ",", grid.blocks.y,
                  ",", grid.blocks.z, ") blocks of (", grid.threads.x, ",", grid.threads.y, ",", grid.threads.z,
                  ") threads with ", grid.smem, " bytes of shared memory: ", cudaGetErrorString(status), " (",
                  cudaGetErrorName(status), "). BIFRONS_SYNC=1 in the environment tells which kernel a fault is from.");
}

} // namespace bifrons::kernels
