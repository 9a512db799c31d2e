#include "model/patch_strides.h"

#include <cstdlib>
#include <map>

namespace bifrons::model {

int receptive_field(const std::vector<int>& strides)
{
    int side = 1, step = 1;
    for (const int stride : strides) {
        side += 2 * step;
        step *= stride;
    }
    return side;
}

namespace {

/// By receptive field. The first found stays: fewest layers, most strides of 2.
std::map<int, std::vector<int>> all_strides()
{
    constexpr int kMostLayers = 9;
    std::map<int, std::vector<int>> best;
    const auto total = [](const std::vector<int>& strides) {
        int sum = 0;
        for (const int stride : strides) sum += stride;
        return sum;
    };
    for (int layers = 1; layers <= kMostLayers; ++layers)
        for (int doubled = (1 << (layers - 1)) - 1; doubled >= 0; --doubled) {
            std::vector<int> strides = {2};
            for (int i = 0; i + 1 < layers; ++i) strides.push_back(doubled & (1 << i) ? 2 : 1);
            const auto [it, fresh] = best.emplace(receptive_field(strides), strides);
            if (!fresh && int(it->second.size()) == layers && total(strides) > total(it->second)) it->second = strides;
        }
    return best;
}

} // namespace

std::vector<int> patch_strides(int patch)
{
    static const std::map<int, std::vector<int>> all = all_strides();
    auto nearest = all.begin();
    for (auto it = all.begin(); it != all.end(); ++it)
        if (std::abs(it->first - patch) < std::abs(nearest->first - patch)) nearest = it;
    return nearest->second;
}

} // namespace bifrons::model
