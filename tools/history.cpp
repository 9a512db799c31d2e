#include "tools/history.h"

#include "data/file.h"
#include "engine/json.h"
#include "tools/console.h"
#include "tools/progress.h"

#include <algorithm>
#include <ctime>
#include <fstream>

namespace bifrons::tools {

namespace {

std::string now_utc()
{
    const std::time_t now = std::time(nullptr);
    char text[32];
    std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", std::gmtime(&now));
    return text;
}

std::vector<std::pair<std::string, double>> curves(const std::string& prefix, const model::StepReport& report,
                                                   double divisor)
{
    std::vector<std::pair<std::string, double>> values;
    for (std::size_t i = 0; i < report.names.size(); ++i)
        values.emplace_back(prefix + report.names[i], report.values[i] / divisor);
    return values;
}

Json losses_json(const model::StepReport& report, double divisor)
{
    Json losses = Json::object();
    for (std::size_t i = 0; i < report.names.size(); ++i) losses[report.names[i]] = report.values[i] / divisor;
    return losses;
}

} // namespace

void History::write(const std::string& line) const
{
    data::append_to_file(path_, line + "\n");
}

std::set<std::string> footage_of(const data::Faceset& set)
{
    std::set<std::string> footage;
    for (const data::SourceRecord& source : set.sources)
        footage.insert(source.path + (source.fingerprints.empty() ? "" : " " + source.fingerprints.front()));
    return footage;
}

bool are_exchanged(const Sides& before, const Sides& now)
{
    const auto share = [](const std::set<std::string>& a, const std::set<std::string>& b) {
        return std::any_of(a.begin(), a.end(), [&](const std::string& name) { return b.contains(name); });
    };
    return share(before.src, now.dst) && share(before.dst, now.src) && !share(before.src, now.src) &&
           !share(before.dst, now.dst);
}

std::optional<Sides> History::last_sides() const
{
    std::optional<Sides> last;
    std::ifstream in(path_);
    for (std::string line; std::getline(in, line);) {
        if (line.find("\"begin\"") == std::string::npos) continue;
        const auto entry = json_or_discarded(line); // the last line of a run that crashed may be cut off
        const auto names = [&](const char* side) {
            std::set<std::string> found;
            for (const auto& name : entry.is_object() && entry.contains(side) ? entry[side] : nlohmann::json::array())
                if (name.is_string()) found.insert(name.get<std::string>());
            return found;
        };
        last = Sides{names("src"), names("dst")};
    }
    return last;
}

void History::begin(std::int64_t step, const model::Settings& settings, const Sides& sides)
{
    write(Json{{"event", "begin"},
               {"step", step},
               {"time", now_utc()},
               {"settings", Json::parse(model::to_json(settings))},
               {"src", sides.src},
               {"dst", sides.dst}}
              .dump(-1, ' ', false, Json::error_handler_t::replace));
    since_s_ = Progress::steady_seconds();
}

void History::add(const model::StepReport& report)
{
    sum_.step = report.step;
    sum_.learning_rate = report.learning_rate;
    if (report.skipped) {
        ++skipped_;
    } else {
        sum_.names = report.names;
        sum_.values.resize(report.values.size());
        for (std::size_t i = 0; i < report.values.size(); ++i) sum_.values[i] += report.values[i];
        sum_.grad_norm += report.grad_norm;
        ++collected_;
    }
    if (collected_ + skipped_ >= kSteps) flush();
}

void History::add_validation(const model::StepReport& report)
{
    write(Json{{"event", "validation"}, {"step", report.step}, {"losses", losses_json(report, 1)}}.dump());
    if (events_) events_->add(report.step, curves("held-out/", report, 1));
}

void History::flush()
{
    if (collected_ + skipped_ == 0) return;
    const double now_s = Progress::steady_seconds(), count = std::max(1, collected_);
    write(Json{{"event", "steps"},
               {"step", sum_.step},
               {"steps", collected_ + skipped_},
               {"seconds", now_s - since_s_},
               {"losses", losses_json(sum_, count)},
               {"grad_norm", sum_.grad_norm / count},
               {"learning_rate", sum_.learning_rate},
               {"skipped", skipped_}}
              .dump());
    if (events_) {
        std::vector<std::pair<std::string, double>> values = curves("loss/", sum_, count);
        if (collected_ > 0) values.emplace_back("gradient norm", sum_.grad_norm / count);
        values.emplace_back("learning rate", sum_.learning_rate);
        values.emplace_back("steps per second", (collected_ + skipped_) / std::max(1e-9, now_s - since_s_));
        events_->add(sum_.step, values);
    }
    sum_ = {};
    collected_ = skipped_ = 0;
    since_s_ = now_s;
}

} // namespace bifrons::tools
