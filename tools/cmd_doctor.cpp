#include "data/model_files.h"
#include "kernels/base/onednn.h"
#include "kernels/device/cpu_device.h"
#include "tools/commands.h"
#if BIFRONS_HAS_MEDIA
#include "data/extract/landmarks.h"
#include "data/media/process.h"
#endif

#include <filesystem>
#include <fstream>

namespace bifrons::tools {

namespace {

/// One thing looked at: whether it is there, what was found, and what to do if it is missing.
struct Finding {
    std::string what;
    bool good = true;
    std::string found, remedy = {};
};

Finding find_choice()
{
    const kernels::DeviceChoice choice = kernels::choose_device();
    return {"device auto", true, choice.name + ", because " + choice.why};
}

/// A device by name, or why it cannot be used.
Finding find_device(const std::string& name)
{
    try {
        return {"device " + name, true, kernels::open_device(name)->describe()};
    } catch (const Error& e) {
        return {"device " + name, false, e.what()};
    }
}

Finding find_instructions()
{
    std::string text;
    const auto note = [&](bool there, const char* name) { text += there ? std::string(" ") + name : ""; };
#if defined(__x86_64__)
    note(__builtin_cpu_supports("avx2"), "AVX2");
    note(__builtin_cpu_supports("fma"), "FMA");
    note(__builtin_cpu_supports("avx512f"), "AVX-512");
    note(__builtin_cpu_supports("avx512bf16"), "AVX-512-BF16");
#endif
    return {"instructions", !text.empty(), text.empty() ? "no AVX2; convolutions will be slow" : text.substr(1)};
}

Finding find_onednn()
{
    if (kernels::onednn_available()) {
        const bool bf16 = kernels::onednn_multiplies_bf16();
        return {"oneDNN", true, kernels::onednn_description() + (bf16 ? "; trains in bf16" : "; trains in f32")};
    }
    return {"oneDNN", false, "not built in; convolutions run on our own, slower loops",
            "run tools/setup.sh and build again"};
}

/// The value of a line "Name:  123 kB" of /proc/meminfo, in bytes; 0 if there is none.
double meminfo_bytes(const std::string& name)
{
    std::ifstream info("/proc/meminfo");
    for (std::string word; info >> word;) {
        double kib = 0;
        if (word == name + ":" && info >> kib) return kib * 1024;
    }
    return 0;
}

Finding find_memory()
{
    return {"memory", true,
            human_bytes(meminfo_bytes("MemAvailable")) + " free of " + human_bytes(meminfo_bytes("MemTotal"))};
}

Finding find_disk()
{
    std::error_code failure;
    const auto space = std::filesystem::space(".", failure);
    if (failure) return {"disk space", false, failure.message()};
    return {"disk space", space.available > 1e9, human_bytes(double(space.available)) + " free",
            "free some: a model with its checkpoints takes a few GiB"};
}

Finding find_waiting()
{
    const char* const policy = std::getenv("OMP_WAIT_POLICY");
    const std::string set = policy ? policy : "not set";
    const bool passive = set == "PASSIVE" || set == "passive";
    return {"thread waiting", passive, passive ? "passive" : "OMP_WAIT_POLICY is " + set,
            "leave it unset: with spinning threads another busy process slows training 10 to 30 times"};
}

Finding find_perceptual()
{
    return {
        "perceptual loss", true,
        "needs a network that you download yourself: model.safetensors of timm/vgg16.tv_in1k on the Hugging Face hub, "
        "see docs/trainer.md"};
}

Finding find_models()
{
    std::string here;
    for (const data::ModelFile& model : data::model_files())
        if (!data::find_model_file(model.file).empty()) here += (here.empty() ? "" : ", ") + model.name;
    return {"optional files", true, (here.empty() ? "none" : here) + "; `bifrons models` lists them"};
}

#if BIFRONS_HAS_MEDIA
/// The program's own first line about itself.
Finding find_program(const std::string& name)
{
    try {
        const std::string text = data::run({name, "-version"}).text;
        return {name, true, text.substr(0, std::min(text.find('\n'), text.find(" Copyright")))};
    } catch (const Error& e) {
        return {name, false, e.what(), "apt-get install ffmpeg"};
    }
}

Finding find_landmarks()
{
    try {
        const data::LandmarkKind kind = data::default_landmarks();
        data::make_landmark_model({.kind = kind});
        return {"landmarks", true,
                kind == data::LandmarkKind::dlib ? "dlib's 68 points (their training set excludes commercial use)"
                                                 : "68 of facemesh's points (Apache-2.0)"};
    } catch (const Error& e) {
        return {"landmarks", false, e.what()};
    }
}

void add_media(std::vector<Finding>& findings)
{
    findings.push_back(find_program("ffmpeg"));
    findings.push_back(find_program("ffprobe"));
    findings.push_back(find_landmarks());
}
#else
void add_media(std::vector<Finding>& findings)
{
    findings.push_back({"video and faces", false, "built without OpenCV and dlib: no extract, merge or demo",
                        "run tools/setup.sh and build again"});
}
#endif

void examine(Console& console)
{
    std::vector<Finding> findings = {find_choice(),     find_device("cpu"), find_device("cuda"), find_instructions(),
                                     find_onednn(),     find_waiting(),     find_memory(),       find_disk(),
                                     find_perceptual(), find_models()};
    add_media(findings);
    std::string text;
    Json list = Json::array();
    for (const Finding& f : findings) {
        list.push_back({{"what", f.what}, {"good", f.good}, {"found", f.found}});
        if (!f.good) list.back()["remedy"] = f.remedy;
        std::string label = (f.good ? "ok      " : "missing ") + f.what;
        label.resize(std::max<std::size_t>(label.size(), 26), ' ');
        text += str(label, f.found, "\n");
        if (!f.good && !f.remedy.empty()) text += str(std::string(26, ' '), "-> ", f.remedy, "\n");
    }
    console.result(text, {{"findings", list}});
}

} // namespace

Work declare_doctor(CLI::App&)
{
    return examine;
}

} // namespace bifrons::tools
