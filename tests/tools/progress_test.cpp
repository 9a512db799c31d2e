#include "tools/progress.h"

#include "tools/loss_watch.h"

#include <gtest/gtest.h>

#include <algorithm>

using namespace bifrons::tools;

namespace {

TEST(Progress, the_rate_is_of_the_last_ten_seconds)
{
    Rate rate;
    EXPECT_EQ(rate.per_second(), 0);
    rate.add(0, 100); // resumed at 100
    EXPECT_EQ(rate.per_second(), 0);
    rate.add(2, 110);
    EXPECT_EQ(rate.per_second(), 5);
    for (int t = 3; t <= 30; ++t) rate.add(t, 110 + (t - 2) * 20);
    EXPECT_EQ(rate.per_second(), 20) << "the slow start is forgotten";
    rate.add(60, 700); // one slow item: still a rate
    EXPECT_NEAR(rate.per_second(), (700 - 670) / 30.0, 1e-12);
}

TEST(Progress, durations_as_people_write_them)
{
    EXPECT_EQ(duration_text(0), "0:00");
    EXPECT_EQ(duration_text(7.4), "0:07");
    EXPECT_EQ(duration_text(725), "12:05");
    EXPECT_EQ(duration_text(3599.6), "1:00:00");
    EXPECT_EQ(duration_text(11109), "3:05:09");
}

TEST(Progress, the_bar_shows_share_rate_and_remaining_time)
{
    const Moment half{"extract", "frames", 31, 62, 25, {{"faces", 30}}};
    EXPECT_EQ(bar_text(half, 200), "extract  [############------------]  31/62 frames  50%  25/s  0:01 left  faces 30");
    EXPECT_EQ(plain_text(half), "extract  31/62 frames  50%  25/s  0:01 left  faces 30");
    EXPECT_EQ(bar_text(half, 20).size(), 19u) << "never wider than the terminal";
    const Moment open_end{"train", "steps", 7, 0, 0, {}};
    EXPECT_EQ(bar_text(open_end, 200), "train  7 steps");
    const Moment over{"merge", "frames", 5, 4, 1, {}};
    EXPECT_EQ(bar_text(over, 200), "merge  [########################]  5/4 frames  125%  1/s  0:00 left");
}

TEST(Progress, the_remaining_time_is_to_the_first_limit)
{
    Moment m{"train", "steps", 10, 0, 2, {}};
    EXPECT_EQ(m.remaining_s(), -1);
    m.time_left_s = 60;
    EXPECT_EQ(m.remaining_s(), 60);
    EXPECT_EQ(plain_text(m), "train  10 steps  2/s  1:00 left");
    m.total = 30;
    EXPECT_EQ(m.remaining_s(), 10);
    m.total = 1000;
    EXPECT_EQ(m.remaining_s(), 60);
    m.time_left_s = -1;
    EXPECT_EQ(m.remaining_s(), 495);
}

TEST(Progress, a_limited_time_runs_out)
{
    double now = 0;
    Console console;
    console.set_json(true);
    ::testing::internal::CaptureStdout();
    {
        Progress progress(console, "train", "steps", 0, 0, [&] { return now; });
        progress.limit_time(30);
        now = 10;
        progress.update(5);
        now = 40;
        progress.update(20);
    }
    const std::string lines = ::testing::internal::GetCapturedStdout();
    EXPECT_NE(lines.find(R"("remaining_s":20.0)"), std::string::npos) << lines;
    EXPECT_NE(lines.find(R"("remaining_s":0.0)"), std::string::npos) << lines;
}

TEST(Progress, json_has_only_what_is_known)
{
    EXPECT_EQ(json_values({"train", "steps", 7, 0, 0, {}}).dump(), R"({"doing":"train","unit":"steps","done":7})");
    EXPECT_EQ(json_values({"train", "steps", 7, 9, 2, {{"loss", 0.5}}}).dump(),
              R"({"doing":"train","unit":"steps","done":7,"total":9,"per_second":2.0,"remaining_s":1.0,)"
              R"("values":{"loss":0.5}})");
}

TEST(Progress, with_json_a_line_a_second_and_the_last_state)
{
    double now = 0;
    Console console;
    console.set_json(true);
    ::testing::internal::CaptureStdout();
    {
        Progress progress(console, "train", "steps", 100, 0, [&] { return now; });
        for (int step = 1; step <= 20; ++step) {
            now += 0.125;
            progress.update(step);
        }
    }
    const std::string lines = ::testing::internal::GetCapturedStdout();
    EXPECT_EQ(std::count(lines.begin(), lines.end(), '\n'), 3) << lines;
    EXPECT_NE(lines.find(R"("done":20,)"), std::string::npos) << lines;
    EXPECT_EQ(lines.find(R"("done":9,)"), std::string::npos) << lines;
}

TEST(Progress, without_a_terminal_a_plain_line_now_and_then)
{
    double now = 0;
    Console console;
    ::testing::internal::CaptureStderr();
    {
        Progress progress(console, "merge", "frames", 0, 0, [&] { return now; });
        for (int frame = 1; frame <= 25; ++frame) {
            now += 1;
            progress.update(frame);
        }
    }
    const std::string lines = ::testing::internal::GetCapturedStderr();
    EXPECT_EQ(std::count(lines.begin(), lines.end(), '\n'), 3) << lines;
    EXPECT_EQ(lines.find('\r'), std::string::npos) << lines;
}

/// How often the watch says that training collapses, over so many steps of each loss.
int collapses(const std::vector<std::pair<int, double>>& losses)
{
    LossWatch watch;
    int told = 0;
    for (const auto& [steps, loss] : losses)
        for (int n = 0; n < steps; ++n) told += watch.collapses(loss) ? 1 : 0;
    return told;
}

TEST(LateProgress, shows_nothing_of_the_first_second)
{
    double now = 5;
    Console console;
    console.set_json(true);
    ::testing::internal::CaptureStdout();
    LateProgress progress(console, "load", "MB", [&] { return now; });
    progress.update(megabytes(1'000'000), 85);
    now = 5.9;
    progress.update(megabytes(20'999'999), 85);
    EXPECT_EQ(::testing::internal::GetCapturedStdout(), "");
    ::testing::internal::CaptureStdout();
    now = 6.1;
    progress.update(megabytes(41'000'000), 85);
    now = 8;
    progress.update(megabytes(63'999'999), 85);
    const std::string line = ::testing::internal::GetCapturedStdout();
    EXPECT_NE(line.find(R"("done":63,)"), std::string::npos) << line;
    EXPECT_NE(line.find(R"("total":85)"), std::string::npos) << line;
}

TEST(LossWatch, a_loss_that_stays_above_twice_its_least_is_told_once)
{
    EXPECT_EQ(collapses({{1000, 4}, {1000, 1}, {1000, 0.4}}), 0) << "falls";
    EXPECT_EQ(collapses({{1000, 0.5}, {2000, 0.99}}), 0) << "less than twice";
    EXPECT_EQ(collapses({{200, 4}, {200, 0.5}, {200, 4}, {200, 0.5}}), 0) << "comes back";
    EXPECT_EQ(collapses({{200, 4}, {200, 0.5}, {399, 1.1}}), 0);
    EXPECT_EQ(collapses({{200, 4}, {200, 0.5}, {400, 1.1}}), 1);
    EXPECT_EQ(collapses({{200, 4}, {200, 0.5}, {9000, 4}}), 1);
}

} // namespace
