// tools/console.h - where a command's output goes: results to stdout, messages to stderr; with --json every line is a
// JSON object on stdout with the member "event": message, warning, progress, result or error.
#pragma once

#include <string>

#include <nlohmann/json.hpp>

namespace bifrons::tools {

using Json = nlohmann::ordered_json;

/// One thread at a time.
class Console {
  public:
    bool json() const { return json_; }
    void set_json(bool json) { json_ = json; }
    /// Errors begin with it: "bifrons train: ...".
    void set_command(const std::string& name) { command_ = name; }

    void say(const std::string& text);
    void warn(const std::string& text);
    void error(const std::string& text, int exit_code);
    /// What the command was run for: `text` for people, `values` with --json.
    void result(const std::string& text, const Json& values);
    /// A JSON line of any event; nothing without --json.
    void emit(const std::string& event, const Json& values);
    /// That line, with its end.
    std::string line_of(const std::string& event, const Json& values) const;

    /// Preparations are over. A device that fails from here on has failed the work (exit code 1); before, it was
    /// unusable (exit code 4).
    void begin_work() { working_ = true; }
    bool working() const { return working_; }

    /// A line at the bottom of the terminal that the next one replaces; "" removes it.
    void paint(const std::string& line);
    /// stderr is a terminal, and messages go there.
    bool can_paint() const;
    /// Columns of the terminal.
    static int columns();

  private:
    void talk(const std::string& text);

    std::string command_, painted_;
    bool json_ = false, working_ = false, lost_stdout_ = false;
};

} // namespace bifrons::tools
