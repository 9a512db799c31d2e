# `cmake --build BUILD -t format` rewrites, the test `format` checks. The version is pinned: other versions differ. It is
# in Debian 12 (clang-format-14) and in the Python package clang-format==14.0.6.
function(is_pinned_version result program)
    execute_process(COMMAND ${program} --version OUTPUT_VARIABLE version ERROR_QUIET)
    if(NOT version MATCHES "version 14\\.0\\.6")
        set(${result} FALSE PARENT_SCOPE)
    endif()
endfunction()
find_program(CLANG_FORMAT NAMES clang-format-14 clang-format VALIDATOR is_pinned_version)

set(list_files "find bench data engine kernels model tests tools -name *.h -o -name *.cpp -o -name *.cu -o -name *.cuh")
if(CLANG_FORMAT)
    add_custom_target(format COMMAND sh -fc "${list_files} | xargs ${CLANG_FORMAT} -i"
                      WORKING_DIRECTORY ${PROJECT_SOURCE_DIR} VERBATIM)
    set(check sh -fc "${list_files} | xargs ${CLANG_FORMAT} --dry-run -Werror")
else()
    set(reason "clang-format 14.0.6 was not found: install Debian 12's clang-format-14 or the Python package clang-format==14.0.6.")
    set(check ${CMAKE_COMMAND} -E echo "Skipped: ${reason}")
    message(STATUS "The test format will be skipped: ${reason}")
endif()
if(BIFRONS_TESTS)
    add_test(NAME format COMMAND ${check} WORKING_DIRECTORY ${PROJECT_SOURCE_DIR})
    set_tests_properties(format PROPERTIES SKIP_REGULAR_EXPRESSION "^Skipped: ")
endif()
