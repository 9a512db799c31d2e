#!/usr/bin/env python3
"""tools/kernel_loops.py - the instructions of kernels' loops, where their time goes, counted by kind, as ptxas has
compiled them.

    tools/kernel_loops.py OBJECT [REGEX] [--arch sm_90a]

OBJECT is a kernel file's object, such as build-all-gpus/CMakeFiles/bifrons_kernels.dir/kernels/losses/mse.cu.o; REGEX
picks kernels by name. Needs cuobjdump (of CUDA's toolkit, or `pip install nvidia-cuda-cuobjdump`). Loops come in the
order of the code, each without the loops inside it and with its most frequent instructions; those of fewer than 12 are
left out. A kernel without loops is counted whole.
"""
import argparse
import collections
import re
import subprocess
import sys

LINE = re.compile(r"/\*([0-9a-f]+)\*/\s+(?:@!?U?P\w+ )?([A-Z][\w.]*)([^;]*);")


def instructions_of(text):
    """[(address, mnemonic, operands)] of one kernel's listing, without the padding behind it."""
    found = [(int(address, 16), name, rest) for address, name, rest in LINE.findall(text)]
    return [i for i in found if i[1] != "NOP"]


def loops_of(instructions):
    """The instructions of each loop, without those of the loops inside it."""
    jumps = [(int(rest.split()[-1], 16), address) for address, name, rest in instructions
             if name.startswith("BRA") and re.search(r"0x[0-9a-f]+\s*$", rest)]
    ends = {}
    for to, at in jumps:
        if to < at:
            ends[to] = max(at, ends.get(to, at))
    ranges = sorted(ends.items())

    def inside(address, outer):
        return any(first <= address <= last for first, last in ranges
                   if (first, last) != outer and outer[0] <= first and last <= outer[1])
    loops = [[i for i in instructions if r[0] <= i[0] <= r[1] and not inside(i[0], r)] for r in ranges]
    return [loop for loop in loops if len(loop) >= 12]


def kind_of(name):
    """LDG.E.128 is LDG.128: the width of an access tells, its cache hints do not."""
    parts = name.split(".")
    width = [p for p in parts[1:] if p in ("64", "128", "U16", "U8", "16", "8")]
    return ".".join(parts[:1] + width) if parts[0] in ("LDG", "STG", "LDS", "STS", "LDGSTS") else parts[0]


def shown(what, body):
    kinds = collections.Counter(kind_of(name) for _, name, _ in body).most_common(8)
    return f"    {what} of {len(body)}: " + ", ".join(f"{n} {kind}" for kind, n in kinds)


def report(text):
    instructions = instructions_of(text)
    return [shown("loop", loop) for loop in loops_of(instructions)] or [shown("no loop; all", instructions)]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("object")
    parser.add_argument("regex", nargs="?", default="")
    parser.add_argument("--arch", default="sm_90a")
    options = parser.parse_args()
    try:
        listing = subprocess.run(["cuobjdump", "-sass", "-arch", options.arch, options.object], check=True,
                                 capture_output=True, text=True).stdout
    except FileNotFoundError:
        sys.exit("kernel_loops: cuobjdump is not in the PATH. Install CUDA's toolkit or nvidia-cuda-cuobjdump.")
    except subprocess.CalledProcessError as error:
        sys.exit(f"kernel_loops: cuobjdump: {error.stderr.strip()}")
    kernels = re.split(r"\n\s*Function : ", subprocess.run(["c++filt", "-p"], input=listing, check=True,
                                                            capture_output=True, text=True).stdout)[1:]
    found = False
    for text in sorted(kernels):
        name = re.sub(r"bifrons::kernels::|cuda::|\(anonymous namespace\)::|^void ", "", text.splitlines()[0])
        if re.search(options.regex, name):
            print("\n".join([name] + report(text)))
            found = True
    if not found:
        sys.exit(f"kernel_loops: {options.object} has no kernel for {options.arch} that matches \"{options.regex}\"")


if __name__ == "__main__":
    main()
