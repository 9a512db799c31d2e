#include "kernels/sim/place.h"

#include "kernels/base/error.h"

#include <cstdio>
#include <cstring>
#include <deque>
#include <map>
#include <mutex>

#include <unistd.h>

// Where the program begins and ends in memory, as the linker defines it.
extern "C" const char __executable_start, _end;

namespace bifrons::kernels::sim {

namespace {

constexpr SourcePlace kSite = SourcePlace(1)
                              << 31; // the number of a site; without it, the distance from the program's start

std::mutex sites_lock;
std::deque<Site> sites;
std::map<std::pair<const char*, int>, SourcePlace> numbers; // a file's name and a line

std::string output_of(const std::string& command)
{
    std::string output;
    FILE* const pipe = popen(command.c_str(), "r");
    if (!pipe) return output;
    for (char part[256]; std::fgets(part, sizeof part, pipe);) output += part;
    pclose(pipe);
    return output;
}

/// "a.cuh:3 (from b.cu:12)" of addr2line's lines, innermost first, which name the simulator and the system at last.
std::string joined(const std::string& lines)
{
    std::string text, callers;
    std::istringstream stream(lines);
    for (std::string line; std::getline(stream, line);) {
        line = line.substr(line.rfind("//") == line.npos ? 0 : line.rfind("//") + 2);
        line = line.substr(0, line.find(" (discriminator"));
        if (line[0] == '/' || line.rfind("kernels/sim/", 0) == 0) break;
        (text.empty() ? text : callers) += text.empty() ? line : str(callers.empty() ? " (from " : ", ", line);
    }
    return callers.empty() ? text : str(text, callers, ")");
}

} // namespace

bool is_of_program(const void* address)
{
    return address >= &__executable_start && address < &_end;
}

SourcePlace place_of(const void* instruction)
{
    return SourcePlace(static_cast<const char*>(instruction) - &__executable_start);
}

SourcePlace place_of(const Site& site)
{
    const std::scoped_lock lock(sites_lock);
    const auto [found, is_new] = numbers.try_emplace({site.file, site.line}, kSite | SourcePlace(sites.size()));
    if (is_new) sites.push_back(site);
    return found->second;
}

std::string text_of(SourcePlace place)
{
    if (place & kSite) {
        const std::scoped_lock lock(sites_lock);
        const Site& site = sites[place & ~kSite];
        return str(site.file, ":", site.line);
    }
    const std::string self = str("/proc/", getpid(), "/exe");
    const std::string lines = output_of(str("addr2line -i -e ", self, " 0x", std::hex, place, " 2>/dev/null"));
    const std::string text = joined(lines);
    return text.empty() || text[0] == '?' ? str("instruction 0x", std::hex, place) : text;
}

} // namespace bifrons::kernels::sim
