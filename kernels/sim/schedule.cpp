#include "kernels/sim/schedule.h"

#include <algorithm>
#include <charconv>
#include <numeric>

namespace bifrons::kernels::sim {

Schedule Schedule::parse(const std::string& text)
{
    if (text == "forward") return {Order::forward};
    if (text == "reverse") return {Order::reverse};
    if (text == "random") return {Order::random};
    const std::string prefix = "random:";
    Schedule random{Order::random};
    const char* end = text.data() + text.size();
    const bool seeded = text.rfind(prefix, 0) == 0;
    const auto number = std::from_chars(text.data() + (seeded ? prefix.size() : 0), end, random.seed);
    BIFRONS_CHECK(usage, seeded && number.ec == std::errc() && number.ptr == end, "schedule \"", text,
                  "\" is unknown; forward, reverse, random or random:SEED expected");
    return random;
}

std::string Schedule::text() const
{
    if (order == Order::forward) return "forward";
    if (order == Order::reverse) return "reverse";
    return str("random:", seed);
}

void Sequencer::arrange(std::vector<std::uint32_t>& order, std::size_t n)
{
    if (order.size() != n || schedule_.order == Schedule::Order::random) {
        order.resize(n);
        std::iota(order.begin(), order.end(), 0u);
        if (schedule_.order == Schedule::Order::reverse) std::reverse(order.begin(), order.end());
    }
    if (schedule_.order == Schedule::Order::random)
        for (std::size_t i = n; i > 1; --i) std::swap(order[i - 1], order[engine_() % i]);
}

} // namespace bifrons::kernels::sim
