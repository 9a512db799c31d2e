// tests/engine/partial_test.cpp - unfinished files and folders, and links where files of ours should be.
#include "engine/atomic_file.h"
#include "engine/folder_lock.h"
#include "engine/own_file.h"
#include "kernels/base/error.h"
#include "tests/support/temp_folder.h"

#include <gtest/gtest.h>

#include <fcntl.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

namespace bifrons {
namespace {

using test::read_bytes;
using test::TempFolder;
using test::write_bytes;

/// What a process that was killed leaves: a file and a folder with a file in it.
void leave_unfinished(const TempFolder& folder)
{
    const pid_t child = fork();
    if (child == 0) {
        const AtomicFile file(folder / "a.png");
        const Partial video(folder / "out.mp4", Partial::Kind::folder);
        write_bytes(video.name() + "/video", "frames");
        raise(SIGKILL);
    }
    waitpid(child, nullptr, 0);
}

TEST(Partial, names_cannot_be_known_before)
{
    TempFolder folder;
    const Partial first(folder / "a", Partial::Kind::file), second(folder / "a", Partial::Kind::file);
    EXPECT_NE(first.name(), second.name());
    EXPECT_EQ(first.name().find(str(folder / "a", ".partial-", getpid(), "-")), 0u);
}

TEST(Partial, what_a_killed_process_left_is_swept_and_said)
{
    TempFolder folder;
    leave_unfinished(folder);
    write_bytes(folder / "mine.partial-12", "kept");
    ASSERT_EQ(folder.names().size(), 3u);
    std::set<std::string> said;
    on_swept([&](const std::string& path) { said.insert(path); });
    {
        AtomicFile(folder / "b").commit();
    }
    on_swept([](const std::string&) {});
    EXPECT_EQ(folder.names(), (std::set<std::string>{"b", "mine.partial-12"}));
    EXPECT_EQ(said.size(), 2u);
}

TEST(Partial, what_lives_is_not_swept)
{
    TempFolder folder;
    const Partial mine(folder / "a", Partial::Kind::file);
    // Of a process with a number of another container: it holds its lock.
    const std::string other = folder / "b.partial-999999999-0123456789abcdef";
    const int fd = open_own_file(other, O_RDWR);
    ASSERT_EQ(flock(fd, LOCK_EX | LOCK_NB), 0);
    sweep_partials(folder.path());
    EXPECT_EQ(folder.names().size(), 2u);
    close(fd);
    sweep_partials(folder.path());
    EXPECT_EQ(folder.names().size(), 1u);
}

TEST(Partial, the_longest_names_can_be_written)
{
    TempFolder folder;
    const std::string name(255, 'n');
    AtomicFile file(folder / name);
    file.write("x", 1);
    file.commit();
    EXPECT_EQ(read_bytes(folder / name), "x");
}

TEST(OwnFile, links_are_not_written_through)
{
    TempFolder folder, person;
    write_bytes(person / "thesis", "years of work");
    for (const char* name : {".lock", "history.jsonl"})
        std::filesystem::create_symlink(person / "thesis", folder / name);
    std::filesystem::create_symlink(person.path(), folder / "previews");
    const auto refused = [](const auto& action) {
        try {
            action();
            return std::string();
        } catch (const Error& error) {
            EXPECT_EQ(error.kind(), ErrorKind::data);
            return std::string(error.what());
        }
    };
    EXPECT_NE(refused([&] { FolderLock lock(folder.path()); }).find(".lock: is a link"), std::string::npos);
    EXPECT_NE(refused([&] { open_own_file(folder / "history.jsonl", O_WRONLY | O_APPEND); }).find("is a link"),
              std::string::npos);
    EXPECT_NE(refused([&] { make_own_folder(folder / "previews"); }).find("is a link"), std::string::npos);
    ASSERT_EQ(mkfifo((folder / "pipe").c_str(), 0600), 0);
    EXPECT_NE(refused([&] { open_own_file(folder / "pipe", O_RDWR); }).find("not a regular file"), std::string::npos);
    EXPECT_EQ(read_bytes(person / "thesis"), "years of work");
    EXPECT_EQ(person.names().size(), 1u);
}

TEST(OwnFile, a_link_is_replaced_and_not_followed)
{
    TempFolder folder, person;
    write_bytes(person / "thesis", "years of work");
    std::filesystem::create_symlink(person / "thesis", folder / "preview.png");
    AtomicFile file(folder / "preview.png");
    file.write("x", 1);
    file.commit();
    EXPECT_EQ(read_bytes(person / "thesis"), "years of work");
    EXPECT_EQ(read_bytes(folder / "preview.png"), "x");
}

} // namespace
} // namespace bifrons
