#include "tools/left_out.h"

#include "kernels/base/error.h"

namespace bifrons::tools {

void warn_of_each(const std::string& what, const std::vector<std::string>& names, Console& console)
{
    constexpr std::size_t kMost = 10;
    for (std::size_t i = 0; i < names.size() && i < kMost; ++i) console.warn(what + ": " + names[i]);
    if (names.size() > kMost) console.warn(str(what, ": ", names.size() - kMost, " more"));
}

} // namespace bifrons::tools
