#include "tests/support/thread_limit.h"

#include <atomic>
#include <cerrno>

#include <dlfcn.h>
#include <pthread.h>

namespace {

constexpr int kUnlimited = -1;
std::atomic<int> left = kUnlimited;

} // namespace

namespace bifrons::test {

ThreadLimit::ThreadLimit(int threads)
{
    left = threads;
}

ThreadLimit::~ThreadLimit()
{
    left = kUnlimited;
}

} // namespace bifrons::test

/// Stands before the library's own, which it calls.
extern "C" int pthread_create(pthread_t* thread, const pthread_attr_t* attributes, void* (*work)(void*),
                              void* argument) noexcept
{
    static const auto create = reinterpret_cast<decltype(&pthread_create)>(dlsym(RTLD_NEXT, "pthread_create"));
    if (left == 0) return EAGAIN;
    if (left > 0) --left;
    return create(thread, attributes, work, argument);
}
