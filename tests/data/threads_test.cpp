// Loops on several threads, and the team whose threads stay.
#include "data/threads.h"

#include "kernels/base/error.h"
#include "tests/support/thread_limit.h"

#include <gtest/gtest.h>

#include <map>
#include <set>

#include <omp.h>
#include <pthread.h>

using namespace bifrons;
using namespace bifrons::data;
using namespace bifrons::test;

namespace {

TEST(ThreadTeam, each_index_comes_once_and_a_worker_is_the_same_thread_in_every_loop)
{
    ThreadTeam team(3, "team");
    std::map<int, std::set<std::thread::id>> threads;
    std::mutex guard;
    for (const std::int64_t n : {100, 0, 1, 57}) {
        std::vector<std::atomic<int>> times(static_cast<std::size_t>(n));
        team.for_each(n, [&](std::int64_t i, int worker) {
            ++times[std::size_t(i)];
            char name[16] = "";
            pthread_getname_np(pthread_self(), name, sizeof name);
            const std::lock_guard lock(guard);
            threads[worker].insert(std::this_thread::get_id());
            EXPECT_STREQ(name, "team");
        });
        for (const std::atomic<int>& count : times) EXPECT_EQ(count, 1);
    }
    for (const auto& [worker, ids] : threads) {
        EXPECT_LT(worker, team.size());
        EXPECT_EQ(ids.size(), 1u) << worker;
        EXPECT_EQ(ids.count(std::this_thread::get_id()), 0u) << "what the caller keeps for itself is left alone";
    }
}

TEST(ThreadTeam, the_first_exception_ends_the_loop_and_the_team_goes_on)
{
    ThreadTeam team(2, "team");
    std::atomic<int> done = 0;
    const auto fails_at_3 = [&](std::int64_t i, int) {
        if (i == 3) throw Error(ErrorKind::failed, "three");
        ++done;
    };
    EXPECT_THROW(team.for_each(1 << 20, fails_at_3), Error);
    EXPECT_LT(done, 1 << 20);
    done = 0;
    team.for_each(3, fails_at_3);
    EXPECT_EQ(done, 3);
}

TEST(ThreadTeam, is_smaller_where_the_system_gives_fewer_threads)
{
    const ThreadLimit limit(2);
    ThreadTeam team(5, "team");
    EXPECT_EQ(team.size(), 2);
    std::atomic<int> done = 0;
    team.for_each(100, [&](std::int64_t, int) { ++done; });
    EXPECT_EQ(done, 100);
    EXPECT_THROW(ThreadTeam(1, "none"), std::system_error);
}

TEST(ForEachOnThreads, does_all_the_work_with_fewer_threads)
{
    for (const int given : {0, 1}) {
        const ThreadLimit limit(given);
        std::vector<std::atomic<int>> times(100);
        std::atomic<int> highest = 0;
        for_each_on_threads(100, 5, [&](std::int64_t i, int worker) {
            ++times[std::size_t(i)];
            if (worker > highest) highest = worker;
        });
        for (const std::atomic<int>& count : times) EXPECT_EQ(count, 1);
        EXPECT_LE(highest, given);
    }
}

TEST(ForEachOnThreads, keeps_the_loops_of_a_piece_on_its_thread)
{
    const int before = omp_get_max_threads();
    for_each_on_threads(8, 3, [](std::int64_t, int) { EXPECT_EQ(omp_get_max_threads(), 1); });
    ThreadTeam(2, "team").for_each(8, [](std::int64_t, int) { EXPECT_EQ(omp_get_max_threads(), 1); });
    EXPECT_EQ(omp_get_max_threads(), before);
}

TEST(StartedEarly, waits_to_be_asked_where_there_is_no_thread)
{
    const auto who = [] { return std::this_thread::get_id(); };
    EXPECT_NE(started_early(who).get(), std::this_thread::get_id());
    const ThreadLimit limit(0);
    EXPECT_EQ(started_early(who).get(), std::this_thread::get_id());
}

} // namespace
