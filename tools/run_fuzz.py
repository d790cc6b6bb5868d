"""Build the fuzzers with ASan and UBSan in ./build-fuzz and run them: run_fuzz.py [SECONDS], 60 by
default in all."""
import glob
import os
import subprocess
import sys

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
BUILD = os.path.join(TOP, "build-fuzz")
SEEDS = os.path.join(BUILD, "seeds")
# fuzzer: what its seeds' names end in, and files that are there anyway
FUZZERS = {
    "fuzz_dump": ((".dmp", ".core"), []),
    "fuzz_elf": ((".core",), ["/bin/true", os.path.abspath(__file__)]),
}


def build():
    if not os.path.exists(os.path.join(BUILD, "build.ninja")):
        subprocess.check_call(
            ["meson", "setup", BUILD, TOP, "-Db_sanitize=address,undefined", "-Db_lundef=false"],
            env=dict(os.environ, CC="clang"),
        )
    targets = ["tests/fuzz/" + name for name in list(FUZZERS) + ["elf_seeds", "fuzz_values"]] + [
        "src/cli/pyscry"
    ]
    subprocess.check_call(["ninja", "-C", BUILD] + targets)


def make_seeds():
    os.makedirs(SEEDS, exist_ok=True)
    subprocess.check_call([os.path.join(BUILD, "tests", "fuzz", "elf_seeds"), SEEDS])
    subprocess.check_call(
        [sys.executable, "-B", os.path.join(TOP, "tests", "support", "minidump_seeds.py"), SEEDS]
    )


def main():
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 60
    build()
    make_seeds()
    env = dict(os.environ, UBSAN_OPTIONS="halt_on_error=1:print_stacktrace=1")
    failed = []
    share = seconds / (len(FUZZERS) + 2)
    for name, (ends, others) in FUZZERS.items():
        seeds = sorted(p for p in glob.glob(os.path.join(SEEDS, "*")) if p.endswith(ends)) + others
        print("%s: %d seeds" % (name, len(seeds)), flush=True)
        command = [os.path.join(BUILD, "tests", "fuzz", name), "--seconds", str(share)] + seeds
        if subprocess.call(command, cwd=BUILD, env=env):
            failed.append(name)
    # cores of real interpreters, damaged around the frames; run from the top, for its modules
    command = [
        sys.executable,
        "-m",
        "tests.fuzz.cores",
        "--seconds",
        str(share),
        "--pyscry",
        os.path.join(BUILD, "src", "cli", "pyscry"),
    ]
    if subprocess.call(command, cwd=TOP, env=env):
        failed.append("cores")
    # every command, damaged where that command reads
    command = [
        sys.executable,
        "-m",
        "tests.fuzz.values",
        "--seconds",
        str(share),
        "--fuzzer",
        os.path.join(BUILD, "tests", "fuzz", "fuzz_values"),
    ]
    if subprocess.call(command, cwd=TOP, env=env):
        failed.append("values")
    if failed:
        sys.exit(
            "failed: %s; the input is in build-fuzz/fuzz-failure.bin or ./fuzz-failure.core"
            % " ".join(failed)
        )


if __name__ == "__main__":
    main()
