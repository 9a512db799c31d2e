// data/media/process.h - a child program with one pipe. No shell is involved, so no file name can be taken for a
// command.
#pragma once

#include <cstdint>
#include <string>
#include <sys/types.h>
#include <vector>

namespace bifrons::data {

/// A program and its arguments.
using Words = std::vector<std::string>;
void append(Words& words, const Words& more);

class Process {
  public:
    enum class Pipe {
        into, ///< we write what the program reads
        from  ///< we read what the program writes
    };
    /// Starts command[0], looked up in PATH, in its own process group: Ctrl-C reaches us and not the child.
    /// Throws Error(failed) when the program is missing or cannot be started, and where pipes cannot be opened.
    Process(const Words& command, Pipe pipe);
    /// A program that still runs is killed.
    ~Process();
    Process(const Process&) = delete;
    Process& operator=(const Process&) = delete;

    /// Reads n bytes, fewer only at the end of the program's output.
    std::size_t read(void* to, std::size_t n);
    /// False when the program no longer reads.
    bool write(const void* from, std::size_t n);
    /// Closes the pipe and waits. Returns the exit status, or 128 + the signal that ended the program.
    int wait();
    /// What the program said on its error output: the last two lines, without addresses. For messages.
    std::string complaint() const;
    /// Why it ended, after wait(): its complaint, and the status or the signal that ended it unless that was 0.
    std::string reason() const;
    /// Bytes that it said on its error output so far.
    std::int64_t said() const;
    /// Lines of the same.
    std::int64_t lines_said() const;
    /// What the program wrote to descriptor 3 so far, from this byte on: a side channel that cannot fill up.
    std::string notes(std::int64_t from) const;

  private:
    pid_t pid_ = -1;
    int pipe_ = -1;
    int errors_ = -1; ///< a file in memory: cannot fill up and block the program
    int notes_ = -1;  ///< the same
    int status_ = -1;
};

/// Throws Error(failed) where the complaint is not about the footage: ffmpeg is too old, or lacks memory or threads.
void check_program(const std::string& complaint);

struct Output {
    int status = 0;
    std::string text = {};      ///< all of the program's output
    std::string complaint = {}; ///< Process::complaint
    std::string reason = {};    ///< Process::reason
};
/// Runs a program to its end.
Output run(const Words& command);

} // namespace bifrons::data
