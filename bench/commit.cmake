cmake_minimum_required(VERSION 3.25)
# Writes HEADER, which names the commit of SOURCE; leaves it alone where it says so already.
execute_process(COMMAND git describe --always --dirty WORKING_DIRECTORY ${SOURCE}
                OUTPUT_VARIABLE commit OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
file(CONFIGURE OUTPUT ${HEADER} CONTENT "#define BIFRONS_COMMIT \"@commit@\"\n" @ONLY)
