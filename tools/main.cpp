// tools/main.cpp - the program `bifrons`.
#include "tools/commands.h"
#include "tools/passive_wait.h"

int main(int argc, char** argv)
{
    bifrons::tools::wait_passively(argv);
    return bifrons::tools::run(argc, argv);
}
