#include "kernels/base/error.h"
#include "tests/support/temp_folder.h"
#include "tests/tools/run_program.h"

#include <array>
#include <cstdio>
#include <fstream>

#include <CLI/CLI.hpp>

using namespace bifrons;
using namespace bifrons::test;
using namespace bifrons::tools;

namespace {

std::string printed(const std::string& form)
{
    const Result r = bifrons_run({"manual", "--form", form});
    EXPECT_EQ(r.code, 0) << r.err;
    return r.out;
}

std::string shell(const std::string& command)
{
    std::string out;
    FILE* const pipe = popen((command + " 2>&1").c_str(), "r");
    std::array<char, 256> line{};
    while (std::fgets(line.data(), int(line.size()), pipe)) out += line.data();
    EXPECT_EQ(pclose(pipe), 0) << command << "\n" << out;
    return out;
}

TEST(Manual, every_form_has_every_command_and_option)
{
    for (const char* form : {"man", "bash", "zsh", "fish"}) {
        const std::string text = printed(form);
        for (const Command& command : commands()) {
            CLI::App app;
            const Work work = command.declare(app);
            EXPECT_NE(text.find(command.name), std::string::npos) << form << " " << command.name;
            for (const CLI::Option* option : app.get_options())
                for (std::string name : option->get_lnames()) {
                    if (std::string(form) == "man")
                        for (std::size_t at = 0; (at = name.find('-', at)) != std::string::npos; at += 2)
                            name.insert(at, 1, '\\');
                    EXPECT_NE(text.find(name), std::string::npos) << form << " " << command.name << " " << name;
                }
        }
    }
}

/// What bash offers for a line whose last word is begun.
std::string completed(const std::string& script, const std::string& words, int last)
{
    return shell(str("bash -c 'source ", script, " && COMP_WORDS=(", words, ") COMP_CWORD=", last,
                     " && _bifrons; echo ${COMPREPLY[@]}'"));
}

TEST(Manual, bash_completes_commands_options_and_choices)
{
    const TempFolder folder;
    const std::string script = folder / "bifrons.bash";
    std::ofstream(script) << printed("bash");
    EXPECT_EQ(completed(script, "bifrons tr", 1), "train\n");
    EXPECT_EQ(completed(script, "bifrons inspect --js", 2), "--json\n");
    EXPECT_EQ(completed(script, "bifrons manual --form zs", 3), "zsh\n");
    EXPECT_EQ(completed(script, "bifrons train --src a", 3), "\n"); // a file
}

} // namespace
