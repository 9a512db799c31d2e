// tests/fuzz/attempt.h - bad input is an error of kind data, and nothing else.
#pragma once

#include "kernels/base/error.h"

namespace bifrons {

template <class Work>
void attempt(const Work& work)
{
    try {
        work();
    } catch (const Error& error) {
        if (error.kind() != ErrorKind::data) throw;
    }
}

} // namespace bifrons
