#include "data/threads.h"

#include <pthread.h>

namespace bifrons::data {

ThreadTeam::ThreadTeam(int threads, const char* name)
{
    try {
        for (int worker = 0; worker < threads; ++worker) {
            threads_.emplace_back([this, worker](const std::stop_token& end) { serve(end, worker); });
            pthread_setname_np(threads_.back().native_handle(), name);
        }
    } catch (const std::system_error&) {
        if (threads_.empty()) throw;
    }
}

void ThreadTeam::serve(const std::stop_token& end, int worker)
{
    std::unique_lock lock(guard_);
    for (int seen = 0; begin_.wait(lock, end, [&] { return rounds_ != seen; });) {
        seen = rounds_;
        Round& round = *round_;
        lock.unlock();
        round.loop.work(round.body, worker);
        lock.lock();
        if (--round.working == 0) end_.notify_one();
    }
}

void ThreadTeam::for_each(std::int64_t n, const std::function<void(std::int64_t, int)>& body)
{
    Round round{SharedLoop(n), body, size()};
    std::unique_lock lock(guard_);
    round_ = &round;
    ++rounds_;
    begin_.notify_all();
    end_.wait(lock, [&] { return round.working == 0; });
    round.loop.rethrow();
}

} // namespace bifrons::data
