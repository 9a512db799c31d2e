# One folder = one static library = one namespace. A folder's own CMakeLists.txt lists its files.

# bifrons_layer(NAME USES LAYER...): the static library bifrons_NAME from the folder NAME/.
function(bifrons_layer name)
    cmake_parse_arguments(ARG "" "" "USES" ${ARGN})
    add_library(bifrons_${name} STATIC)
    target_include_directories(bifrons_${name} PUBLIC ${PROJECT_SOURCE_DIR})
    foreach(layer IN LISTS ARG_USES)
        target_link_libraries(bifrons_${name} PUBLIC bifrons_${layer})
    endforeach()
    add_subdirectory(${name})
endfunction()

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
            # The simulator is slow enough: optimise it in every build type.
            set_source_files_properties(${twin} TARGET_DIRECTORY ${target}
                                        PROPERTIES COMPILE_OPTIONS
                                        "-O2;-Wno-unknown-pragmas;-fmacro-prefix-map=${PROJECT_SOURCE_DIR}/=")
        endif()
    endforeach()
endfunction()
