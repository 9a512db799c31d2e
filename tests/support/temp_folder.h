// tests/support/temp_folder.h - a folder that goes with the test, and short ways to write and read files in it.
#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>
#include <string>

namespace bifrons::test {

class TempFolder {
  public:
    TempFolder()
    {
        std::string path = (std::filesystem::temp_directory_path() / "bifrons-test-XXXXXX").string();
        if (!mkdtemp(path.data())) std::abort();
        path_ = path;
    }
    ~TempFolder()
    {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }
    TempFolder(const TempFolder&) = delete;

    const std::string& path() const { return path_; }
    std::string operator/(const std::string& name) const { return path_ + "/" + name; }
    /// Names in the folder, sorted.
    std::set<std::string> names() const
    {
        std::set<std::string> found;
        for (const auto& entry : std::filesystem::directory_iterator(path_)) found.insert(entry.path().filename());
        return found;
    }

  private:
    std::string path_;
};

inline void write_bytes(const std::string& path, const std::string& bytes)
{
    std::ofstream(path, std::ios::binary) << bytes;
}

inline std::string read_bytes(const std::string& path)
{
    std::ifstream in(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
}

} // namespace bifrons::test
