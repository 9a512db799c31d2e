#include "tests/emulator/imagined_gpu.h"

#include <cstdlib>
#include <sstream>
#include <stdexcept>

namespace bifrons::emulator {

ImaginedGpu read_imagined_gpu()
{
    ImaginedGpu gpu;
    const char* text = std::getenv("BIFRONS_EMULATED_GPU");
    std::istringstream words(text ? text : "");
    for (std::string word; std::getline(words, word, ',');) {
        const std::size_t equals = word.find('=');
        const std::string name = word.substr(0, equals), value = word.substr(equals + 1);
        if (name == "driver")
            gpu.driver = std::stoi(value);
        else if (name == "gpus")
            gpu.gpus = std::stoi(value);
        else if (name == "sm")
            gpu.sm = std::stoi(value);
        else if (name == "pools")
            gpu.pools = value != "0";
        else if (name == "code")
            gpu.code = value != "0";
        else if (name == "memory")
            gpu.memory = std::stoul(value);
        else if (name == "fault")
            gpu.faulty_kernel = value.substr(0, value.find(':')),
            gpu.faulty_launch = std::stoi(value.substr(value.find(':') + 1));
        else
            throw std::runtime_error("BIFRONS_EMULATED_GPU: " + word);
    }
    return gpu;
}

} // namespace bifrons::emulator
