# `cmake --build BUILD -t format` rewrites, the test `format` checks. The version is pinned: other versions differ.
find_program(CLANG_FORMAT NAMES clang-format-14)
set(format_list "git ls-files '*.h' '*.cpp' '*.cu' '*.cuh'")
if(CLANG_FORMAT)
    add_custom_target(format COMMAND sh -c "${format_list} | xargs -r ${CLANG_FORMAT} -i"
                      WORKING_DIRECTORY ${PROJECT_SOURCE_DIR} VERBATIM)
    if(BIFRONS_TESTS)
        add_test(NAME format COMMAND sh -c "${format_list} | xargs -r ${CLANG_FORMAT} --dry-run -Werror"
                 WORKING_DIRECTORY ${PROJECT_SOURCE_DIR})
    endif()
endif()
