// tools/passive_wait.h - worker threads that wait asleep instead of spinning.
#pragma once

namespace bifrons::tools {

/// Restarts this program, in the same process, with OMP_WAIT_POLICY=PASSIVE, unless the variable is set already.
/// libgomp reads it before main(), and with its default a busy neighbour on one core slows a training step 10 to 30
/// times instead of 2 (measured). Returns if the restart is not possible.
void wait_passively(char** argv);

} // namespace bifrons::tools
