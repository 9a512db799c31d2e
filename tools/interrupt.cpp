#include "tools/interrupt.h"

#include <csignal>

#include <unistd.h>

namespace bifrons::tools {

namespace {

volatile std::sig_atomic_t asked = 0;

void on_signal(int)
{
    if (asked) _exit(130);
    asked = 1;
}

} // namespace

void catch_interrupts()
{
    struct sigaction action {};
    action.sa_handler = on_signal;
    action.sa_flags = SA_RESTART; // reads and writes in flight go on
    sigaction(SIGINT, &action, nullptr);
    sigaction(SIGTERM, &action, nullptr);
}

bool interrupted()
{
    return asked != 0;
}

} // namespace bifrons::tools
