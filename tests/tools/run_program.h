// tests/tools/run_program.h - a command line run inside the test, with what it printed.
#pragma once

#include "tools/commands.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace bifrons::test {

struct Result {
    int code = 0;
    std::string out, err;
    /// The last line's object.
    nlohmann::json json() const
    {
        const std::size_t line = out.rfind("\n{");
        return nlohmann::json::parse(out.substr(line == std::string::npos ? 0 : line + 1));
    }
};

inline Result bifrons_run(std::vector<std::string> words)
{
    std::vector<const char*> arguments = {"bifrons"};
    for (const std::string& word : words) arguments.push_back(word.c_str());
    ::testing::internal::CaptureStdout();
    ::testing::internal::CaptureStderr();
    Result r;
    r.code = tools::run(int(arguments.size()), arguments.data());
    r.out = ::testing::internal::GetCapturedStdout();
    r.err = ::testing::internal::GetCapturedStderr();
    return r;
}

} // namespace bifrons::test
