// tools/main.cpp - the program `bifrons`.
#include "tools/passive_wait.h"
#include "tools/run.h"

int main(int argc, char** argv)
{
    bifrons::tools::wait_passively(argv);
    return bifrons::tools::run(argc, argv);
}
