// tools/manual.h - the manual page and the completions of shells, written from the declared commands and options, so
// that they cannot differ from `--help`.     Tests  tests/tools/manual_test.cpp
#pragma once

#include <string>

namespace CLI {
class App;
} // namespace CLI

namespace bifrons::tools {

/// Of the program that `command` belongs to. Form: "man", a page of section 1 in roff, or the completions of "bash",
/// "zsh" or "fish".
std::string manual(const std::string& form, const CLI::App& command);

} // namespace bifrons::tools
