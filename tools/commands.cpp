#include "tools/commands.h"

#include "engine/partial.h"
#include "kernels/base/suggest.h"
#include "tools/interrupt.h"
#include "tools/options.h"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <map>
#include <system_error>

#include <CLI/CLI.hpp>

namespace bifrons::tools {

namespace {

constexpr const char* kExitCodes =
    "Exit codes: 0 done, 1 failed, 2 wrong usage, 3 bad data, 4 no usable device,\n"
    "130 interrupted (the message says what was kept). On an interrupt, train saves and exits with 0.";

int exit_code(ErrorKind kind, const Console& console)
{
    switch (kind) {
    case ErrorKind::usage:
        return 2;
    case ErrorKind::data:
        return 3;
    case ErrorKind::device:
        return console.working() ? 1 : 4;
    case ErrorKind::shape:
    case ErrorKind::failed:
    case ErrorKind::bug:
        return 1;
    }
    return 1;
}

/// The program with all its commands declared.
struct Program {
    CLI::App app{"Bifrons trains a neural network on two faces and puts one on the other.", "bifrons"};
    std::map<const CLI::App*, Work> work;
    bool json = false;

    Program()
    {
        app.set_version_flag("--version", std::string("bifrons ") + BIFRONS_VERSION);
        app.footer(std::string("`bifrons COMMAND --help` lists the options of a command.\n\n") + kExitCodes);
        app.allow_extras();
        for (const Command& command : commands()) {
            CLI::App* const sub = app.add_subcommand(command.name, command.help);
            sub->allow_extras();
            sub->footer(kExitCodes);
            work[sub] = command.declare(*sub);
            flag(*sub, "--json", json, "print JSON lines on stdout instead of text");
        }
    }

    /// The command that was named; null if none was.
    const CLI::App* chosen() const
    {
        for (const auto& [sub, unused] : work)
            if (sub->parsed()) return sub;
        return nullptr;
    }
};

std::vector<std::string> option_names(const CLI::App& app)
{
    std::vector<std::string> names;
    for (const CLI::Option* option : app.get_options())
        for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
    return names;
}

/// Throws Error(usage) on a word that is neither a command nor an option of the chosen one.
void refuse_unknown(const Program& program, const CLI::App* chosen)
{
    if (chosen) {
        const std::vector<std::string> left = chosen->remaining();
        if (left.empty()) return;
        const std::string typed = left.front().substr(0, left.front().find('='));
        const bool option = typed.front() == '-';
        const std::string hint = option ? did_you_mean(typed, option_names(*chosen)) : "";
        throw Error(ErrorKind::usage,
                    str(option ? "unknown option " : "unexpected argument ", typed, hint.empty() ? "." : hint,
                        " See `bifrons ", chosen->get_name(), " --help`."));
    }
    std::vector<std::string> names;
    for (const Command& command : commands()) names.push_back(command.name);
    const std::vector<std::string> left = program.app.remaining();
    BIFRONS_CHECK(usage, !left.empty(), "no command given. `bifrons --help` lists them.");
    const std::string hint = did_you_mean(left.front(), names);
    throw Error(ErrorKind::usage,
                str("unknown command ", left.front(), hint.empty() ? "." : hint, " `bifrons --help` lists them."));
}

/// Reads the arguments. Returns the chosen command, or null if help or the version was asked for and printed.
const CLI::App* parse(Program& program, int argc, const char* const* argv)
{
    std::string complaint;
    try {
        program.app.parse(argc, argv);
    } catch (const CLI::Success& asked) {
        program.app.exit(asked);
        return nullptr;
    } catch (const CLI::ParseError& e) {
        complaint = e.what();
    }
    const CLI::App* const chosen = program.chosen();
    refuse_unknown(program, chosen);
    BIFRONS_CHECK(usage, complaint.empty(), complaint, ". See `bifrons ", chosen->get_name(), " --help`.");
    return chosen;
}

/// What is still buffered reaches stdout, or it is an error: a result that is cut short looks like a whole one.
void flush_results()
{
    const bool flushed = std::fflush(stdout) == 0;
    BIFRONS_CHECK(failed, flushed && !std::ferror(stdout), "stdout: the results cannot be written",
                  flushed ? "" : str(": ", std::strerror(errno)));
}

/// What Ctrl-C does to the command.
void listen_for_interrupts(const std::string& name, const Console& console)
{
    const std::vector<Command>& all = commands();
    const auto command = std::find_if(all.begin(), all.end(), [&](const Command& c) { return c.name == name; });
    if (command->keeps_work) return catch_interrupts();
    const std::string text = "interrupted";
    end_on_interrupt(console.line_of("error", {{"text", text}, {"exit_code", 130}}),
                     str("bifrons ", name, ": ", text, "\n"));
}

} // namespace

const std::vector<Command>& commands()
{
    static const std::vector<Command> table = {
#if BIFRONS_HAS_MEDIA
        {"demo", "Run the full demo: extract, train and merge with two public-domain portraits", declare_demo, true},
        {"extract", "Find faces in videos and pictures and save them, aligned, as a faceset", declare_extract, true},
#endif
        {"import", "Make a faceset of faces from DeepFaceLab, faceswap or a folder, or a model of SAEHD or Quick96",
         declare_import, true},
        {"faces", "Sort and list a faceset's faces, draw them, drop bad ones to its trash, put them back",
         declare_faces},
        {"pack", "Write a faceset into one file, for copying", declare_pack, true},
        {"unpack", "Make a faceset of what `bifrons pack` wrote", declare_unpack, true},
        {"export", "Write a faceset or a model for DeepFaceLab, or a model as .dfm or ONNX", declare_export, true},
        {"train", "Train a model on two facesets, or resume its training", declare_train, true},
        {"map", "Fit the latent mapping (optional) that `bifrons merge --latent-map` applies", declare_map},
#if BIFRONS_HAS_MEDIA
        {"merge", "Put the source's face into a video, a picture or a folder of pictures", declare_merge, true},
#endif
        {"eval", "Measure how good a model is, on held-out faces", declare_eval, true},
        {"preview", "Draw a preview sheet: what a model makes of faces from two facesets", declare_preview},
        {"plan", "Show the parameters, memory and arithmetic of a training run; runs nothing", declare_plan},
        {"bench", "Benchmark every kernel and the training step against the best libraries found here", declare_bench},
        {"inspect", "Show the contents of a model folder, checkpoint, faceset or safetensors file", declare_inspect},
        {"models", "List the optional files (detectors, networks) that the program can use, or fetch one",
         declare_models},
        {"doctor", "Check this machine: devices, libraries, memory and what is missing", declare_doctor},
        {"manual", "Print the manual page, or completions for a shell", declare_manual},
    };
    return table;
}

int run(int argc, const char* const* argv)
{
    Program program;
    Console console;
    const auto fail = [&](const std::string& text, int code) {
        if (const CLI::App* const chosen = program.chosen()) console.set_command(chosen->get_name());
        console.error(text, code);
        return code;
    };
    try {
        if (const CLI::App* const chosen = parse(program, argc, argv)) {
            console.set_command(chosen->get_name());
            console.set_json(program.json);
            on_swept([&console](const std::string& path) {
                console.say(str("removed ", path, ", left unfinished by a process that has ended"));
            });
            listen_for_interrupts(chosen->get_name(), console);
            program.work.at(chosen)(console);
        }
        flush_results();
        return 0;
    } catch (const Interrupted& e) {
        return fail(e.what(), 130);
    } catch (const Error& e) {
        return fail(e.what(), exit_code(e.kind(), console));
    } catch (const std::bad_alloc&) {
        return fail("out of memory. Lower the batch size or the resolution.", 1);
    } catch (const std::filesystem::filesystem_error& e) { // a loop of links, a name too long, a folder closed to us
        return fail(str(e.path1().string(), ": cannot be used: ", e.code().message()), 3);
    } catch (const std::system_error& e) {
        if (e.code() != std::errc::resource_unavailable_try_again) return fail(str("unexpected: ", e.what()), 1);
        return fail("a thread cannot be started: " + e.code().message() +
                        ". Raise the limits of processes and memory (`ulimit -u`, `ulimit -v`), or use fewer threads.",
                    console.working() ? 1 : 4);
    } catch (const std::exception& e) {
        return fail(str("unexpected: ", e.what()), 1);
    }
}

} // namespace bifrons::tools
