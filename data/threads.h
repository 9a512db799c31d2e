// data/threads.h - independent pieces of work on several threads. (OpenMP ends the program on an exception.)
#pragma once

#include <atomic>
#include <cstdint>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

namespace bifrons::data {

/// As many as the machine has, at least 1.
inline int machine_threads()
{
    return std::max(1, int(std::thread::hardware_concurrency()));
}

/// body(index, worker) for each index of [0, n), on at most `threads` threads; worker is below `threads` and the same
/// for one thread. The first exception is thrown again here, after all threads ended.
template <class Body>
void for_each_on_threads(std::int64_t n, int threads, const Body& body)
{
    std::atomic<std::int64_t> next = 0;
    std::exception_ptr failure;
    std::mutex guard;
    const auto work = [&](int worker) {
        try {
            for (std::int64_t i = next++; i < n; i = next++) body(i, worker);
        } catch (...) {
            const std::lock_guard lock(guard);
            if (!failure) failure = std::current_exception();
            next = n;
        }
    };
    std::vector<std::thread> others;
    for (int worker = 1; worker < threads && worker < n; ++worker) others.emplace_back(work, worker);
    work(0);
    for (std::thread& thread : others) thread.join();
    if (failure) std::rethrow_exception(failure);
}

} // namespace bifrons::data
