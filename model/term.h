// model/term.h - a part of the objective: a weighted loss with the name it is reported under.
#pragma once

#include "engine/tape.h"

namespace bifrons::model {

struct Term {
    std::string name;
    Var value; ///< [1]
};

} // namespace bifrons::model
