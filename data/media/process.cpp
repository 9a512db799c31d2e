// data/media/process.cpp - a child program with one pipe.
#include "data/media/process.h"

#include "kernels/base/error.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <regex>

extern char** environ;

namespace bifrons::data {

namespace {

/// posix_spawnp with the given descriptors as standard input, output, error and number 3; returns errno.
int spawn(pid_t& pid, const Words& command, int in, int out, int errors, int notes)
{
    std::vector<char*> arguments;
    for (const std::string& word : command) arguments.push_back(const_cast<char*>(word.c_str()));
    arguments.push_back(nullptr);

    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    for (const auto& [descriptor, target] : {std::pair{in, 0}, {out, 1}, {errors, 2}, {notes, 3}}) {
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

std::int64_t size_of(int file)
{
    struct stat status = {};
    return ::fstat(file, &status) == 0 ? status.st_size : 0;
}

/// Bytes `from`.. of a file in memory, `most` at most.
std::string text_of(int file, std::int64_t from, std::int64_t most)
{
    const std::int64_t size = std::clamp<std::int64_t>(size_of(file) - from, 0, most);
    std::string text(std::size_t(size), '\0');
    text.resize(std::size_t(std::max<ssize_t>(0, ::pread(file, text.data(), text.size(), from))));
    return text;
}

} // namespace

void append(Words& words, const Words& more)
{
    words.insert(words.end(), more.begin(), more.end());
}

Process::Process(const Words& command, Pipe pipe)
{
    // A socket pair, because writing to it can be told not to raise SIGPIPE.
    int ends[2] = {-1, -1};
    BIFRONS_CHECK(failed, ::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0, command[0],
                  ": cannot open a socket to it: ", std::strerror(errno));
    errors_ = ::memfd_create("errors", MFD_CLOEXEC);
    notes_ = ::memfd_create("notes", MFD_CLOEXEC);
    const bool into = pipe == Pipe::into;
    ::shutdown(ends[0], into ? SHUT_RD : SHUT_WR);
    const int error = spawn(pid_, command, into ? ends[1] : -1, into ? -1 : ends[1], errors_, notes_);
    ::close(ends[1]);
    pipe_ = ends[0];
    if (error == 0) return;
    for (const int descriptor : {pipe_, errors_, notes_}) ::close(descriptor);
    const char* remedy = error == EAGAIN || error == ENOMEM
                             ? ". Raise the limits of processes and memory (`ulimit -u`, `ulimit -v`)."
                             : "; expected the program in PATH. Install it (apt install ffmpeg).";
    throw Error(ErrorKind::failed, str(command[0], ": cannot be started: ", std::strerror(error), remedy));
}

Process::~Process()
{
    if (status_ < 0) {
        ::kill(pid_, SIGKILL);
        wait();
    }
    ::close(errors_);
    ::close(notes_);
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
    constexpr std::int64_t kEnd = 4096; // of a long one only the end is of interest
    const std::string text = text_of(errors_, std::max<std::int64_t>(0, said() - kEnd), kEnd);
    std::vector<std::string> lines;
    std::istringstream in(text);
    for (std::string line; std::getline(in, line);)
        if (line.find_first_not_of(" \r") != std::string::npos)
            lines.push_back(std::regex_replace(line, std::regex("^(\\[[^\\]]* @ 0x[0-9a-f]+\\] )+|\\r| +$"), ""));
    if (lines.empty()) return "";
    return lines.size() > 1 ? lines[lines.size() - 2] + "; " + lines.back() : lines.back();
}

std::string Process::reason() const
{
    if (status_ <= 0) return complaint();
    const std::string end = status_ > 128 ? str("was ended by signal ", status_ - 128, ", ", ::strsignal(status_ - 128))
                                          : str("ended with status ", status_);
    const std::string said = complaint();
    return said.empty() ? end : str(said, "; ", end);
}

std::int64_t Process::said() const
{
    return size_of(errors_);
}

std::int64_t Process::lines_said() const
{
    constexpr std::int64_t kMost = 1 << 24;
    const std::string text = text_of(errors_, 0, kMost);
    return std::count(text.begin(), text.end(), '\n');
}

std::string Process::notes(std::int64_t from) const
{
    constexpr std::int64_t kMost = 1 << 16;
    return text_of(notes_, from, kMost);
}

void check_program(const std::string& complaint)
{
    const auto says = [&](const char* part) { return complaint.find(part) != std::string::npos; };
    BIFRONS_CHECK(failed, !says("Unrecognized option"), "ffmpeg: is too old (", complaint,
                  "); expected version 5.1 or newer. `ffmpeg -version` shows it.");
    BIFRONS_CHECK(failed,
                  !says("Cannot allocate memory") && !says("failed to map segment") &&
                      !says("Resource temporarily unavailable"),
                  "ffmpeg: lacks memory or threads (", complaint,
                  "). Raise the limits of processes and memory (`ulimit -u`, `ulimit -v`).");
}

Output run(const Words& command)
{
    Process process(command, Process::Pipe::from);
    Output output;
    std::vector<char> piece(1 << 16);
    while (const std::size_t n = process.read(piece.data(), piece.size())) output.text.append(piece.data(), n);
    output.status = process.wait();
    output.complaint = process.complaint();
    output.reason = process.reason();
    return output;
}

} // namespace bifrons::data
