// A TOML file of settings.
#include "model/settings.h"
#include "kernels/base/error.h"

using namespace bifrons;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size)
{
    try {
        model::Settings settings;
        model::apply_toml(settings, std::string(reinterpret_cast<const char*>(bytes), size), "fuzz");
        model::check(settings);
        if (model::from_json(model::to_json(settings), "fuzz") != settings) __builtin_trap();
    } catch (const Error& error) {
        if (error.kind() != ErrorKind::data && error.kind() != ErrorKind::usage) throw;
    }
    return 0;
}
