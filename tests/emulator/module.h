// tests/emulator/module.h - the text of a PTX module, made into kernels that the emulator runs.
#pragma once

#include "tests/emulator/instruction.h"

#include <map>
#include <memory>
#include <string>
#include <string_view>

namespace bifrons::emulator {

class Module {
  public:
    /// The text is read when the first kernel is asked for.
    explicit Module(std::string ptx) : text_(std::move(ptx)) {}

    /// Made at first use. nullptr if the module has no such kernel; throws std::runtime_error, with the line, for what
    /// the emulator does not know.
    const Kernel* kernel(const std::string& mangled_name);

  private:
    friend class KernelReader;
    struct Function {
        std::string_view header, body;
    };
    struct Shared {
        std::size_t bytes = 0, alignment = 1;
        bool dynamic = false;
    };
    void read_text();
    void read_function(std::string_view header, std::string_view body);

    std::string text_;
    bool read_ = false;
    std::map<std::string, Function, std::less<>> entries_, functions_;
    std::map<std::string, Shared, std::less<>> shared_;
    std::map<std::string, std::unique_ptr<Kernel>, std::less<>> kernels_;
};

} // namespace bifrons::emulator
