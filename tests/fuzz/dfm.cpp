// A .dfm file: its graph, whose weights are as large as the seeds have them.
#include "model/import/dfm.h"
#include "tests/fuzz/attempt.h"
#include "tests/fuzz/memory_file.h"

using namespace bifrons;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size)
{
    const std::string* const path = memory_file(bytes, size);
    if (path) attempt([&] { model::read_dfm(*path); });
    return 0;
}
