// data/media/rate.cpp - the rate of frames, from their times.
#include "data/media/rate.h"

#include <algorithm>
#include <cmath>

namespace bifrons::data {

namespace {

/// Every frame is within a quarter of a frame of its place.
bool keeps_to(const Rational& rate, const std::vector<std::vector<double>>& runs)
{
    for (const std::vector<double>& run : runs)
        for (std::size_t i = 0; i < run.size(); ++i)
            if (std::abs((run[i] - run[0]) * rate.value() - double(i)) > 0.25) return false;
    return true;
}

/// The middle one of the distances between neighbours; 0 without any.
double usual_step(const std::vector<std::vector<double>>& runs)
{
    std::vector<double> steps;
    for (const std::vector<double>& run : runs)
        for (std::size_t i = 1; i < run.size(); ++i) steps.push_back(run[i] - run[i - 1]);
    if (steps.empty()) return 0;
    const auto middle = steps.begin() + std::ptrdiff_t(steps.size() / 2);
    std::nth_element(steps.begin(), middle, steps.end());
    return *middle;
}

} // namespace

void set_rate(VideoFormat& format, Rational nominal, Rational mean, const std::vector<std::vector<double>>& runs)
{
    const double step = usual_step(runs);
    if (step * kFastestRate < 1 || step * kSlowestRate > 1) {
        format.rate = mean.num ? mean : nominal.num ? nominal : Rational{25, 1};
        return;
    }
    for (const Rational& usual :
         {nominal, mean, Rational{24000, 1001}, Rational{24, 1}, Rational{25, 1}, Rational{30000, 1001},
          Rational{30, 1}, Rational{50, 1}, Rational{60000, 1001}, Rational{60, 1}})
        if (usual.num && keeps_to(usual, runs)) {
            format.rate = usual;
            return;
        }
    format.rate = {std::llround(1000 / step), 1000};
    format.variable_rate = !keeps_to(format.rate, runs);
    for (const Rational& said : {mean, nominal})
        if (said.num && std::abs(said.value() * step - 1) < 0.02) format.rate = said;
}

} // namespace bifrons::data
