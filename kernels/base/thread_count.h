// kernels/base/thread_count.h - how many threads OpenMP's loops take.
#pragma once

#include <omp.h>

namespace bifrons::kernels {

/// Of this thread's loops, while it lives.
class ThreadCount {
  public:
    explicit ThreadCount(int threads) : before_(omp_get_max_threads()) { omp_set_num_threads(threads); }
    ~ThreadCount() { omp_set_num_threads(before_); }
    ThreadCount(const ThreadCount&) = delete;
    ThreadCount& operator=(const ThreadCount&) = delete;

  private:
    int before_;
};

} // namespace bifrons::kernels
