#include "kernels/device/roofline.h"

#include <algorithm>
#include <cctype>
#include <iterator>
#include <string>
#include <vector>

namespace bifrons::kernels {

namespace {

constexpr double kTera = 1e12;
constexpr const char* kMeasured = "bf16 product and copy measured, the rest by the maker's ratios";
constexpr const char* kSheet = "the maker's sheet, 90 % of its bandwidth";

// GeForce cards halve their bf16 rate when they sum in f32: it is twice the f32 rate, and tf32 is equal to that.
constexpr Ceilings kTable[] = {
    {"A100", 80, 312 * kTera, 156 * kTera, 19.5 * kTera, 1.8 * kTera, kSheet},
    {"RTX 3090", 86, 71 * kTera, 35.5 * kTera, 35.6 * kTera, 0.84 * kTera, kSheet},
    {"RTX 3090 Ti", 86, 80 * kTera, 40 * kTera, 40 * kTera, 0.91 * kTera, kSheet},
    {"RTX 3080", 86, 59.5 * kTera, 29.8 * kTera, 29.8 * kTera, 0.68 * kTera, kSheet},
    {"RTX 3060", 86, 25.4 * kTera, 12.7 * kTera, 12.7 * kTera, 0.32 * kTera, kSheet},
    {"A40", 86, 149.7 * kTera, 74.8 * kTera, 37.4 * kTera, 0.63 * kTera, kSheet},
    {"A10", 86, 125 * kTera, 62.5 * kTera, 31.2 * kTera, 0.54 * kTera, kSheet},
    {"RTX 4090", 89, 165 * kTera, 82.6 * kTera, 82.6 * kTera, 0.92 * kTera, kSheet},
    {"RTX 4080", 89, 97.5 * kTera, 48.7 * kTera, 48.7 * kTera, 0.65 * kTera, kSheet},
    {"RTX 4070", 89, 58.3 * kTera, 29.1 * kTera, 29.1 * kTera, 0.45 * kTera, kSheet},
    {"L40S", 89, 362 * kTera, 183 * kTera, 91.6 * kTera, 0.78 * kTera, kSheet},
    {"L4", 89, 121 * kTera, 60 * kTera, 30.3 * kTera, 0.27 * kTera, kSheet},
    {"H200", 90, 790 * kTera, 395 * kTera, 67 * kTera, 4.3 * kTera, kMeasured},
    {"H100", 90, 790 * kTera, 395 * kTera, 67 * kTera, 3.0 * kTera, kSheet},
    {"RTX 5090", 120, 209 * kTera, 104.8 * kTera, 104.8 * kTera, 1.6 * kTera, kSheet},
    {"RTX 5080", 120, 112.6 * kTera, 56.3 * kTera, 56.3 * kTera, 0.86 * kTera, kSheet},
};

// Other chips, or the same with less power, under a name that continues one of the table's.
constexpr const char* kOthers[] = {"Laptop", "Max", "SUPER", "Ti", "D", "PCIe", "NVL", "MIG"};

std::vector<std::string> words_of(const std::string& name)
{
    std::vector<std::string> words(1);
    for (const char c : name) {
        if (std::isalnum(static_cast<unsigned char>(c)))
            words.back() += c;
        else if (!words.back().empty())
            words.emplace_back();
    }
    if (words.back().empty()) words.pop_back();
    return words;
}

/// Whether the words stand in the name, one after the other, and nothing behind them makes it another GPU.
bool is_named(const std::vector<std::string>& name, const std::vector<std::string>& words)
{
    const auto at = std::search(name.begin(), name.end(), words.begin(), words.end());
    if (at == name.end()) return false;
    const auto rest = at + std::ptrdiff_t(words.size());
    return std::none_of(rest, name.end(), [](const std::string& word) {
        return std::find(std::begin(kOthers), std::end(kOthers), word) != std::end(kOthers);
    });
}

} // namespace

const Ceilings* ceilings_of(const std::string& gpu)
{
    const std::vector<std::string> name = words_of(gpu);
    const auto it = std::find_if(std::begin(kTable), std::end(kTable),
                                 [&](const Ceilings& c) { return is_named(name, words_of(c.gpu)); });
    return it == std::end(kTable) ? nullptr : &*it;
}

const Ceilings* ceilings_of(Target target)
{
    const auto it =
        std::find_if(std::begin(kTable), std::end(kTable), [&](const Ceilings& c) { return c.sm == target.sm; });
    return target.kind != DeviceKind::cuda || it == std::end(kTable) ? nullptr : &*it;
}

Arithmetic arithmetic_of(const std::string& op, Arithmetic of_products)
{
    const bool product = op.rfind("conv2d", 0) == 0 || op.rfind("dense", 0) == 0;
    return product ? of_products : Arithmetic::f32;
}

double floor_seconds(const Cost& cost, const Ceilings& ceilings, Arithmetic arithmetic)
{
    return std::max(cost.flops / ceilings.rate(arithmetic), cost.bytes / ceilings.bandwidth);
}

} // namespace bifrons::kernels
