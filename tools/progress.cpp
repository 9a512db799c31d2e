#include "tools/progress.h"

#include "kernels/base/error.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>

namespace bifrons::tools {

namespace {

std::string number_text(double value, int digits)
{
    char text[32];
    std::snprintf(text, sizeof text, "%.*g", digits, value);
    return text;
}

/// "31/62 frames  50%  25/s  0:01 left  faces 30"
std::string counts_text(const Moment& m)
{
    std::string text = str(m.done, m.total > 0 ? str("/", m.total) : "", " ", m.unit);
    if (m.total > 0) text += str("  ", 100 * m.done / m.total, "%");
    if (m.rate > 0) text += str("  ", number_text(m.rate, 3), "/s");
    if (const double left = m.remaining_s(); left >= 0) text += str("  ", duration_text(left), " left");
    for (const auto& [name, value] : m.values) text += str("  ", name, " ", number_text(value, 4));
    return text;
}

} // namespace

void Rate::add(double time_s, std::int64_t done)
{
    constexpr double kWindow = 10;
    points_.emplace_back(time_s, done);
    while (points_.size() > 2 && points_[1].first <= time_s - kWindow) points_.pop_front();
}

double Rate::per_second() const
{
    if (points_.size() < 2) return 0;
    const double span = points_.back().first - points_.front().first;
    return span > 0 ? double(points_.back().second - points_.front().second) / span : 0;
}

double Moment::remaining_s() const
{
    const double by_count = total > 0 && rate > 0 ? double(std::max<std::int64_t>(0, total - done)) / rate : -1;
    if (by_count < 0 || time_left_s < 0) return std::max(by_count, time_left_s);
    return std::min(by_count, time_left_s);
}

std::string duration_text(double seconds)
{
    const auto s = std::int64_t(std::llround(seconds));
    char text[32];
    if (s < 3600)
        std::snprintf(text, sizeof text, "%d:%02d", int(s / 60), int(s % 60));
    else
        std::snprintf(text, sizeof text, "%lld:%02d:%02d", static_cast<long long>(s / 3600), int(s / 60 % 60),
                      int(s % 60));
    return text;
}

std::string seconds_text(double seconds)
{
    return seconds < 0.1 ? number_text(1000 * seconds, 3) + " ms" : number_text(seconds, 3) + " s";
}

std::string bar_text(const Moment& m, int columns)
{
    constexpr int kCells = 24;
    std::string text = m.doing + "  ";
    if (m.total > 0) {
        const auto full = int(std::clamp<std::int64_t>(kCells * m.done / m.total, 0, kCells));
        text += '[' + std::string(std::size_t(full), '#') + std::string(std::size_t(kCells - full), '-') + "]  ";
    }
    text += counts_text(m);
    return text.substr(0, std::size_t(std::max(1, columns - 1)));
}

std::string plain_text(const Moment& m)
{
    return m.doing + "  " + counts_text(m);
}

Json json_values(const Moment& m)
{
    Json json = {{"doing", m.doing}, {"unit", m.unit}, {"done", m.done}};
    if (m.total > 0) json["total"] = m.total;
    if (m.rate > 0) json["per_second"] = m.rate;
    if (const double left = m.remaining_s(); left >= 0) json["remaining_s"] = left;
    for (const auto& [name, value] : m.values) json["values"][name] = value;
    return json;
}

Progress::Progress(Console& console, std::string doing, std::string unit, std::int64_t total, std::int64_t done,
                   Clock clock, Stage stage)
    : console_(console), moment_{std::move(doing), std::move(unit), done, total, 0, {}}, clock_(std::move(clock)),
      every_s_(console.can_paint() ? 0.1
               : console.json()    ? 1
                                   : 10),
      shown_at_(clock_())
{
    if (stage == Stage::work) console_.begin_work();
    rate_.add(shown_at_, done);
    if (console_.can_paint()) show();
}

Progress::~Progress()
{
    if (changed_) show();
    if (!console_.can_paint()) return;
    console_.paint("");
    console_.say(plain_text(moment_));
}

void Progress::update(std::int64_t done, const Values& values)
{
    const double now = clock_();
    rate_.add(now, done);
    moment_.done = done;
    moment_.rate = rate_.per_second();
    moment_.values = values;
    if (end_s_) moment_.time_left_s = std::max(0.0, *end_s_ - now);
    changed_ = true;
    if (now - shown_at_ < every_s_) return;
    shown_at_ = now;
    show();
}

void Progress::show()
{
    changed_ = false;
    if (console_.json())
        console_.emit("progress", json_values(moment_));
    else if (console_.can_paint())
        console_.paint(bar_text(moment_, Console::columns()));
    else
        console_.say(plain_text(moment_));
}

double Progress::steady_seconds()
{
    return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

void LateProgress::update(std::int64_t done, std::int64_t total)
{
    constexpr double kPatience_s = 1;
    if (!progress_ && clock_() - begin_s_ > kPatience_s)
        progress_.emplace(console_, doing_, unit_, total, 0, clock_, Stage::preparation);
    if (progress_) progress_->update(done);
}

} // namespace bifrons::tools
