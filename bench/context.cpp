// bench/context.cpp - what a result is worth nothing without: the processor and the commit, beside Google Benchmark's
// date, load and caches in the report's context.
#include "kernels/device/device.h"

#include <benchmark/benchmark.h>

namespace {

const bool kContextAdded = [] {
    benchmark::AddCustomContext("device", bifrons::kernels::open_device("cpu")->describe());
    benchmark::AddCustomContext("commit", BIFRONS_COMMIT);
    return true;
}();

} // namespace
