// tests/data/folder.h - a folder that goes when the test ends, and the real pictures and clips beside the project.
#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

namespace bifrons::test {

/// An empty folder under the system's temporary one, removed at the end.
class Folder {
  public:
    Folder()
    {
        std::string name = (std::filesystem::temp_directory_path() / "bifrons-test-XXXXXX").string();
        path_ = ::mkdtemp(name.data());
    }
    ~Folder()
    {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }
    Folder(const Folder&) = delete;
    Folder& operator=(const Folder&) = delete;
    std::filesystem::path operator/(const std::string& name) const { return path_ / name; }
    const std::filesystem::path& path() const { return path_; }

  private:
    std::filesystem::path path_;
};

inline void write_text(const std::filesystem::path& path, const std::string& text)
{
    std::ofstream(path, std::ios::binary) << text;
}

/// How many entries a folder has; shows that nothing was left behind.
inline std::ptrdiff_t entries(const std::filesystem::path& folder)
{
    return std::distance(std::filesystem::directory_iterator(folder), std::filesystem::directory_iterator());
}

/// Real pictures and clips; they are not part of the project. BIFRONS_ASSETS in the environment comes first.
inline std::filesystem::path assets()
{
    const char* set = std::getenv("BIFRONS_ASSETS");
    return set ? set : BIFRONS_ASSETS;
}

} // namespace bifrons::test

/// Skips the test unless the real file is there.
#define BIFRONS_NEEDS_ASSET(path)                                                                                      \
    do {                                                                                                               \
        if (!std::filesystem::exists(path))                                                                            \
            GTEST_SKIP() << (path) << " does not exist (BIFRONS_ASSETS names its folder)";                             \
    } while (0)

/// Skips the test unless dlib's landmark file is there.
#define BIFRONS_NEEDS_LANDMARKS()                                                                                      \
    do {                                                                                                               \
        if (!std::filesystem::exists("/usr/share/dlib/shape_predictor_68_face_landmarks.dat"))                         \
            GTEST_SKIP() << "libdlib-data is not installed";                                                           \
    } while (0)

/// The statement throws Error of this kind, and its text holds `part`.
#define BIFRONS_EXPECT_ERROR(statement, error_kind, part)                                                              \
    try {                                                                                                              \
        statement;                                                                                                     \
        ADD_FAILURE() << #statement << " did not throw";                                                               \
    } catch (const ::bifrons::Error& error) {                                                                          \
        EXPECT_EQ(error.kind(), ::bifrons::ErrorKind::error_kind) << error.what();                                     \
        EXPECT_NE(std::string(error.what()).find(part), std::string::npos) << error.what();                            \
    }
