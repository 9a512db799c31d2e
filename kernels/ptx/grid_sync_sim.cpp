#include "kernels/ptx/grid_sync.h"

namespace bifrons::kernels::sim {

bool ValueIsReady::holds() const
{
    return ready_(__atomic_load_n(value_, __ATOMIC_ACQUIRE));
}

std::string ValueIsReady::missing() const
{
    return str("the value is ", *value_);
}

void spin_wait(const unsigned* value, const std::function<bool(unsigned)>& ready, const char* file, int line)
{
    const Site site = {"spin_wait", file, line};
    Executor::current().wait_until(ValueIsReady(value, ready), site);
    Executor::current().note_access(value, sizeof *value, Access::atomic, site);
    Executor::current().note_acquire(value);
}

} // namespace bifrons::kernels::sim
