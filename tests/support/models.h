// tests/support/models.h - optional model files (`bifrons models`) in tests: a program under test sees none that lie in
// a developer's home, so that results do not depend on them. Linked in, this sets BIFRONS_MODELS to a folder that does
// not exist.
#pragma once

#include <filesystem>
#include <string>

namespace bifrons::test {

/// The file among the assets or where the program would have found it; empty where there is none.
std::filesystem::path optional_model(const std::string& file);

} // namespace bifrons::test

/// Skips the test unless the optional file is there.
#define BIFRONS_NEEDS_MODEL(path)                                                                                      \
    do {                                                                                                               \
        if ((path).empty()) GTEST_SKIP() << #path << ": the file is not there (`bifrons models`)";                     \
    } while (0)
