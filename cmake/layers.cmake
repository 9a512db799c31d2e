# One folder = one static library = one namespace. A folder's own CMakeLists.txt lists its files.

# Headers that nearly every file includes are read once a target. They only save time: each file names what it uses, which
# the preset minimal checks. ccache, which a developer's builds go through, would keep no file that was compiled with them.
set(BIFRONS_STD_HEADERS <algorithm> <cmath> <cstdint> <cstring> <filesystem> <functional> <map> <memory> <optional>
                        <sstream> <string> <vector>)
if(CMAKE_CXX_COMPILER_LAUNCHER MATCHES "ccache")
    set(CMAKE_DISABLE_PRECOMPILE_HEADERS ON)
endif()

# bifrons_layer(NAME USES LAYER...): the static library bifrons_NAME from the folder NAME/.
function(bifrons_layer name)
    cmake_parse_arguments(ARG "" "" "USES" ${ARGN})
    add_library(bifrons_${name} STATIC)
    target_include_directories(bifrons_${name} PUBLIC ${PROJECT_SOURCE_DIR})
    target_precompile_headers(bifrons_${name} PRIVATE ${BIFRONS_STD_HEADERS})
    foreach(layer IN LISTS ARG_USES)
        target_link_libraries(bifrons_${name} PUBLIC bifrons_${layer})
    endforeach()
    add_subdirectory(${name})
endfunction()

# How the simulator's side of kernels is compiled. It is slow enough: they are optimised in every build type. With
# BIFRONS_SIM_CHECK the compiler calls kernels/sim/callouts.cpp, which takes the place of ThreadSanitizer's library, before
# each access; loops stay scalar, so that an access is one of the source's.
set(BIFRONS_SIMT_OPTIONS -O2 -Wno-unknown-pragmas -fmacro-prefix-map=${PROJECT_SOURCE_DIR}/=)
if(BIFRONS_SIM_CHECK)
    list(APPEND BIFRONS_SIMT_OPTIONS -fsanitize=thread -fno-tree-vectorize -g1
         -fdebug-prefix-map=${PROJECT_SOURCE_DIR}/= -fdebug-prefix-map=${PROJECT_BINARY_DIR}=/)
    if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
        list(APPEND BIFRONS_SIMT_OPTIONS --param=tsan-instrument-func-entry-exit=0)
    else()
        list(APPEND BIFRONS_SIMT_OPTIONS "SHELL:-mllvm -tsan-instrument-func-entry-exit=0")
    endif()
endif()

# bifrons_simt_sources(TARGET FILE.cu...): kernels, compiled by nvcc into namespace cuda and by the host compiler,
# against the simulator, into namespace sim.
function(bifrons_simt_sources target)
    foreach(file IN LISTS ARGN)
        if(BIFRONS_HAS_CUDA)
            target_sources(${target} PRIVATE ${CMAKE_CURRENT_SOURCE_DIR}/${file})
        endif()
        if(BIFRONS_SIM)
            file(RELATIVE_PATH path ${PROJECT_SOURCE_DIR} ${CMAKE_CURRENT_SOURCE_DIR}/${file})
            string(REGEX REPLACE "\\.cu$" "_sim.cpp" twin ${PROJECT_BINARY_DIR}/sim/${path})
            file(CONFIGURE OUTPUT ${twin} CONTENT "#include \"${path}\"\n" @ONLY)
            target_sources(${target} PRIVATE ${twin})
            set_source_files_properties(${twin} TARGET_DIRECTORY ${target}
                                        PROPERTIES COMPILE_OPTIONS "${BIFRONS_SIMT_OPTIONS}" SKIP_PRECOMPILE_HEADERS ON)
        endif()
    endforeach()
endfunction()
