#include "engine/ops/ops.h"

namespace bifrons {

Var reshape(Tape& tape, const Var& x, const Shape& shape)
{
    return tape.view("reshape", x, x.value().reshape(shape), 0);
}

std::vector<Var> split(Tape& tape, const Var& x, int parts)
{
    const std::int64_t rows = x.shape().rank() > 0 ? x.shape()[0] : 0;
    BIFRONS_CHECK(shape, parts >= 1 && rows >= parts && rows % parts == 0, "split: ", x.shape(), " into ", parts,
                  " parts; expected a first dimension that ", parts, " divides");
    std::vector<Var> result;
    const std::int64_t step = rows / parts, elements = x.value().size() / parts;
    for (int i = 0; i < parts; ++i)
        result.push_back(tape.view("split", x, x.value().slice(i * step, (i + 1) * step), i * elements));
    return result;
}

} // namespace bifrons
