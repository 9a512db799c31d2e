#include "tools/commands.h"

#include "data/faceset.h"
#include "engine/checkpoint.h"
#include "tests/support/temp_folder.h"
#include "tests/tools/run_program.h"
#include "tools/interrupt.h"
#include "tools/options.h"

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <fstream>
#include <set>

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <CLI/CLI.hpp>

using namespace bifrons;
using namespace bifrons::test;
using namespace bifrons::tools;

namespace {

#define EXPECT_SAYS(text, part) EXPECT_NE((text).find(part), std::string::npos) << (text)

TEST(Commands, each_has_help_and_each_option_says_what_it_takes)
{
    for (const Command& command : commands()) {
        CLI::App app;
        command.declare(app);
        EXPECT_GT(std::string(command.help).size(), 15u) << command.name;
        EXPECT_EQ(std::string(command.help).find('\n'), std::string::npos) << command.name;
        for (const CLI::Option* option : app.get_options()) {
            const std::string name = std::string(command.name) + " " + option->get_name();
            EXPECT_GT(option->get_description().size(), 10u) << name;
            const bool takes_value = option->get_expected_max() > 0 && option->get_type_size() > 0;
            const std::string type = option->get_type_name();
            const bool vague = type.empty() || type == "TEXT" || type == "INT" || type == "FLOAT";
            EXPECT_FALSE(takes_value && !option->get_positional() && vague) << name << " does not say what it takes";
        }
        const Result help = bifrons_run({command.name, "--help"});
        EXPECT_EQ(help.code, 0);
        EXPECT_SAYS(help.out, command.help);
        EXPECT_SAYS(help.out, "Exit codes:");
        EXPECT_SAYS(help.out, "--json");
        EXPECT_EQ(help.err, "");
        EXPECT_SAYS(bifrons_run({"--help"}).out, std::string("  ") + command.name + " ");
    }
}

TEST(Commands, what_the_file_system_refuses_is_one_sentence_and_exit_code_3)
{
    const std::string name(300, 'a');
    const Result r = bifrons_run({"inspect", name});
    EXPECT_EQ(r.code, 3);
    EXPECT_EQ(r.err, "bifrons inspect: " + name + ": cannot be used: File name too long\n");
}

TEST(Commands, wrong_usage_is_one_sentence_and_exit_code_2)
{
    const auto says = [](std::vector<std::string> arguments, const char* text) {
        const Result r = bifrons_run(arguments);
        EXPECT_EQ(r.code, 2);
        EXPECT_EQ(r.err, std::string(text) + "\n");
        EXPECT_EQ(r.out, "");
    };
    says({}, "bifrons: no command given. `bifrons --help` lists them.");
    says({"inspekt", "x"}, "bifrons: unknown command inspekt; did you mean \"inspect\"? `bifrons --help` lists them.");
    says({"xyzzy"}, "bifrons: unknown command xyzzy. `bifrons --help` lists them.");
    says({"inspect"}, "bifrons inspect: PATH is required. See `bifrons inspect --help`.");
    says({"inspect", "a", "b", "c"}, "bifrons inspect: unexpected argument c. See `bifrons inspect --help`.");
    says({"inspect", "a", "--tensor"},
         "bifrons inspect: unknown option --tensor; did you mean \"--tensors\"? See `bifrons inspect --help`.");
    says({"inspect", "--tensor=3"},
         "bifrons inspect: unknown option --tensor; did you mean \"--tensors\"? See `bifrons inspect --help`.");
}

TEST(Commands, options_refuse_what_is_out_of_range)
{
    CLI::App app;
    int steps = 5;
    double rate = 0.5;
    std::string mode = "fast";
    number(app, "--steps", steps, 1, 10, "how many");
    number(app, "--rate", rate, 0.0, 1.0, "how fast");
    choice(app, "--mode", mode, {"fast", "slow"}, "which way");
    const auto says = [&](const std::string& line, const std::string& part) {
        try {
            app.parse(line);
            ADD_FAILURE() << line << " was taken";
        } catch (const CLI::ParseError& e) {
            EXPECT_SAYS(std::string(e.what()), part);
        }
    };
    says("--steps 0", "is 0; expected a number in 1..10");
    says("--steps 3.5", "is 3.5; expected a number in 1..10");
    says("--steps x", "is x; expected a number in 1..10");
    says("--rate nan", "expected a number in 0..1");
    says("--mode slo", "is \"slo\"; expected fast|slow; did you mean \"slow\"?");
    app.parse("--steps 10 --rate 1 --mode slow");
    EXPECT_EQ(steps, 10);
    EXPECT_EQ(rate, 1);
    EXPECT_EQ(mode, "slow");
    EXPECT_SAYS(app.help(), "1..10");
    EXPECT_SAYS(app.help(), "--mode fast|slow");
}

TEST(Commands, version)
{
    EXPECT_EQ(bifrons_run({"--version"}).out, "bifrons " BIFRONS_VERSION "\n");
}

TEST(Commands, inspect_shows_a_model_and_its_damaged_checkpoint)
{
    TempFolder folder;
    const float values[2] = {1, 2};
    {
        CheckpointStore store(folder.path());
        store.save(7, {{"decoder.w", DType::f32, {2, 1}, values}}, {{"settings", R"({"resolution":64})"}});
        store.save(9, {{"decoder.w", DType::f32, {2, 1}, values}}, {});
    }
    const std::string newest = folder / "step-000000009.safetensors";
    write_bytes(newest, read_bytes(newest).substr(0, 100));
    const Result words = bifrons_run({"inspect", folder.path().c_str(), "--tensors"});
    EXPECT_EQ(words.code, 0);
    EXPECT_SAYS(words.out, "checksum OK");
    EXPECT_SAYS(words.out, "    resolution = 64\n");
    EXPECT_SAYS(words.out, "1 tensors, 2 values, 8 B\n");
    EXPECT_SAYS(words.out, "  decoder.w  f32 [2,1]\n");
    EXPECT_SAYS(words.err, "warning: " + newest);

    const Result lines = bifrons_run({"inspect", folder.path().c_str(), "--json"});
    EXPECT_EQ(lines.err, "");
    const std::string last = lines.out.substr(lines.out.rfind('\n', lines.out.size() - 2) + 1);
    const Json result = Json::parse(last);
    EXPECT_EQ(result["event"], "result");
    EXPECT_EQ(result["metadata"]["settings"]["resolution"], 64);
    EXPECT_EQ(result["tensors"][0]["shape"], (std::vector<int>{2, 1}));
}

TEST(Commands, inspect_shows_a_faceset)
{
    TempFolder folder;
    data::Faceset set;
    set.folder = folder.path();
    set.side = 96;
    set.detector = "hog";
    set.sources.push_back({.name = "clip", .path = "/clip.mp4", .frames = 75, .done = 16});
    data::save_faceset(set);
    const Result words = bifrons_run({"inspect", folder.path().c_str()});
    EXPECT_EQ(words.code, 0) << words.err;
    EXPECT_SAYS(words.out, "0 faces, whole_face, 96 px, found by hog, landmarks by dlib\n");
    EXPECT_SAYS(words.out, "  clip.mp4: 0 faces in 16 of 75 frames");
    EXPECT_SAYS(words.out, "unfinished");
    const Json j = Json::parse(bifrons_run({"inspect", folder.path().c_str(), "--json"}).out);
    EXPECT_EQ(j["sources"][0]["done"], 16);
    EXPECT_EQ(j["landmarks"], "dlib");
}

#if BIFRONS_HAS_MEDIA
TEST(Commands, extract_reports_counts_and_continues)
{
    const std::string clip = std::string(BIFRONS_ASSETS) + "/faces/grid/swwp2s.mpg";
    if (!std::filesystem::exists(clip)) GTEST_SKIP() << clip << " is not there";
    TempFolder folder;
    const std::string out = folder / "set";
    const Result lines = bifrons_run({"extract", clip.c_str(), "-o", out.c_str(), "--side", "64", "--json"});
    ASSERT_EQ(lines.code, 0) << lines.err;
    const std::string last = lines.out.substr(lines.out.rfind('\n', lines.out.size() - 2) + 1);
    EXPECT_EQ(Json::parse(last)["faces"], 75);
    const Result again = bifrons_run({"extract", clip.c_str(), "-o", out.c_str(), "--side", "64"});
    EXPECT_EQ(again.code, 0);
    EXPECT_SAYS(again.out, "75 faces from 75 frames");
    EXPECT_SAYS(again.out, "  0 frames in");
}

TEST(Commands, extract_interrupted_exits_with_130_and_goes_on)
{
    const std::string clip = std::string(BIFRONS_ASSETS) + "/faces/grid/swwp2s.mpg";
    if (!std::filesystem::exists(clip)) GTEST_SKIP() << clip << " is not there";
    TempFolder folder;
    const std::string out = folder / "set";
    const pid_t child = fork();
    if (child == 0) {
        execl(BIFRONS_PROGRAM, "bifrons", "extract", clip.c_str(), "-o", out.c_str(), "--side", "64", nullptr);
        _exit(1);
    }
    for (int i = 0; i < 600 && !data::is_faceset(out); ++i) usleep(50000); // at work
    usleep(100000);
    kill(child, SIGINT);
    int status = 0;
    waitpid(child, &status, 0);
    EXPECT_EQ(WEXITSTATUS(status), 130);
    const Result rest = bifrons_run({"extract", clip.c_str(), "-o", out.c_str(), "--side", "64"});
    EXPECT_EQ(rest.code, 0) << rest.err;
    EXPECT_SAYS(rest.out, "75 faces from 75 frames");
    EXPECT_EQ(rest.out.find("  75 frames in"), std::string::npos) << "what was done is kept";
}

TEST(Commands, min_score_is_in_the_detectors_own_scale)
{
    EXPECT_SAYS(bifrons_run({"extract", "--help"}).out, "hog 0.3");
    const auto says = [](const char* detector, const char* score, const std::string& part) {
        const Result r =
            bifrons_run({"extract", "none.mp4", "-o", "none", "--detector", detector, "--min-score", score});
        EXPECT_EQ(r.code, part.empty() ? 3 : 2) << r.err; // 3: there is no such video
        EXPECT_SAYS(r.err, part);
    };
    says("hog", "-0.31", "--min-score is -0.31; expected for hog -0.3 or more");
    says("hog", "-0.3", "");
    says("haar", "1", "expected for haar 2 or more");
    says("hog", "nan", "expected a number");
}

TEST(Commands, extract_refuses_what_is_no_video)
{
    TempFolder folder;
    write_bytes(folder / "text.mp4", "hello");
    const std::string input = folder / "text.mp4", out = folder / "set";
    const Result r =
        bifrons_run({"extract", input.c_str(), "-o", out.c_str(), "--detector", "hog", "--landmarks", "dlib"});
    EXPECT_EQ(r.code, 3);
    EXPECT_SAYS(r.err, input);
    EXPECT_EQ(std::count(r.err.begin(), r.err.end(), '\n'), 1) << r.err;
    EXPECT_FALSE(std::filesystem::exists(out));
}
#endif

TEST(Commands, inspect_names_what_it_cannot_read)
{
    TempFolder folder;
    write_bytes(folder / "text.mp4", "hello, this is not a checkpoint");
    const auto fails = [](const std::string& path, const std::string& part) {
        const Result r = bifrons_run({"inspect", path.c_str()});
        EXPECT_EQ(r.code, 3);
        EXPECT_EQ(r.err.rfind("bifrons inspect: " + path, 0), 0u) << r.err;
        EXPECT_SAYS(r.err, part);
    };
    fails(folder / "absent", "does not exist");
    fails(folder / "text.mp4", "not a safetensors file");
    fails(folder.path(), "holds no checkpoint");
    const Result r = bifrons_run({"inspect", "absent", "--json"});
    EXPECT_EQ(Json::parse(r.out)["exit_code"], 3);
}

TEST(Commands, doctor_says_what_it_finds)
{
    const Result words = bifrons_run({"doctor"});
    EXPECT_EQ(words.code, 0);
    EXPECT_SAYS(words.out, "ok      device cpu");
    const Json result = Json::parse(bifrons_run({"doctor", "--json"}).out);
    bool auto_seen = false;
    for (const Json& finding : result["findings"]) {
        EXPECT_FALSE(finding["found"].get<std::string>().empty()) << finding;
        auto_seen = auto_seen || finding["what"] == "device auto";
    }
    EXPECT_TRUE(auto_seen);
}

TEST(Commands, results_that_cannot_be_written_are_an_error)
{
    if (access("/dev/full", W_OK) != 0) GTEST_SKIP() << "/dev/full is not there";
    EXPECT_EQ(std::system((std::string(BIFRONS_PROGRAM) + " --help > /dev/full 2> /dev/null").c_str()) >> 8, 1);
    EXPECT_EQ(std::system((std::string(BIFRONS_PROGRAM) + " --help > /dev/null").c_str()), 0);
}

TEST(Commands, the_program_makes_threads_wait_passively)
{
    EXPECT_EQ(std::system(("env -u OMP_WAIT_POLICY " + std::string(BIFRONS_PROGRAM) +
                           " doctor | grep -q 'ok  *thread waiting *passive'")
                              .c_str()),
              0);
    EXPECT_EQ(std::system(("OMP_WAIT_POLICY=ACTIVE " + std::string(BIFRONS_PROGRAM) +
                           " doctor | grep -q 'OMP_WAIT_POLICY is ACTIVE'")
                              .c_str()),
              0);
}

/// What a child process that runs this ends with.
template <class Body>
int code_of_child(const Body& body)
{
    const pid_t child = fork();
    if (child == 0) {
        body();
        _exit(99);
    }
    int status = 0;
    waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

TEST(Commands, a_terminal_that_closes_asks_however_often_it_says_so)
{
    const auto end_after = [](const std::vector<int>& signals) {
        return code_of_child([&] {
            catch_interrupts();
            for (const int signal : signals) raise(signal);
            _exit(interrupted() ? 7 : 8);
        });
    };
    EXPECT_EQ(end_after({}), 8);
    EXPECT_EQ(end_after({SIGHUP}), 7);
    EXPECT_EQ(end_after({SIGHUP, SIGHUP, SIGTERM, SIGHUP}), 7);
    EXPECT_EQ(end_after({SIGHUP, SIGTERM, SIGINT}), 130);
    EXPECT_EQ(code_of_child([] {
                  std::signal(SIGHUP, SIG_IGN); // nohup
                  catch_interrupts();
                  raise(SIGHUP);
                  _exit(interrupted() ? 7 : 8);
              }),
              8);
}

TEST(Commands, a_reader_that_ended_does_not_end_the_work)
{
    EXPECT_EQ(code_of_child([] {
                  int ends[2];
                  if (pipe(ends) != 0) _exit(1);
                  dup2(ends[1], 1);
                  close(ends[0]);
                  catch_interrupts();
                  Console console;
                  console.set_json(true);
                  console.say("first");
                  console.say("second");
                  _exit(std::ferror(stdout) ? 7 : 8);
              }),
              7);
}

std::string text_of(const std::string& path)
{
    std::ifstream in(path);
    return {std::istreambuf_iterator<char>(in), {}};
}

TEST(Commands, work_that_keeps_nothing_ends_at_the_first_interrupt_with_a_sentence)
{
    for (const int signal : {SIGINT, SIGTERM, SIGHUP}) {
        TempFolder folder;
        EXPECT_EQ(code_of_child([&] {
                      dup2(open((folder / "out").c_str(), O_WRONLY | O_CREAT, 0600), 1);
                      dup2(open((folder / "err").c_str(), O_WRONLY | O_CREAT, 0600), 2);
                      end_on_interrupt("{}\n", "bifrons map: interrupted\n");
                      raise(signal);
                  }),
                  130);
        EXPECT_EQ(text_of(folder / "out"), "{}\n");
        EXPECT_EQ(text_of(folder / "err"), "bifrons map: interrupted\n");
    }
    std::set<std::string> keeping;
    for (const Command& command : commands())
        if (command.keeps_work) keeping.insert(command.name);
    for (const char* name : {"map", "preview", "plan", "inspect"}) EXPECT_EQ(keeping.count(name), 0u) << name;
    EXPECT_EQ(keeping.count("train"), 1u);
}

TEST(Commands, the_first_interrupt_asks_and_the_second_one_ends)
{
    const pid_t child = fork();
    if (child == 0) {
        catch_interrupts();
        if (interrupted()) _exit(1);
        raise(SIGINT);
        if (!interrupted()) _exit(2);
        raise(SIGTERM);
        _exit(3); // not reached
    }
    int status = 0;
    waitpid(child, &status, 0);
    EXPECT_EQ(WEXITSTATUS(status), 130);
}

} // namespace
