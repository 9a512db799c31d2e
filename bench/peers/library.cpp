#include "bench/peers/library.h"

#include <filesystem>
#include <map>

#include <dlfcn.h>

namespace bifrons::bench {

namespace {

struct Opened {
    Library* peer = nullptr;
    std::string why_not;
};

Opened open(const std::string& name)
{
    const auto program = std::filesystem::read_symlink("/proc/self/exe");
    const auto module = program.parent_path() / str("bifrons-peer-", name, ".so");
    if (!std::filesystem::exists(module)) return {nullptr, str(name, ": not built in")};
    void* const handle = dlopen(module.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (!handle) return {nullptr, str(name, ": ", dlerror())};
    const auto make = reinterpret_cast<decltype(&bifrons_peer_library)>(dlsym(handle, "bifrons_peer_library"));
    try {
        return {make(), ""};
    } catch (const std::exception& e) {
        return {nullptr, str(name, ": ", e.what())};
    }
}

} // namespace

Library* open_library(const std::string& name, std::string& why_not)
{
    static std::map<std::string, Opened> opened;
    const auto it = opened.find(name);
    const Opened& found = it == opened.end() ? opened[name] = open(name) : it->second;
    why_not = found.why_not;
    return found.peer;
}

} // namespace bifrons::bench
