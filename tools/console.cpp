#include "tools/console.h"

#include "kernels/base/error.h"
#include "kernels/base/utf8.h"

#include <cerrno>
#include <cstdio>
#include <cstring>

#include <sys/ioctl.h>
#include <unistd.h>

namespace bifrons::tools {

// Names from outside may hold anything: control characters are escaped here, where text leaves the program.

void Console::talk(const std::string& text)
{
    const std::string below = painted_;
    paint("");
    std::fprintf(stderr, "%s\n", printable(text).c_str());
    paint(below);
}

void Console::say(const std::string& text)
{
    if (json_) return emit("message", {{"text", text}});
    talk(text);
}

void Console::warn(const std::string& text)
{
    if (json_) return emit("warning", {{"text", text}});
    talk("warning: " + text);
}

void Console::error(const std::string& text, int exit_code)
{
    emit("error", {{"text", text}, {"exit_code", exit_code}});
    talk(str("bifrons", command_.empty() ? "" : " ", command_, ": ", text));
}

void Console::result(const std::string& text, const Json& values)
{
    if (json_) return emit("result", values);
    paint("");
    std::fputs(printable(text).c_str(), stdout);
    if (text.empty() || text.back() != '\n') std::fputc('\n', stdout);
}

std::string Console::line_of(const std::string& event, const Json& values) const
{
    if (!json_) return "";
    Json line = {{"event", event}, {"command", command_}};
    line.update(values);
    // Replaced, not refused: file names need not be UTF-8.
    return line.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

void Console::emit(const std::string& event, const Json& values)
{
    if (!json_) return;
    std::fputs(line_of(event, values).c_str(), stdout);
    if (std::fflush(stdout) == 0 || lost_stdout_) return;
    lost_stdout_ = true;
    talk(str("warning: stdout: the JSON lines cannot be written: ", std::strerror(errno), "; the work continues"));
}

void Console::paint(const std::string& line)
{
    if (line.empty() && painted_.empty()) return;
    std::fprintf(stderr, "\r\x1b[K%s", printable(line).c_str());
    std::fflush(stderr);
    painted_ = line;
}

bool Console::can_paint() const
{
    const char* const terminal = std::getenv("TERM");
    return !json_ && isatty(STDERR_FILENO) && !(terminal && std::strcmp(terminal, "dumb") == 0);
}

int Console::columns()
{
    winsize size{};
    return ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

} // namespace bifrons::tools
