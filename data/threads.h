// data/threads.h - independent pieces of work on several threads. (OpenMP ends the program on an exception.)
#pragma once

#include "kernels/base/thread_count.h"

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <exception>
#include <functional>
#include <future>
#include <mutex>
#include <stop_token>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

namespace bifrons::data {

/// As many as the machine has, at least 1.
inline int machine_threads()
{
    return std::max(1, int(std::thread::hardware_concurrency()));
}

/// What the threads of a loop share: each takes the next index until there is none, or one of them has failed.
class SharedLoop {
  public:
    explicit SharedLoop(std::int64_t n) : n_(n) {}
    template <class Body>
    void work(const Body& body, int worker)
    {
        const kernels::ThreadCount one(1); // a piece's own loops stay on its thread
        try {
            for (std::int64_t i = next_++; i < n_; i = next_++) body(i, worker);
        } catch (...) {
            const std::lock_guard lock(guard_);
            if (!failure_) failure_ = std::current_exception();
            next_ = n_;
        }
    }
    /// When all have ended.
    void rethrow() const
    {
        if (failure_) std::rethrow_exception(failure_);
    }

  private:
    std::int64_t n_;
    std::atomic<std::int64_t> next_ = 0;
    std::exception_ptr failure_;
    std::mutex guard_;
};

/// body(index, worker) for each index of [0, n), on at most `threads` threads, fewer where the system gives no more;
/// worker is below `threads` and the same for one thread. The first exception is thrown again here, after all threads
/// ended.
template <class Body>
void for_each_on_threads(std::int64_t n, int threads, const Body& body)
{
    SharedLoop loop(n);
    {
        std::vector<std::jthread> others; // which join, whatever ends this block
        try {
            for (int worker = 1; worker < threads && worker < n; ++worker)
                others.emplace_back([&, worker] { loop.work(body, worker); });
        } catch (const std::system_error&) { // no more threads: the others do its share
        }
        loop.work(body, 0);
    }
    loop.rethrow();
}

/// What work() returns, computed on a thread of its own from now on; where the system gives none, when it is asked for.
template <class Work>
auto started_early(Work&& work)
{
    return std::async(std::launch::async | std::launch::deferred, std::forward<Work>(work));
}

/// Threads that stay from one loop to the next, so that each can keep what belongs to a thread: a device.
class ThreadTeam {
  public:
    /// They bear the name, of at most 15 characters, in debuggers and profilers. Fewer where the system gives no more;
    /// throws std::system_error where it gives none.
    ThreadTeam(int threads, const char* name);
    int size() const { return int(threads_.size()); }
    /// As for_each_on_threads, but on the team's threads only, and a worker's number means the same one every time.
    void for_each(std::int64_t n, const std::function<void(std::int64_t index, int worker)>& body);

  private:
    struct Round {
        SharedLoop loop;
        const std::function<void(std::int64_t, int)>& body;
        int working;
    };
    void serve(const std::stop_token& end, int worker);

    std::mutex guard_;
    std::condition_variable_any begin_, end_;
    Round* round_ = nullptr;
    int rounds_ = 0;
    std::vector<std::jthread> threads_; // last, so that they have ended before the rest goes
};

} // namespace bifrons::data
