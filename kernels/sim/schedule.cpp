#include "kernels/sim/schedule.h"

#include <algorithm>
#include <charconv>
#include <numeric>

namespace bifrons::kernels::sim {

namespace {

const char* const kOrders[] = {"forward", "reverse", "random", "warps"};
const char* const kAsyncs[] = {"late", "early", "random"};

/// The position of the name; -1 if it is unknown.
template <std::size_t N>
int find(const char* const (&names)[N], const std::string& name)
{
    const auto at = std::find(names, names + N, name);
    return at == names + N ? -1 : int(at - names);
}

bool takes_seed(Schedule::Order order)
{
    return order == Schedule::Order::random || order == Schedule::Order::warps;
}

Schedule::Async default_async(Schedule::Order order)
{
    if (order == Schedule::Order::forward) return Schedule::Async::late;
    return order == Schedule::Order::reverse ? Schedule::Async::early : Schedule::Async::random;
}

std::vector<std::string> split_at_colons(const std::string& text)
{
    std::vector<std::string> words(1);
    for (const char c : text)
        if (c == ':')
            words.emplace_back();
        else
            words.back() += c;
    return words;
}

bool read_number(const std::string& text, std::uint32_t& number)
{
    const auto read = std::from_chars(text.data(), text.data() + text.size(), number);
    return read.ec == std::errc() && read.ptr == text.data() + text.size();
}

} // namespace

Schedule Schedule::parse(const std::string& text)
{
    const std::vector<std::string> words = split_at_colons(text);
    const int order = find(kOrders, words[0]);
    Schedule schedule{Order(order), 0, default_async(Order(order))};
    std::size_t next = 1;
    if (next < words.size() && takes_seed(schedule.order) && read_number(words[next], schedule.seed)) ++next;
    if (next < words.size())
        if (const int async = find(kAsyncs, words[next]); async >= 0) schedule.async = Async(async), ++next;
    BIFRONS_CHECK(usage, order >= 0 && next == words.size(), "schedule \"", text,
                  "\" is unknown; expected forward, reverse, random, random:SEED, warps or warps:SEED, "
                  "then optionally :late, :early or :random");
    return schedule;
}

std::string Schedule::text() const
{
    std::string text = kOrders[int(order)];
    if (takes_seed(order)) text += str(":", seed);
    return async == default_async(order) ? text : str(text, ":", kAsyncs[int(async)]);
}

bool Sequencer::lands_at_once()
{
    if (schedule_.async == Schedule::Async::random) return engine_() % 2 == 0;
    return schedule_.async == Schedule::Async::early;
}

bool Sequencer::work_goes_on()
{
    return schedule_.async == Schedule::Async::random && engine_() % 4 == 0;
}

std::size_t Sequencer::pick(std::size_t n)
{
    return schedule_.async == Schedule::Async::random ? engine_() % n : 0;
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
