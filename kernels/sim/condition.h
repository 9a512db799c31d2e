// kernels/sim/condition.h - what a thread waits for when no other thread wakes it: checked whenever its turn comes.
#pragma once

#include <string>

namespace bifrons::kernels::sim {

class Condition {
  public:
    virtual ~Condition() = default;
    virtual bool holds() const = 0;
    /// What is still to come, for the report of a deadlock.
    virtual std::string missing() const = 0;
};

} // namespace bifrons::kernels::sim
