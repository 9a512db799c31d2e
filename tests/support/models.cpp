#include "tests/support/models.h"

#include "data/model_files.h"
#include "tests/data/folder.h"

#include <cstdlib>

namespace bifrons::test {

namespace {

std::vector<std::filesystem::path> hide_models()
{
    std::vector<std::filesystem::path> folders = data::model_folders();
    folders.insert(folders.begin(), assets() / "models");
    ::setenv("BIFRONS_MODELS", "/nonexistent/models", 1);
    return folders;
}

const std::vector<std::filesystem::path> folders = hide_models();

} // namespace

std::filesystem::path optional_model(const std::string& file)
{
    for (const std::filesystem::path& folder : folders)
        if (std::filesystem::exists(folder / file)) return folder / file;
    return {};
}

} // namespace bifrons::test
