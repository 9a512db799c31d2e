#include "kernels/sim/shuffle.h"

#include "kernels/sim/sim.h"

namespace bifrons::kernels::sim {

int lane()
{
    return Executor::current().lane();
}

std::string exchange(const WarpArguments& lanes)
{
    for (std::size_t lane = 0; lane < lanes.size(); ++lane) {
        if (!lanes[lane]) continue;
        auto& reader = *static_cast<ShuffleLane*>(lanes[lane]);
        const void* source =
            reader.source >= 0 && reader.source < kWarpSize ? lanes[std::size_t(reader.source)] : nullptr;
        if (!source) return str("lane ", lane, " reads from lane ", reader.source, ", which takes no part");
        reader.received = static_cast<const ShuffleLane*>(source)->value;
    }
    return "";
}

} // namespace bifrons::kernels::sim
