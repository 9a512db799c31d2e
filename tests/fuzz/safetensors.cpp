// A safetensors file, and the settings in its metadata, which are JSON.
#include "engine/safetensors.h"
#include "model/settings.h"
#include "tests/fuzz/attempt.h"
#include "tests/fuzz/memory_file.h"

using namespace bifrons;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size)
{
    const std::string* const path = memory_file(bytes, size);
    if (!path) return 0;
    attempt([&] {
        const SafetensorsFile file(*path);
        for (const NamedTensor& tensor : file.tensors())
            if (tensor.dtype == DType::f32 || tensor.dtype == DType::bf16 || tensor.dtype == DType::f16)
                float_values(tensor);
        if (read_safetensors_metadata(*path) != file.metadata()) __builtin_trap();
        const auto settings = file.metadata().find("settings");
        if (settings != file.metadata().end()) model::from_json(settings->second, "fuzz");
    });
    return 0;
}
