// data/media/process.cpp - a child program with one pipe.
#include "data/media/process.h"

#include "kernels/base/error.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <regex>

extern char** environ;

namespace bifrons::data {

namespace {

/// posix_spawnp with the given descriptors as standard input, output and error; returns errno.
int spawn(pid_t& pid, const std::vector<std::string>& command, int in, int out, int errors)
{
    std::vector<char*> arguments;
    for (const std::string& word : command) arguments.push_back(const_cast<char*>(word.c_str()));
    arguments.push_back(nullptr);

    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    for (const auto& [descriptor, target] : {std::pair{in, 0}, {out, 1}, {errors, 2}}) {
        if (descriptor >= 0)
            posix_spawn_file_actions_adddup2(&actions, descriptor, target);
        else
            posix_spawn_file_actions_addopen(&actions, target, "/dev/null", O_RDWR, 0);
    }
    posix_spawnattr_t attributes;
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP);
    const int error = posix_spawnp(&pid, arguments[0], &actions, &attributes, arguments.data(), environ);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    return error;
}

} // namespace

Process::Process(const std::vector<std::string>& command, Pipe pipe)
{
    // A socket pair, because writing to it can be told not to raise SIGPIPE.
    int ends[2] = {-1, -1};
    BIFRONS_CHECK(failed, ::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0, command[0],
                  ": cannot open a socket to it: ", std::strerror(errno));
    errors_ = ::memfd_create("errors", MFD_CLOEXEC);
    const bool into = pipe == Pipe::into;
    ::shutdown(ends[0], into ? SHUT_RD : SHUT_WR);
    const int error = spawn(pid_, command, into ? ends[1] : -1, into ? -1 : ends[1], errors_);
    ::close(ends[1]);
    pipe_ = ends[0];
    if (error == 0) return;
    ::close(pipe_);
    ::close(errors_);
    throw Error(ErrorKind::failed, str(command[0], ": cannot be started: ", std::strerror(error),
                                       "; expected the program in PATH. Install it (apt install ffmpeg)."));
}

Process::~Process()
{
    if (status_ < 0) {
        ::kill(pid_, SIGKILL);
        wait();
    }
    ::close(errors_);
}

std::size_t Process::read(void* to, std::size_t n)
{
    std::size_t done = 0;
    while (done < n) {
        const ssize_t got = ::read(pipe_, static_cast<char*>(to) + done, n - done);
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) break;
        done += std::size_t(got);
    }
    return done;
}

bool Process::write(const void* from, std::size_t n)
{
    std::size_t done = 0;
    while (done < n) {
        const ssize_t put = ::send(pipe_, static_cast<const char*>(from) + done, n - done, MSG_NOSIGNAL);
        if (put < 0 && errno == EINTR) continue;
        if (put <= 0) return false;
        done += std::size_t(put);
    }
    return true;
}

int Process::wait()
{
    if (status_ >= 0) return status_;
    ::close(pipe_);
    int status = 0;
    while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
    }
    status_ = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    return status_;
}

std::string Process::complaint() const
{
    std::string text(4096, '\0');
    const off_t size = ::lseek(errors_, 0, SEEK_END);
    const off_t start = std::max<off_t>(0, size - off_t(text.size()));
    text.resize(std::size_t(std::max<ssize_t>(0, ::pread(errors_, text.data(), text.size(), start))));
    std::vector<std::string> lines;
    std::istringstream in(text);
    for (std::string line; std::getline(in, line);)
        if (line.find_first_not_of(" \r") != std::string::npos)
            lines.push_back(std::regex_replace(line, std::regex("^\\[[^\\]]* @ 0x[0-9a-f]+\\] |\\r| +$"), ""));
    if (lines.empty()) return "";
    return lines.size() > 1 ? lines[lines.size() - 2] + "; " + lines.back() : lines.back();
}

Output run(const std::vector<std::string>& command)
{
    Process process(command, Process::Pipe::from);
    Output output;
    std::vector<char> piece(1 << 16);
    while (const std::size_t n = process.read(piece.data(), piece.size())) output.text.append(piece.data(), n);
    output.status = process.wait();
    output.complaint = process.complaint();
    return output;
}

} // namespace bifrons::data
