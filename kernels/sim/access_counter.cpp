#include "kernels/sim/access_counter.h"

#include <algorithm>
#include <set>

namespace bifrons::kernels::sim {

namespace {

constexpr std::size_t kWord = 4, kBanks = 32, kSector = 32;

/// The addresses of the request's parts of `size` bytes, each once, by lanes first..last.
template <class Addresses>
std::set<std::uintptr_t> parts(const Addresses& addresses, std::size_t first, std::size_t last, std::size_t bytes,
                               std::size_t size)
{
    std::set<std::uintptr_t> found;
    for (std::size_t lane = first; lane < last; ++lane)
        if (addresses[lane] != 0)
            for (std::uintptr_t part = addresses[lane] / size; part <= (addresses[lane] + bytes - 1) / size; ++part)
                found.insert(part);
    return found;
}

void add(AccessCount& sum, const AccessCount& count)
{
    sum.requests += count.requests;
    sum.phases += count.phases;
    sum.cycles += count.cycles;
    sum.sectors += count.sectors;
}

/// Whether the text names the line, and not one whose number only begins so.
bool names(const std::string& text, const std::string& line)
{
    for (std::size_t at = text.find(line); at != text.npos; at = text.find(line, at + 1)) {
        const std::size_t end = at + line.size();
        if (end == text.size() || text[end] < '0' || text[end] > '9') return true;
    }
    return false;
}

} // namespace

void AccessCounter::note(std::size_t warp, int lane, const void* address, std::size_t bytes, bool shared,
                         SourcePlace place)
{
    Series& series = series_[{warp, place, shared}];
    const std::size_t n = series.done[std::size_t(lane)]++;
    if (n == series.requests.size()) series.requests.push_back({.bytes = bytes});
    series.requests[n].addresses[std::size_t(lane)] = reinterpret_cast<std::uintptr_t>(address);
}

void AccessCounter::end_blocks()
{
    for (const auto& [key, series] : series_)
        for (const Request& request : series.requests) count(request, key.shared, (*counts_)[key.place]);
    series_.clear();
}

void AccessCounter::count(const Request& request, bool shared, AccessCount& count) const
{
    ++count.requests;
    if (!shared) {
        count.sectors += std::int64_t(parts(request.addresses, 0, kLanes, request.bytes, kSector).size());
        return;
    }
    const std::size_t words_of_lane = std::clamp<std::size_t>(request.bytes / kWord, 1, kLanes);
    const std::size_t lanes = kLanes / words_of_lane; // of a phase
    for (std::size_t first = 0; first < kLanes; first += lanes) {
        std::array<std::int64_t, kBanks> words = {};
        for (const std::uintptr_t word : parts(request.addresses, first, first + lanes, request.bytes, kWord))
            ++words[word % kBanks];
        const std::int64_t cycles = *std::max_element(words.begin(), words.end());
        count.cycles += cycles;
        count.phases += cycles > 0;
    }
}

std::vector<AccessCount> AccessCounter::of(const std::string& kernel) const
{
    std::vector<AccessCount> counts;
    const auto found = kernels_.find(kernel);
    if (found == kernels_.end()) return counts;
    for (const auto& [place, count] : found->second) {
        counts.push_back(count);
        counts.back().place = text_of(place);
    }
    return counts;
}

AccessCount AccessCounter::of(const std::string& kernel, const std::string& line) const
{
    AccessCount sum{.place = line};
    for (const AccessCount& count : of(kernel))
        if (names(count.place, line)) add(sum, count);
    return sum;
}

} // namespace bifrons::kernels::sim
