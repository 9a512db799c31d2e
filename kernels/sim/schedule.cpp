#include "kernels/sim/schedule.h"

#include <algorithm>
#include <charconv>
#include <numeric>

namespace bifrons::kernels::sim {

Schedule Schedule::parse(const std::string& text)
{
    if (text == "forward") return {Order::forward};
    if (text == "reverse") return {Order::reverse};
    const std::size_t colon = text.find(':');
    const std::string name = text.substr(0, colon), seed = colon == text.npos ? "0" : text.substr(colon + 1);
    Schedule schedule{name == "random" ? Order::random : Order::warps};
    const auto number = std::from_chars(seed.data(), seed.data() + seed.size(), schedule.seed);
    const bool known = name == "random" || name == "warps";
    BIFRONS_CHECK(usage, known && number.ec == std::errc() && number.ptr == seed.data() + seed.size(), "schedule \"",
                  text, "\" is unknown; forward, reverse, random, random:SEED, warps or warps:SEED expected");
    return schedule;
}

std::string Schedule::text() const
{
    if (order == Order::forward) return "forward";
    if (order == Order::reverse) return "reverse";
    return str(order == Order::random ? "random:" : "warps:", seed);
}

void Sequencer::arrange(std::vector<std::uint32_t>& order, std::size_t n)
{
    constexpr std::uint32_t kTurnsOfLead = 16; // on average
    const bool first = order.size() != n;
    if (first) {
        order.resize(n);
        std::iota(order.begin(), order.end(), 0u);
        if (schedule_.order == Schedule::Order::reverse) std::reverse(order.begin(), order.end());
    }
    if (schedule_.order == Schedule::Order::random) shuffle(order);
    if (schedule_.order == Schedule::Order::warps && (first || engine_() % kTurnsOfLead == 0)) shuffle_warps(order, n);
}

void Sequencer::shuffle(std::vector<std::uint32_t>& order)
{
    for (std::size_t i = order.size(); i > 1; --i) std::swap(order[i - 1], order[engine_() % i]);
}

void Sequencer::shuffle_warps(std::vector<std::uint32_t>& order, std::size_t n)
{
    std::vector<std::uint32_t> warps((n + kWarpSize - 1) / kWarpSize);
    std::iota(warps.begin(), warps.end(), 0u);
    shuffle(warps);
    order.clear();
    for (const std::uint32_t warp : warps)
        for (std::uint32_t i = warp * kWarpSize; i < std::min<std::size_t>(n, (warp + 1) * kWarpSize); ++i)
            order.push_back(i);
}

} // namespace bifrons::kernels::sim
