// kernels/sim/vote.h - what the lanes of a mask find out together: votes and sums of whole numbers.
#pragma once

namespace bifrons::kernels::sim {

/// Where they stand in the kernel.
#define BIFRONS_SIM_SITE const char *file = __builtin_FILE(), int line = __builtin_LINE()

/// The lanes whose predicate is not zero.
unsigned __ballot_sync(unsigned mask, int predicate, BIFRONS_SIM_SITE);
int __any_sync(unsigned mask, int predicate, BIFRONS_SIM_SITE);
int __all_sync(unsigned mask, int predicate, BIFRONS_SIM_SITE);

unsigned __reduce_add_sync(unsigned mask, unsigned value, BIFRONS_SIM_SITE);
unsigned __reduce_min_sync(unsigned mask, unsigned value, BIFRONS_SIM_SITE);
unsigned __reduce_max_sync(unsigned mask, unsigned value, BIFRONS_SIM_SITE);
int __reduce_add_sync(unsigned mask, int value, BIFRONS_SIM_SITE);
int __reduce_min_sync(unsigned mask, int value, BIFRONS_SIM_SITE);
int __reduce_max_sync(unsigned mask, int value, BIFRONS_SIM_SITE);
unsigned __reduce_and_sync(unsigned mask, unsigned value, BIFRONS_SIM_SITE);
unsigned __reduce_or_sync(unsigned mask, unsigned value, BIFRONS_SIM_SITE);
unsigned __reduce_xor_sync(unsigned mask, unsigned value, BIFRONS_SIM_SITE);

#undef BIFRONS_SIM_SITE

} // namespace bifrons::kernels::sim
