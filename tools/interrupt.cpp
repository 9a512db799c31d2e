#include "tools/interrupt.h"

#include <csignal>

#include <unistd.h>

namespace bifrons::tools {

namespace {

constexpr int kExitCode = 130;

std::atomic<bool> asked = false, told = false;
static_assert(std::atomic<bool>::is_always_lock_free, "a signal handler may set it");

std::string last_words[2]; // for stdout and stderr

void on_signal(int signal)
{
    asked = true;
    if (signal != SIGHUP && told.exchange(true)) _exit(kExitCode);
}

void end(int)
{
    for (const int stream : {0, 1})
        if (write(stream + 1, last_words[stream].data(), last_words[stream].size()) < 0) break;
    _exit(kExitCode);
}

void handle(void (*handler)(int))
{
    for (const int signal : {SIGINT, SIGTERM, SIGHUP}) {
        struct sigaction action {
        }, before{};
        action.sa_handler = handler;
        action.sa_flags = SA_RESTART; // reads and writes in flight continue
        sigaction(signal, nullptr, &before);
        if (before.sa_handler != SIG_IGN) sigaction(signal, &action, nullptr);
    }
}

} // namespace

void catch_interrupts()
{
    handle(on_signal);
    for (const int signal : {SIGPIPE, SIGXFSZ}) std::signal(signal, SIG_IGN);
    std::signal(SIGCHLD, SIG_DFL); // where it was ignored nobody would learn how a child ended
}

void end_on_interrupt(const std::string& to_stdout, const std::string& to_stderr)
{
    last_words[0] = to_stdout;
    last_words[1] = to_stderr;
    handle(end);
    std::signal(SIGXFSZ, SIG_IGN);
}

const std::atomic<bool>& interrupt_flag()
{
    return asked;
}

} // namespace bifrons::tools
