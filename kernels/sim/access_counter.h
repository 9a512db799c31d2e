// kernels/sim/access_counter.h - how the accesses of warps suit the memory, by kernel and line of source: bank
// conflicts in shared memory, sectors of global memory. What the compiler does is seen where kernels are checked; what
// the wrappers of kernels/ptx/ do (ldmatrix, cp.async), in every build.
//
// The n-th accesses of a warp's lanes by one instruction are taken for one request; so lanes that skip a loop's rounds
// are counted with others' earlier ones.
#pragma once

#include "kernels/sim/place.h"

#include <array>
#include <compare>
#include <cstddef>
#include <map>
#include <string>
#include <unordered_map>
#include <vector>

namespace bifrons::kernels::sim {

struct AccessCount {
    std::string place; ///< as text_of says
    std::int64_t requests = 0;
    /// Of shared memory: a request is served in phases of 32, 16 or 8 lanes for elements of 4, 8 or 16 bytes; a phase
    /// takes as many cycles as there are different words of 4 bytes in one of the 32 banks.
    std::int64_t phases = 0, cycles = 0;
    /// Of global memory: pieces of 32 aligned bytes.
    std::int64_t sectors = 0;

    /// 1 without bank conflicts.
    double ways() const { return double(cycles) / double(phases); }
    double sectors_a_request() const { return double(sectors) / double(requests); }
};

class AccessCounter {
  public:
    void begin_launch(const char* kernel) { counts_ = &kernels_[kernel]; }
    /// A lane of the warp (any number that no other running warp has) accesses memory.
    void note(std::size_t warp, int lane, const void* address, std::size_t bytes, bool shared, SourcePlace place);
    /// All requests are complete: no lane comes any more.
    void end_blocks();

    /// The kernel's counts, of all its launches together: each place, or those that name a line ("kernels/a.cu:12").
    std::vector<AccessCount> of(const std::string& kernel) const;
    AccessCount of(const std::string& kernel, const std::string& line) const;

  private:
    static constexpr std::size_t kLanes = 32;
    struct Request {
        std::array<std::uintptr_t, kLanes> addresses = {}; // 0 for lanes that take no part
        std::size_t bytes;
    };
    /// What a warp does to one of the memories at a place; cp.async touches both.
    struct Key {
        std::size_t warp;
        SourcePlace place;
        bool shared;
        auto operator<=>(const Key&) const = default;
    };
    struct Series {
        std::array<std::uint32_t, kLanes> done = {}; // by each lane
        std::vector<Request> requests;
    };
    void count(const Request& request, bool shared, AccessCount& count) const;

    std::map<std::string, std::map<SourcePlace, AccessCount>> kernels_;
    std::map<SourcePlace, AccessCount>* counts_ = nullptr; // of the kernel that runs
    std::map<Key, Series> series_;
};

} // namespace bifrons::kernels::sim
