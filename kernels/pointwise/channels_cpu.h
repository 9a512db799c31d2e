// kernels/pointwise/channels_cpu.h - joining and splitting channels on the cpu device.
#pragma once

#include "kernels/pointwise/channels.h"

namespace bifrons::kernels::cpu {

void concat_channels(const ChannelsShape& s, ConstView a, ConstView b, View y);
void split_channels(const ChannelsShape& s, ConstView y, const Store& da, const Store& db);

} // namespace bifrons::kernels::cpu
