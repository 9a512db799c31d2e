#include "tools/interrupt.h"

#include <csignal>

#include <unistd.h>

namespace bifrons::tools {

namespace {

std::atomic<bool> asked = false;
static_assert(std::atomic<bool>::is_always_lock_free, "a signal handler may set it");

void on_signal(int)
{
    if (asked.exchange(true)) _exit(130);
}

} // namespace

void catch_interrupts()
{
    struct sigaction action {};
    action.sa_handler = on_signal;
    action.sa_flags = SA_RESTART; // reads and writes in flight continue
    sigaction(SIGINT, &action, nullptr);
    sigaction(SIGTERM, &action, nullptr);
}

const std::atomic<bool>& interrupt_flag()
{
    return asked;
}

} // namespace bifrons::tools
