// A safetensors file, and the settings in its metadata, which are JSON.
#include "engine/safetensors.h"
#include "kernels/base/error.h"
#include "model/settings.h"

#include <sys/mman.h>
#include <unistd.h>

using namespace bifrons;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size)
{
    static const int memory = memfd_create("safetensors", 0);
    static const std::string path = "/proc/self/fd/" + std::to_string(memory);
    if (ftruncate(memory, 0) != 0 || pwrite(memory, bytes, size, 0) != ssize_t(size)) return 0;
    try {
        const SafetensorsFile file(path);
        for (const NamedTensor& tensor : file.tensors())
            if (tensor.dtype == DType::f32 || tensor.dtype == DType::bf16 || tensor.dtype == DType::f16)
                float_values(tensor);
        if (read_safetensors_metadata(path) != file.metadata()) __builtin_trap();
        const auto settings = file.metadata().find("settings");
        if (settings != file.metadata().end()) model::from_json(settings->second, "fuzz");
    } catch (const Error& error) {
        if (error.kind() != ErrorKind::data) throw;
    }
    return 0;
}
