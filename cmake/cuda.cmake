# Whether CUDA is compiled, and for which GPUs: BIFRONS_HAS_CUDA and CMAKE_CUDA_ARCHITECTURES.
#
# BIFRONS_CUDA=AUTO compiles it where a GPU, its driver and an nvcc that works are found. Whatever keeps a GPU that is there
# from being used is told in one sentence, which ends the log and stays in cuda_warning.txt for tools/build.sh; the program
# is then built for the processor. With ON that sentence is an error.
set(BIFRONS_HAS_CUDA 0)
set(BIFRONS_CUDA_WARNING "")

# bifrons_without_cuda(SENTENCE): an error where CUDA was asked for, else the warning.
macro(bifrons_without_cuda sentence)
    if(BIFRONS_CUDA STREQUAL "ON")
        message(FATAL_ERROR "BIFRONS_CUDA=ON: ${sentence}")
    endif()
    set(BIFRONS_HAS_CUDA 0)
    set(BIFRONS_CUDA_WARNING "Built for the processor alone: ${sentence}\n")
endmacro()

# The driver leaves one of these; the last is Windows' GPU inside WSL.
function(bifrons_find_driver out)
    set(${out} OFF PARENT_SCOPE)
    foreach(sign IN ITEMS /proc/driver/nvidia/version /dev/nvidiactl /dev/dxg)
        if(EXISTS ${sign})
            set(${out} ON PARENT_SCOPE)
        endif()
    endforeach()
endfunction()

# An NVIDIA device (0x10de) that is a display or 3D controller (class 0x03....).
function(bifrons_find_gpu out)
    set(${out} OFF PARENT_SCOPE)
    file(GLOB devices /sys/bus/pci/devices/*)
    foreach(device IN LISTS devices)
        file(READ ${device}/vendor vendor LIMIT 6)
        file(READ ${device}/class class LIMIT 4)
        if(vendor STREQUAL "0x10de" AND class STREQUAL "0x03")
            set(${out} ON PARENT_SCOPE)
        endif()
    endforeach()
endfunction()

# The compiler, asked with what the kernels need of it: C++20, bf16, the static runtime.
macro(bifrons_try_nvcc)
    set(ENV{CUDACXX} ${NVCC})
    foreach(answer IN ITEMS CMAKE_CUDA_COMPILER NVCC_WORKS)
        if(NOT ${answer})
            unset(${answer} CACHE) # it may have been mended since it was last asked
        endif()
    endforeach()
    check_language(CUDA)
    if(CMAKE_CUDA_COMPILER)
        set(CMAKE_CUDA_RUNTIME_LIBRARY Static)
        enable_language(CUDA)
        set(CMAKE_REQUIRED_FLAGS -std=c++20)
        check_source_compiles(CUDA "#include <concepts>
                                    #include <cuda_bf16.h>
                                    template <std::integral T> __global__ void zero(T* p) { *p = 0; }
                                    int main() { zero<<<1, 1>>>((int*)nullptr); return cudaDeviceSynchronize(); }" NVCC_WORKS)
        unset(CMAKE_REQUIRED_FLAGS)
    endif()
endmacro()

# This machine's GPUs, as CMake saw them when it enabled CUDA; 90 has instructions that only 90a names.
macro(bifrons_choose_gpus)
    set(CMAKE_CUDA_ARCHITECTURES "${BIFRONS_CUDA_ARCHS}")
    if(BIFRONS_CUDA_ARCHS STREQUAL "native")
        set(CMAKE_CUDA_ARCHITECTURES "${CMAKE_CUDA_ARCHITECTURES_NATIVE}")
        list(TRANSFORM CMAKE_CUDA_ARCHITECTURES REPLACE "^90-" "90a-")
    endif()
endmacro()

macro(bifrons_use_cuda)
    set(BIFRONS_HAS_CUDA 1)
    set(CMAKE_CUDA20_STANDARD_COMPILE_OPTION -std=c++20) # CMake 3.25.1 does not know that nvcc has it
    set(CMAKE_CUDA_STANDARD 20)
    set(CMAKE_CUDA_STANDARD_REQUIRED ON)
    set(CMAKE_CUDA_EXTENSIONS OFF)
    add_compile_options($<$<COMPILE_LANGUAGE:CUDA>:-Xcompiler=-Wall,-Wextra>)
    if(BIFRONS_EMULATOR)
        string(REGEX REPLACE "[0-9a-z]+-real;?" "" with_ptx "${BIFRONS_CUDA_ARCHS}")
        if(NOT with_ptx)
            message(FATAL_ERROR "BIFRONS_EMULATOR=ON runs PTX, but BIFRONS_CUDA_ARCHS=${BIFRONS_CUDA_ARCHS} has GPU code only. Name one without -real.")
        endif()
        add_compile_options($<$<COMPILE_LANGUAGE:CUDA>:--no-compress>) # the emulator reads the PTX in the program
    endif()
    if(BIFRONS_PTXAS_REPORTS)
        add_compile_options($<$<COMPILE_LANGUAGE:CUDA>:-Xptxas=-v>)
        list(PREPEND CMAKE_CUDA_COMPILER_LAUNCHER ${PROJECT_SOURCE_DIR}/cmake/keep_ptxas_report.sh)
    endif()
    find_package(CUDAToolkit REQUIRED)
endmacro()

include(CheckLanguage)
include(CheckSourceCompiles)
find_program(NVCC NAMES $ENV{CUDACXX} nvcc PATHS /usr/local/cuda/bin)
bifrons_find_driver(driver_found)
bifrons_find_gpu(gpu_found)
if(BIFRONS_CUDA STREQUAL "ON" OR (BIFRONS_CUDA STREQUAL "AUTO" AND driver_found))
    if(NOT NVCC)
        bifrons_without_cuda("nvcc was not found; install the CUDA toolkit (12 or later), or name nvcc in CUDACXX.")
    else()
        bifrons_try_nvcc()
        bifrons_choose_gpus()
        if(NOT CMAKE_CUDA_COMPILER OR NOT NVCC_WORKS)
            bifrons_without_cuda("${NVCC} fails to compile a CUDA program in C++20 (its messages are in ${CMAKE_BINARY_DIR}/CMakeFiles); install the whole toolkit of CUDA 12 or later, one that supports this C++ compiler.")
        elseif(NOT CMAKE_CUDA_ARCHITECTURES)
            bifrons_without_cuda("the NVIDIA driver shows no GPU to CUDA ${CMAKE_CUDA_COMPILER_VERSION}; update the driver, or name the GPUs to compile for, as in -DBIFRONS_CUDA=ON -DBIFRONS_CUDA_ARCHS=90a.")
        else()
            bifrons_use_cuda()
        endif()
    endif()
elseif(BIFRONS_CUDA STREQUAL "AUTO" AND gpu_found)
    bifrons_without_cuda("this machine has an NVIDIA GPU, but no NVIDIA driver is loaded; install it and build again.")
endif()
file(WRITE ${CMAKE_BINARY_DIR}/cuda_warning.txt "${BIFRONS_CUDA_WARNING}")
if(BIFRONS_HAS_CUDA)
    string(APPEND BIFRONS_SUMMARY " CUDA yes (${CMAKE_CUDA_ARCHITECTURES});")
else()
    string(APPEND BIFRONS_SUMMARY " CUDA no (${BIFRONS_CUDA});")
endif()
