// tests/support/thread_limit.h - a system that gives no more threads.
#pragma once

namespace bifrons::test {

class ThreadLimit {
  public:
    /// While it lives, so many threads can be started; more are refused.
    explicit ThreadLimit(int threads);
    ~ThreadLimit();
    ThreadLimit(const ThreadLimit&) = delete;
    ThreadLimit& operator=(const ThreadLimit&) = delete;
};

} // namespace bifrons::test
