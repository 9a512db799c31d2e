#include "engine/checkpoint.h"

#include "engine/atomic_file.h"
#include "tests/support/temp_folder.h"

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <random>
#include <thread>

#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace bifrons;
using namespace bifrons::test;

// The calls through which a checkpoint reaches the disk are taken over, so that a test can kill the process before one
// of them, or let it fail. Unarmed, they do what they always do.
namespace {

bool no_links = false; // the file system has none

struct Fault {
    int calls_left = -1;    // the call that is hit, counted down; -1: none
    bool fail_full = false; // that write fails with ENOSPC; else the process is killed
} fault;

bool hit()
{
    if (fault.calls_left < 0 || fault.calls_left-- > 0) return false;
    if (!fault.fail_full) kill(getpid(), SIGKILL);
    return true;
}

} // namespace

extern "C" {
ssize_t write(int fd, const void* data, std::size_t bytes)
{
    if (fd > 2 && hit()) {
        errno = ENOSPC;
        return -1;
    }
    return syscall(SYS_write, fd, data, bytes);
}
int fsync(int fd)
{
    hit();
    return int(syscall(SYS_fsync, fd));
}
int link(const char* from, const char* to) noexcept
{
    if (!no_links) return int(syscall(SYS_linkat, AT_FDCWD, from, AT_FDCWD, to, 0));
    errno = EPERM;
    return -1;
}
int rename(const char* from, const char* to) noexcept
{
    hit();
    return int(syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 0));
}
}

namespace {

/// State of a made-up training: every value follows from the step.
struct State {
    std::vector<float> weights = std::vector<float>(1000);
    std::uint64_t counter = 0;

    explicit State(std::int64_t step) : counter(std::uint64_t(step))
    {
        for (std::size_t i = 0; i < weights.size(); ++i) weights[i] = float(step) + float(i) / 1024;
    }
    std::vector<NamedTensor> tensors() const
    {
        return {{"weights", DType::f32, {10, 100}, weights.data()}, {"counter", DType::u64, {1}, &counter}};
    }
};

void save(CheckpointStore& store, std::int64_t step)
{
    const State state(step);
    store.save(step, state.tensors(), {{"settings", "resolution = 64"}});
}

void expect_whole(const Checkpoint& c, std::int64_t step)
{
    const State state(step);
    EXPECT_EQ(c.step, step);
    EXPECT_EQ(std::memcmp(c.file.at("weights").data, state.weights.data(), 4 * state.weights.size()), 0);
    EXPECT_EQ(std::memcmp(c.file.at("counter").data, &state.counter, 8), 0);
    EXPECT_EQ(c.file.metadata().at("settings"), "resolution = 64");
}

const Warn kNoWarning = [](const std::string& text) { ADD_FAILURE() << "warned: " << text; };

std::string name_of(std::int64_t step)
{
    char name[64];
    std::snprintf(name, sizeof name, "step-%09lld.safetensors", static_cast<long long>(step));
    return name;
}

TEST(Checkpoint, an_empty_folder_has_none_and_the_newest_is_taken)
{
    TempFolder folder;
    CheckpointStore store(folder / "model");
    EXPECT_FALSE(store.latest(kNoWarning));
    save(store, 5);
    save(store, 40);
    expect_whole(store.latest(kNoWarning).value(), 40);
    expect_whole(load_latest_checkpoint(folder / "model", kNoWarning).value(), 40);
}

TEST(Checkpoint, keeps_the_last_and_every_nth)
{
    TempFolder folder;
    CheckpointStore store(folder.path(), {.last = 2, .every = 40});
    for (std::int64_t step = 10; step <= 100; step += 10) save(store, step);
    EXPECT_EQ(folder.names(), (std::set<std::string>{".lock", name_of(40), name_of(80), name_of(90), name_of(100)}));
}

TEST(Checkpoint, backups_outlive_their_checkpoint_and_the_newest_of_them_stay)
{
    const TempFolder folder;
    CheckpointStore store(folder.path(), {.last = 1});
    for (const std::int64_t step : {10, 20, 30}) {
        save(store, step);
        store.back_up(step, 2);
    }
    EXPECT_EQ(list_checkpoints(folder.path()).size(), 1u);
    EXPECT_EQ(list_checkpoints(folder / "backups"),
              (std::vector<std::string>{folder / "backups/step-000000030.safetensors",
                                        folder / "backups/step-000000020.safetensors"}));
    EXPECT_EQ(load_checkpoint(folder / "backups/step-000000020.safetensors").step, 20);
    EXPECT_THROW(store.back_up(40, 2), Error) << "no such checkpoint";
}

TEST(Checkpoint, a_backup_is_whole_or_absent_where_the_file_system_has_no_links)
{
    const TempFolder folder;
    CheckpointStore store(folder.path());
    save(store, 10);
    no_links = true;
    fault = {.calls_left = 0, .fail_full = true};
    EXPECT_THROW(store.back_up(10, 2), Error);
    fault = {};
    EXPECT_TRUE(std::filesystem::is_empty(folder / "backups"));
    store.back_up(10, 2);
    no_links = false;
    EXPECT_EQ(read_bytes(folder / ("backups/" + name_of(10))), read_bytes(folder / name_of(10)));
    EXPECT_EQ(load_checkpoint(folder / "backups/step-000000010.safetensors").step, 10);
}

TEST(Checkpoint, a_folder_that_cannot_be_looked_into_is_one_error)
{
    const TempFolder folder;
    CheckpointStore store(folder.path());
    save(store, 10);
    write_bytes(folder / "backups", ""); // a file where the folder should be
    EXPECT_THROW(store.back_up(10, 2), Error);
}

TEST(Checkpoint, deletes_nothing_it_did_not_write)
{
    TempFolder folder;
    CheckpointStore store(folder.path(), {.last = 1});
    const float value = 1;
    write_safetensors(folder / name_of(1), {{"w", DType::f32, {1}, &value}}, {}); // another program's
    write_bytes(folder / name_of(2), "not a checkpoint");
    write_bytes(folder / "step-7.safetensors", "not our name");
    write_bytes(folder / "notes.partial", "mine");
    for (const std::int64_t step : {1, 2, 3, 4}) save(store, step);
    EXPECT_EQ(read_bytes(folder / "step-7.safetensors"), "not our name");
    EXPECT_EQ(read_bytes(folder / "notes.partial"), "mine");
    EXPECT_EQ(read_bytes(folder / (name_of(2) + ".set-aside")), "not a checkpoint");
    EXPECT_EQ(SafetensorsFile(folder / (name_of(1) + ".set-aside")).at("w").size(), 1);
    EXPECT_EQ(folder.names().count(name_of(3)), 0u);
    expect_whole(store.latest(kNoWarning).value(), 4);
}

TEST(Checkpoint, a_skipped_newer_one_does_not_push_out_the_good_one)
{
    TempFolder folder;
    CheckpointStore store(folder.path(), {.last = 2});
    save(store, 100);
    write_bytes(folder / name_of(200), "damaged");
    write_bytes(folder / name_of(300), "damaged");
    save(store, 150);
    EXPECT_EQ(folder.names().count(name_of(100)), 1u);
    int warnings = 0;
    expect_whole(store.latest([&](const std::string&) { ++warnings; }).value(), 150);
    EXPECT_EQ(warnings, 2);
}

TEST(Checkpoint, truncated_at_any_byte_or_with_any_byte_flipped_the_previous_one_is_taken)
{
    TempFolder folder;
    CheckpointStore store(folder.path());
    save(store, 1);
    const State state(2);
    store.save(2, {{"counter", DType::u64, {1}, &state.counter}}, {{"settings", "x"}}); // small: all bytes are tried
    const std::string whole = read_bytes(folder / name_of(2));
    ASSERT_EQ(store.latest(kNoWarning).value().step, 2);

    const auto expect_fallback = [&](const std::string& bytes, std::size_t at, const char* what) {
        write_bytes(folder / name_of(2), bytes);
        std::string warning;
        const auto found = store.latest([&](const std::string& text) { warning += text; });
        ASSERT_TRUE(found) << what << " at " << at;
        EXPECT_EQ(found->step, 1) << what << " at " << at;
        EXPECT_NE(warning.find(name_of(2)), std::string::npos) << warning;
    };
    for (std::size_t n = 0; n < whole.size(); ++n) expect_fallback(whole.substr(0, n), n, "truncated");
    for (std::size_t i = 0; i < whole.size(); ++i) {
        std::string flipped = whole;
        flipped[i] = char(flipped[i] ^ (1 << (i % 8)));
        expect_fallback(flipped, i, "flipped");
    }
}

TEST(Checkpoint, all_damaged_is_an_error_and_not_a_fresh_start)
{
    TempFolder folder;
    write_bytes(folder / name_of(1), "damaged");
    EXPECT_THROW(load_latest_checkpoint(folder.path(), [](const std::string&) {}), Error);
    EXPECT_THROW(load_latest_checkpoint(folder / "absent", kNoWarning), Error);
}

TEST(Checkpoint, a_file_of_another_program_is_named)
{
    TempFolder folder;
    const float value = 1;
    write_safetensors(folder / "vgg.safetensors", {{"w", DType::f32, {1}, &value}}, {});
    try {
        load_checkpoint(folder / "vgg.safetensors");
        FAIL();
    } catch (const Error& e) {
        EXPECT_EQ(e.kind(), ErrorKind::data);
        EXPECT_NE(std::string(e.what()).find("not a checkpoint of this program"), std::string::npos) << e.what();
    }
}

TEST(Checkpoint, one_writer_at_a_time_and_a_dead_one_does_not_block)
{
    TempFolder folder;
    {
        CheckpointStore store(folder.path());
        try {
            CheckpointStore second(folder.path());
            FAIL();
        } catch (const Error& e) {
            EXPECT_NE(std::string(e.what()).find("process " + std::to_string(getpid())), std::string::npos) << e.what();
        }
    }
    const pid_t child = fork();
    if (child == 0) {
        CheckpointStore store(folder.path());
        kill(getpid(), SIGKILL);
    }
    waitpid(child, nullptr, 0);
    ASSERT_TRUE(folder.names().count(".lock"));
    EXPECT_NO_THROW(CheckpointStore(folder.path()));
}

TEST(Checkpoint, a_store_that_wrote_nothing_leaves_nothing)
{
    TempFolder folder;
    {
        CheckpointStore store(folder / "deep/model/");
    }
    EXPECT_TRUE(folder.names().empty());
    write_bytes(folder / "mine", "");
    {
        CheckpointStore store(folder.path());
    }
    EXPECT_EQ(folder.names(), (std::set<std::string>{"mine"}));
    {
        CheckpointStore store(folder / "deep/model");
        save(store, 1);
    }
    expect_whole(load_latest_checkpoint(folder / "deep/model", kNoWarning).value(), 1);
    EXPECT_FALSE(std::filesystem::exists(folder / "deep/model/.lock"));
}

TEST(Checkpoint, a_folder_that_cannot_be_made_is_named_with_a_remedy)
{
    TempFolder folder;
    std::filesystem::create_symlink("nowhere", folder / "dangling");
    try {
        CheckpointStore store(folder / "dangling");
        FAIL();
    } catch (const Error& e) {
        EXPECT_NE(std::string(e.what()).find("cannot be created: File exists. Choose another folder."),
                  std::string::npos)
            << e.what();
    }
}

TEST(Checkpoint, stores_that_come_and_go_at_once_refuse_only_each_other)
{
    TempFolder folder;
    const auto come_and_go = [&] {
        for (int i = 0; i < 1000; ++i) {
            try {
                CheckpointStore store(folder / "deep/model");
            } catch (const Error& e) {
                EXPECT_NE(std::string(e.what()).find("is writing there"), std::string::npos) << e.what();
            }
            rmdir((folder / "deep/model").c_str()); // whoever found it there leaves it
        }
    };
    std::thread other(come_and_go);
    come_and_go();
    other.join();
}

/// Runs `work` in a child process and says whether it was killed. Exit code 3: it threw Error(failed).
int run_child(const std::function<void()>& work)
{
    const pid_t child = fork();
    if (child == 0) {
        try {
            work();
            _exit(0);
        } catch (const Error& e) {
            _exit(e.kind() == ErrorKind::failed ? 3 : 4);
        }
    }
    int status = 0;
    waitpid(child, &status, 0);
    return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

TEST(Checkpoint, killed_before_every_call_that_touches_the_disk_nothing_is_lost)
{
    int call = 0, result = -SIGKILL;
    for (; result == -SIGKILL; ++call) {
        TempFolder folder;
        {
            CheckpointStore store(folder.path(), {.last = 1});
            save(store, 1);
        }
        result = run_child([&] {
            CheckpointStore store(folder.path(), {.last = 1});
            fault.calls_left = call;
            save(store, 2);
        });
        CheckpointStore store(folder.path(), {.last = 1});
        const auto found = store.latest(kNoWarning);
        ASSERT_TRUE(found);
        expect_whole(*found, found->step);
        EXPECT_TRUE(found->step == 1 || found->step == 2);
        for (const std::string& name : folder.names()) EXPECT_EQ(name.find(kPartialMark), name.npos) << name;
        save(store, 3);
        expect_whole(store.latest(kNoWarning).value(), 3);
    }
    EXPECT_EQ(result, 0);
    EXPECT_EQ(call, 7) << "header, two tensors, file sync, rename, folder sync";
}

TEST(Checkpoint, killed_at_random_moments_the_newest_is_whole)
{
    TempFolder folder;
    std::mt19937 random(1);
    std::int64_t reached = 0;
    for (int round = 0; round < 20; ++round) {
        const pid_t child = fork();
        if (child == 0) {
            CheckpointStore store(folder.path(), {.last = 2});
            for (std::int64_t step = reached + 1;; ++step) save(store, step);
        }
        usleep(2000 + random() % 20000);
        kill(child, SIGKILL);
        waitpid(child, nullptr, 0);
        const auto found = CheckpointStore(folder.path()).latest(kNoWarning);
        if (!found) continue; // killed before the first one
        EXPECT_GE(found->step, reached);
        expect_whole(*found, found->step);
        reached = found->step;
    }
    EXPECT_GT(reached, 0);
}

TEST(Checkpoint, when_writing_fails_the_temporary_goes_and_the_older_one_stays)
{
    for (int call = 0; call < 3; ++call) {
        TempFolder folder;
        CheckpointStore store(folder.path());
        save(store, 1);
        fault = {call, true};
        try {
            save(store, 2);
            ADD_FAILURE() << "a failed write went unnoticed";
        } catch (const Error& e) {
            EXPECT_EQ(e.kind(), ErrorKind::failed);
            EXPECT_NE(std::string(e.what()).find(std::strerror(ENOSPC)), std::string::npos) << e.what();
        }
        fault = {};
        EXPECT_EQ(folder.names(), (std::set<std::string>{".lock", name_of(1)}));
        expect_whole(store.latest(kNoWarning).value(), 1);
    }
}

TEST(Checkpoint, on_a_disk_that_is_full_the_older_one_stays)
{
    TempFolder folder;
    const int result = run_child([&] {
        if (unshare(CLONE_NEWNS | (getuid() == 0 ? 0 : CLONE_NEWUSER)) != 0 ||
            mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
            mount("tmpfs", folder.path().c_str(), "tmpfs", 0, "size=32k") != 0)
            _exit(77);
        CheckpointStore store(folder.path(), {.last = 10});
        std::int64_t step = 1;
        try {
            for (; step < 100; ++step) save(store, step);
        } catch (const Error&) {
            for (const std::string& name : folder.names())
                if (name.find(kPartialMark) != name.npos) _exit(5);
            const auto found = store.latest([](const std::string&) {});
            if (step < 3 || !found || found->step != step - 1) _exit(6);
            throw; // Error(failed): exit code 3
        }
    });
    if (result == 77) GTEST_SKIP() << "this user may not mount a small tmpfs in a namespace of its own";
    EXPECT_EQ(result, 3);
}

} // namespace
