// data/picture/apart.cpp - work in a process of its own.
#include "data/picture/apart.h"

#include "kernels/base/error.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <fstream>
#include <new>

namespace bifrons::data {

namespace {

void limit(decltype(RLIMIT_DATA) resource, std::uint64_t most)
{
    rlimit limits = {};
    ::getrlimit(resource, &limits);
    limits.rlim_cur = std::min<rlim_t>(most, limits.rlim_max);
    ::setrlimit(resource, &limits);
}

/// Bytes of this process that RLIMIT_DATA counts.
std::uint64_t bytes_of_data()
{
    std::uint64_t pages = 0;
    std::ifstream sizes("/proc/self/statm"); // the sixth number
    for (int i = 0; i < 6; ++i) sizes >> pages;
    return sizes ? pages * std::uint64_t(::sysconf(_SC_PAGESIZE)) : RLIM_INFINITY / 2;
}

/// Of the child: nobody hears it, it keeps to what it may use, and it ends with its parent.
void confine(const Allowance& allowance)
{
    ::setpgid(0, 0); // Ctrl-C is the parent's
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (const int nowhere = ::open("/dev/null", O_WRONLY); nowhere >= 0) ::dup2(nowhere, STDERR_FILENO);
    limit(RLIMIT_CORE, 0);
    limit(RLIMIT_CPU, std::uint64_t(allowance.seconds));
    limit(RLIMIT_DATA, bytes_of_data() + std::uint64_t(allowance.bytes));
}

[[noreturn]] void work_as_child(const std::function<void()>& work, const Allowance& allowance, const SharedBytes& said)
{
    const auto say = [&](const char* reason) {
        std::strncpy(reinterpret_cast<char*>(said.data()), reason, said.size() - 1);
    };
    try {
        confine(allowance);
        work();
        ::_exit(0);
    } catch (const std::bad_alloc&) {
        say("it takes too much memory");
    } catch (const std::exception& error) {
        say(error.what());
    } catch (...) {
    }
    ::_exit(1);
}

} // namespace

SharedBytes::SharedBytes(std::size_t size) : size_(size)
{
    void* memory = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) throw std::bad_alloc();
    data_ = static_cast<std::uint8_t*>(memory);
}

SharedBytes::~SharedBytes()
{
    ::munmap(data_, size_);
}

std::string run_apart(const std::function<void()>& work, const Allowance& allowance)
{
    const SharedBytes said(1 << 12);
    const pid_t child = ::fork();
    BIFRONS_CHECK(failed, child >= 0, "a process for a picture cannot be started: ", std::strerror(errno),
                  ". Raise the limits of processes and memory (`ulimit -u`, `ulimit -v`).");
    if (child == 0) work_as_child(work, allowance, said);
    int status = 0;
    pid_t ended = -1;
    while ((ended = ::waitpid(child, &status, 0)) < 0 && errno == EINTR) {
    }
    BIFRONS_CHECK(failed, ended == child, "how the process of a picture ended is not known: ", std::strerror(errno));
    if (WIFSIGNALED(status) && WTERMSIG(status) == SIGXCPU)
        return str("it takes more than ", allowance.seconds, " s of the processor's time");
    if (WIFSIGNALED(status)) return str("its decoder crashed: ", ::strsignal(WTERMSIG(status)));
    if (WEXITSTATUS(status) == 0) return "";
    const std::string reason = reinterpret_cast<const char*>(said.data());
    return reason.empty() ? "for an unknown reason" : reason;
}

} // namespace bifrons::data
