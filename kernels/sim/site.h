// kernels/sim/site.h - a place in a kernel's source, for reports.
#pragma once

namespace bifrons::kernels::sim {

struct Site {
    const char* operation;
    const char* file;
    int line;
};

} // namespace bifrons::kernels::sim
