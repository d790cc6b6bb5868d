"""Minidumps of real Windows CPythons beside what each program wrote about itself before the dump.

The dumps are NAME.dmp.zst with NAME.json, and NAME.regs.json where the program crashed, in
$PYSCRY_COREFILES or in ../shared/corefiles/windows beside the project. No DLL and no PDB is at
hand. Of a crashing program the JSON's main thread is older than the crash (CRASH is its stack), and
of every program the innermost frame of the recording thread.
"""
import glob
import json
import ntpath
import os
import struct
import subprocess

import pytest

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
CLI = os.environ.get("PYSCRY") or os.path.join(TOP, "build", "src", "cli", "pyscry")
PLACES = [os.environ.get("PYSCRY_COREFILES", ""), os.path.join(TOP, "..", "shared", "corefiles")]
CRASH = [("do_crash", 61), ("main_level_2", 53), ("main_level_1", 48), ("<module>", 104)]
# where the definitions of wprog.py begin
FIRST_LINES = {"do_crash": 56, "main_level_2": 50, "main_level_1": 47}
# types whose repr the program wrote and that pyscry writes in the same way
PLAIN = {
    "int",
    "str",
    "float",
    "bool",
    "NoneType",
    "tuple",
    "list",
    "dict",
    "bytes",
    "set",
    "frozenset",
    "complex",
}


def find_dumps():
    for place in PLACES:
        for directory in (place, os.path.join(place, "windows")):
            found = sorted(glob.glob(os.path.join(directory, "*.dmp.zst"))) if place else []
            if found:
                return {os.path.basename(path)[: -len(".dmp.zst")]: path for path in found}
    return {}


DUMPS = find_dumps()
NO_DUMPS = pytest.mark.skip(
    reason="no Windows dumps: set PYSCRY_COREFILES to the directory that holds them"
)


def names(choose):
    chosen = [name for name in DUMPS if choose(name)]
    return chosen or [pytest.param(None, marks=NO_DUMPS, id="none")]


def truth(name):
    """The program's own view: of a -heap dump that of the same program."""
    path = DUMPS[name][: -len(".dmp.zst")] + ".json"
    if not os.path.exists(path) and "-" in name:
        path = os.path.join(os.path.dirname(path), name.split("-")[0] + ".json")
    if not os.path.exists(path):
        return None
    with open(path) as f:
        return json.load(f)


_answers = {}


def show(name, *args):
    """pyscry's JSON, and its exit status; each question is asked once."""
    key = (name,) + args
    if key not in _answers:
        done = subprocess.run(
            [
                CLI,
                "--json",
                "--locals",
                "--max-items",
                "1000",
                "--max-text",
                "1000000",
                DUMPS[name],
                *args,
            ],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            timeout=120,
        )
        assert done.returncode in (0, 1, 2), done.stderr
        _answers[key] = json.loads(done.stdout), done.returncode, done.stderr.decode()
    return _answers[key]


def base(path):
    return ntpath.basename(path)


def python_frames(thread):
    return [f for f in thread["frames"] if f["kind"] == "python"]


def is_stale(t, thread, index):
    """The recorder's own innermost frame went on after it wrote the file."""
    return thread["ident"] == t["recorder_ident"] and index == 0


def compared_threads(name):
    t = truth(name)
    if t is None:
        pytest.skip("no JSON beside the dump")
    shown = {thread["tid"]: thread for thread in show(name)[0]["threads"]}
    for thread in t["threads"]:
        if t["mode"] == "crash" and thread["ident"] == t["main_ident"]:
            continue
        assert thread["ident"] in shown, "thread %d is not shown" % thread["ident"]
        yield t, thread, python_frames(shown[thread["ident"]])


def is_readable(name):
    return "-normal" not in name


@pytest.mark.parametrize("name", names(is_readable))
def test_frames(name):
    for t, thread, frames in compared_threads(name):
        got = [(f["function"], base(f["file"]), f["line"]) for f in frames]
        want = [(f["name"], base(f["file"]), f["line"]) for f in thread["frames"]]
        assert len(got) == len(want), (thread["name"], got, want)
        for i, (a, b) in enumerate(zip(got, want)):
            if is_stale(t, thread, i):
                a, b = a[:2], b[:2]
            assert a == b, "thread %s, frame %d" % (thread["name"], i)


@pytest.mark.parametrize("name", names(is_readable))
def test_qualified_names(name):
    for _, thread, frames in compared_threads(name):
        for f, want in zip(frames, thread["frames"]):
            if want["qualname"]:
                assert f["qualname"] == want["qualname"]


def compare_locals(got, want, where, nameless):
    got = {v["name"]: v for v in got}
    # nothing lost, nothing made up
    assert set(got) == set(want), where
    for name, (kind, text, address) in want.items():
        v = got[name]
        assert v["address"] == address, (where, name)
        if v["type"] is not None or kind not in nameless:
            assert str(v["type"]).split(".")[-1] == kind, (where, name)
        if text is not None and kind in PLAIN:
            assert v["repr"] == text, (where, name)


# Heap dumps lack the names of built-in types. Those that Python's own dictionaries do not name have
# none.
NAMELESS = {"range_iterator", "list_iterator", "dict_keyiterator"}


@pytest.mark.parametrize("name", names(is_readable))
def test_locals(name):
    count = 0
    for t, thread, frames in compared_threads(name):
        for i, (f, want) in enumerate(zip(frames, thread["frames"])):
            if want["locals"] is None or is_stale(t, thread, i):
                continue
            where = "thread %s, frame %d %s" % (thread["name"], i, want["name"])
            compare_locals(f["locals"], want["locals"], where, NAMELESS if "-heap" in name else ())
            count += len(want["locals"])
    assert count > 20


@pytest.mark.parametrize("name", names(lambda n: n.startswith("c")))
def test_crash(name):
    t, (shown, _, _) = truth(name), show(name)
    thread = next(x for x in shown["threads"] if x["crashed"])
    assert thread["tid"] == t["main_ident"] and shown["threads"][0] is thread
    assert [(f["function"], f["line"]) for f in python_frames(thread)] == CRASH
    assert thread["gil"] == "held"
    assert shown["target"]["kind"] == "minidump" and shown["target"]["pid"] == t["pid"]
    assert shown["target"]["fault_address"] == "0x0"


@pytest.mark.parametrize("name", names(is_readable))
def test_version(name):
    t, (shown, _, _) = truth(name), show(name)
    if t is None:
        pytest.skip("no JSON beside the dump")
    v = t["hexversion"]
    assert shown["runtimes"][0]["version"].startswith(
        "%d.%d.%d" % (v >> 24, v >> 16 & 255, v >> 8 & 255)
    )
    assert len(shown["runtimes"]) == 1


@pytest.mark.parametrize("name", names(lambda n: "-normal" in n))
def test_what_a_normal_dump_lacks_is_said(name):
    shown, status, err = show(name)
    assert status == 2 or status == 1
    assert "DumpType 2" in err and "MiniDumpWithFullMemory" in err
    assert any("MiniDumpWithFullMemory" in text for text in shown["errors"])
    assert len(shown["threads"]) >= 6


@pytest.mark.parametrize("name", names(lambda n: n.startswith("c")))
def test_registers(name):
    path = DUMPS[name][: -len(".dmp.zst")] + ".regs.json"
    if not os.path.exists(path):
        pytest.skip("no register truth beside the dump")
    with open(path) as f:
        want = json.load(f)
    shown, status, err = show(name, "regs")
    assert shown["tid"] == want.pop("tid")
    registers = {r["name"]: r for r in shown["native_frames"][0]["registers"]}
    for reg, (what, kind, value) in want.items():
        got = registers[reg]
        assert int(got["value"], 16) == int(value, 16), reg
        if what.startswith("PyObject") or what == "module self":
            assert (got["kind"], got["type"]) == ("object", kind), reg
        elif what.startswith("ptr-to"):
            types = [t for t in kind.split(",") if t not in ("NULL", "junk")]
            shown_types = [x["type"] for x in got["slots"] if "type" in x]
            assert got["kind"] == "objects" and shown_types[: len(types)] == types, reg
        elif what.startswith("interior of tuple"):
            assert (got["kind"], got["type"]) == ("interior", "tuple"), reg
        elif what == "type object":
            assert got["kind"] == "type", reg
        else:
            assert got["kind"] == "number", reg
    # whom a call spares, by the Windows convention
    saved = {reg: r["saved"] for reg, r in registers.items()}
    assert (
        saved["rsi"] == saved["rdi"] == saved["rbx"] == "preserved"
        and saved["rcx"] == saved["r8"] == "volatile"
    )


@pytest.mark.parametrize("name", names(lambda n: n == "c38"))
def test_sources_are_found(name, tmp_path):
    """Under a --source-map or a --sysroot, whichever way the separators and cases are; but not one
    that does not fit the code."""
    where = show(name)[0]["threads"][0]["frames"][0]["file"]
    directory = ntpath.dirname(where)
    lines = ["# line %d" % i for i in range(1, 200)]
    for function, line in CRASH[:-1]:
        lines[FIRST_LINES[function] - 1] = "def %s(x, liste=None):" % function
    lines[60] = "    crasher.segv(obj_s, obj_t, obj_l, liste)  # line 61"
    (tmp_path / "wprog.py").write_text("\n".join(lines) + "\n")
    (tmp_path / "foreign").mkdir()
    (tmp_path / "foreign" / "wprog.py").write_text("".join("line %d\n" % i for i in range(1, 200)))
    done = subprocess.run(
        [CLI, "--source-map", "%s=%s" % (directory, tmp_path / "foreign"), DUMPS[name], "bt"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        timeout=60,
        check=True,
    )
    assert b"line 61" not in done.stdout and b"does not fit the code" in done.stderr
    inside = tmp_path / "root" / directory[3:].replace("\\", "/")
    inside.mkdir(parents=True)
    (inside / "wprog.py").write_text((tmp_path / "wprog.py").read_text())
    for option in (
        ["--source-map", "%s=%s" % (directory, tmp_path)],
        ["--source-map", "%s=%s" % (directory.lower().replace("\\", "/"), tmp_path)],
        ["--sysroot", str(tmp_path / "root")],
    ):
        done = subprocess.run(
            [CLI, *option, DUMPS[name], "bt"], stdout=subprocess.PIPE, timeout=60, check=True
        )
        assert b"line 61\n" in done.stdout, option


@pytest.mark.parametrize("name", names(lambda name: name == "t38"))
def test_claims(name, tmp_path):
    """Free memory of 128 TiB that is said to be in use takes no time: none of it is in the dump."""
    dump = bytearray(subprocess.check_output(["zstd", "-dc", DUMPS[name]]))
    streams, at = struct.unpack_from("<II", dump, 8)
    rows = [struct.unpack_from("<III", dump, at + 12 * i) for i in range(streams)]
    at = next(at for kind, _, at in rows if kind == 16)  # MemoryInfoListStream
    head, size, count = struct.unpack_from("<IIQ", dump, at)
    infos = range(at + head, at + head + count * size, size)
    largest = max(infos, key=lambda info: struct.unpack_from("<Q", dump, info + 24))
    assert struct.unpack_from("<QI", dump, largest + 24) > (1 << 46, 0x10000)
    struct.pack_into("<II", dump, largest + 32, 0x1000, 4)  # MEM_COMMIT, PAGE_READWRITE
    path = tmp_path / "claims.dmp"
    path.write_bytes(dump)
    frame = truth(name)["threads"][0]["frames"][0]
    address = next(value[2] for value in frame["locals"].values() if value[0] == "dict")
    for command in (("verify", "--leaks"), ("refs", address)):
        done = subprocess.run(
            [CLI, str(path), *command], stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=20
        )
        assert done.returncode in (0, 1) and done.stdout, done.stderr


@pytest.mark.parametrize("name", names(lambda name: "normal" not in name))
def test_heap(name):
    """What a dump lacks speaks for nothing: of sound processes nothing is found, be their dumps
    whole or not; the objects that a frame has are held by it."""
    answer, status, _ = show(name, "verify", "--leaks")
    assert answer["verify"]["checked"] > 1000
    assert answer["verify"]["findings"] == [] and answer["verify"]["leaks"] == []
    whole = "-heap" in name
    assert ("lacks" in answer["verify"]) != whole
    # malloc() there is not glibc's: of its chunks nothing is known
    assert answer["verify"].get("chunks") is (False if whole else None)
    heap = show(name, "heap")[0]["heap"]
    assert sum(t["count"] for t in heap["types"]) == heap["objects"] > 1000
    assert sum(row["bytes"] for row in heap["memory"] if not row["part"]) == heap["mapped"]
    held = 0
    frames = [f for t in show(name)[0]["threads"] for f in python_frames(t)]
    frames = [f for f in frames if f["locals"] and f["function"] != "<module>"]
    for frame in frames[:3] if whole else []:
        for local in frame["locals"]:
            address = local["address"]
            if local["type"] not in ("list", "dict", "tuple") or not address:
                continue
            refs = show(name, "refs", address)[0]["refs"]["references"]
            assert ("frame", local["name"]) in [(r["from"]["kind"], r["slot"]) for r in refs]
            layer = show(name, "whatis", address)[0]["whatis"]["layers"][0]
            assert [layer["what"], layer["type"]] == ["object", local["type"]]
            held += 1
    assert held or not whole
