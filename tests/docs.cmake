cmake_minimum_required(VERSION 3.25)
# What README.md and docs/ name exists: files of the project, links, commands of the program, options and
# settings; and docs/trainer.md lists every preset as its file describes it.
#
#   `kernels/base/view.h`                          a path that begins with a folder of the project
#   [text](trainer.md)                             a link, from the page's own folder
#   bifrons train --src faces --set resolution=64  a row of tools/commands.cpp, options that are declared, a setting
#   `--src`                                        an option that some command declares
set(folders "kernels|engine|model|data|tools|tests|bench|docs|cmake")
file(READ tools/commands.cpp commands)
file(READ model/settings_table.cpp settings)
file(GLOB tool_sources tools/*.cpp)
foreach(source IN LISTS tool_sources)
    file(READ ${source} text)
    string(APPEND declarations "${text}")
endforeach()

file(READ docs/trainer.md trainer)
file(GLOB presets RELATIVE ${CMAKE_SOURCE_DIR}/model/presets model/presets/*.toml)
foreach(preset IN LISTS presets)
    file(READ model/presets/${preset} toml)
    string(REGEX MATCH "preset.steps = ([0-9]+)\npreset.basis = \"([^\"]+)\"" found "${toml}")
    string(REPLACE ".toml" "" preset ${preset})
    if(NOT trainer MATCHES "\n. `${preset}` . [^\n]* . ${CMAKE_MATCH_1} ?. ${CMAKE_MATCH_2} ?.\n")
        message(SEND_ERROR "docs/trainer.md: its table of presets lacks ${preset}, or its steps and their source")
    endif()
endforeach()

# matches(OUT REGEX): what the page holds of it, without the regular expression's brackets and quotes.
function(matches out regex)
    string(REGEX MATCHALL "${regex}" found "${text}")
    list(TRANSFORM found REPLACE "[`()]|LINK" "")
    list(REMOVE_DUPLICATES found)
    set(${out} "${found}" PARENT_SCOPE)
endfunction()

foreach(page IN ITEMS README.md docs/trainer.md docs/kernel-engineer.md docs/benchmarks.md docs/profiler.md docs/student.md)
    file(READ ${page} text)
    string(REPLACE "](" " LINK(" text "${text}")
    string(REGEX REPLACE "[][;]" " " text "${text}") # they mean something to CMake's lists
    string(REPLACE "\\\n" " " text "${text}")        # a command continues on the next line

    matches(paths "`(${folders})/[A-Za-z0-9_./-]*`")
    foreach(path IN LISTS paths)
        if(NOT EXISTS ${CMAKE_SOURCE_DIR}/${path})
            message(SEND_ERROR "${page}: names ${path}, which does not exist")
        endif()
    endforeach()

    cmake_path(GET page PARENT_PATH folder)
    matches(links "LINK\\([A-Za-z0-9_./-]+\\)")
    foreach(link IN LISTS links)
        if(NOT EXISTS ${CMAKE_SOURCE_DIR}/${folder}/${link})
            message(SEND_ERROR "${page}: links to ${link}, which does not exist")
        endif()
    endforeach()

    matches(calls "bifrons +[a-z]+[^\n`]*")
    set(options "")
    foreach(call IN LISTS calls)
        string(REGEX REPLACE "^bifrons +([a-z]+).*$" "\\1" command "${call}")
        if(NOT commands MATCHES "{\"${command}\",")
            message(SEND_ERROR "${page}: \"${call}\": there is no command ${command}")
        endif()
        string(REGEX MATCHALL " --[a-z][a-z-]*" named "${call}")
        list(APPEND options ${named})
        string(REGEX MATCHALL "--set [a-z0-9_]+=" assignments "${call}")
        foreach(assignment IN LISTS assignments)
            string(REGEX REPLACE "--set |=" "" key "${assignment}")
            if(NOT settings MATCHES "\"${key}\", &S::")
                message(SEND_ERROR "${page}: \"${call}\": there is no setting ${key}")
            endif()
        endforeach()
    endforeach()

    matches(quoted "`--[a-z][a-z-]*")
    foreach(option IN LISTS options quoted)
        string(STRIP "${option}" option)
        if(NOT option STREQUAL "--help" AND NOT declarations MATCHES "[\",]${option}\"")
            message(SEND_ERROR "${page}: there is no option ${option}")
        endif()
    endforeach()

    if(NOT paths AND NOT calls)
        message(SEND_ERROR "${page}: names neither files nor commands; tests/docs.cmake does not read it correctly")
    endif()
endforeach()
