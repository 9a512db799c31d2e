// kernels/sim/async.h - work that a thread starts and that is done some time before it waits for it.
#pragma once

#include "kernels/sim/site.h"

#include <cstddef>
#include <vector>

namespace bifrons::kernels::sim {

/// A copy from global to shared memory (cp.async).
struct AsyncCopy {
    void* to;
    const void* from; ///< null for zeros
    std::size_t bytes;
    bool landed;
    Site site; ///< where it was begun

    void land();
};

/// The copies that one thread has not yet waited for, in groups.
class CopyQueue {
  public:
    bool empty() const { return copies_.empty(); }
    const AsyncCopy& first() const { return copies_.front(); }
    std::size_t size() const { return copies_.size(); }
    void clear();

    void begin(const AsyncCopy& copy) { copies_.push_back(copy); }
    /// All of them, which then are no longer its concern.
    std::vector<AsyncCopy> take();
    void commit() { ends_.push_back(copies_.size()); }
    /// Takes all groups but the latest `left` out, calling done for each of their copies.
    template <class Done>
    void wait(std::size_t left, const Done& done)
    {
        if (ends_.size() <= left) return;
        const std::size_t groups = ends_.size() - left, n = ends_[groups - 1];
        for (std::size_t i = 0; i < n; ++i) done(copies_[i]);
        drop(groups, n);
    }

  private:
    void drop(std::size_t groups, std::size_t copies);

    std::vector<AsyncCopy> copies_;
    std::vector<std::size_t> ends_; // of the groups that are closed, in copies_
};

} // namespace bifrons::kernels::sim
