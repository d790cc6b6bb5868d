"""--json: what the schema says, for every command, also where something is missing."""
import json
import os
import subprocess

import pytest

from tests.support.story import BUILD, STORY, TOP, interpreters

jsonschema = pytest.importorskip("jsonschema")

COMMANDS = [
    ["bt"],
    ["bt", "--all"],
    ["bt", "--all", "--limit", "1"],
    ["threads"],
    ["info"],
    ["info", "--layout"],
    ["frame", "2"],
    ["list"],
    ["bt-full"],
    ["--locals"],
    ["locals"],
    ["print", "sys"],
    ["regs"],
    ["regs", "--all-frames"],
    ["bt", "--locals", "--max-depth=0"],
    ["bt", "--native"],
    ["waits"],
    ["modules", "--all"],
    ["stacks", "--locals"],
    ["stacks", "--signature"],
    ["stacks", "--native", "--group-by", "process"],
]


@pytest.fixture(scope="module")
def check():
    with open(os.path.join(TOP, "docs", "schema.json")) as source:
        schema = json.load(source)
    validator = jsonschema.Draft7Validator(schema)
    jsonschema.Draft7Validator.check_schema(schema)

    def validate(text):
        document = json.loads(text)
        validator.validate(document)
        return document

    return validate


def test_schema(cli, core, check):
    for command in COMMANDS:
        shown = cli("--json", core, *command)
        document = check(shown.out)
        assert shown.status == 0, (command, shown.err)
        assert document["target"]["kind"] == "elf-core" and document["target"]["signal"] == 6
        assert [r["name"] for r in document["runtimes"]] == ["CPython"]


def test_frames(cli, core, check):
    document = check(cli("--json", core).out)
    crashed = [thread for thread in document["threads"] if thread["crashed"]]
    assert len(crashed) == 1 and crashed[0]["selected"] and crashed[0]["gil"] == "held"
    assert [frame["function"] for frame in crashed[0]["frames"]] == [
        "stop",
        "weigh",
        "key",
        "plan",
        "<module>",
    ]
    top = crashed[0]["frames"][0]
    assert top["kind"] == "python" and top["source"].strip() == "os.abort()"
    assert os.path.basename(top["file"]) == "story.py"
    assert STORY.splitlines()[top["line"] - 1] == top["source"]


def test_locals(cli, core, check):
    document = check(cli("--json", core, "bt-full").out)
    frame = document["threads"][0]["frames"][3]
    assert [(v["name"], v["kind"]) for v in frame["locals"]] == [
        ("jobs", "arg"),
        ("more", "arg"),
        ("options", "arg"),
        ("key", "local"),
        ("total", "cell"),
    ]
    assert [v["type"] for v in frame["locals"]][:4] == ["list", "tuple", "dict", "function"]
    inner = document["threads"][0]["frames"][2]["locals"]
    assert [(v["name"], v["kind"]) for v in inner] == [("job", "arg"), ("total", "free")]
    assert inner[1]["address"] == frame["locals"][4]["address"]


def test_live(cli, check, process, tmp_path):
    child = process(interpreters()[0], STORY, tmp_path, "wait")
    document = check(cli("--json", child.pid).out)
    assert document["target"] == dict(document["target"], kind="live", pid=child.pid, signal=None)
    assert {thread["tid"] for thread in document["threads"]} == {
        int(t) for t in os.listdir("/proc/%d/task" % child.pid)
    }


def described():
    """The keys of all answers, by the tables that they are made from: path to kind."""
    program = os.path.join(BUILD, "tests", "support", "described")
    lines = subprocess.check_output([program], universal_newlines=True).split("\n")
    assert [line for line in lines if line.startswith("!")] == []  # phrases name keys that exist
    return dict(line.split() for line in lines if line and not line.startswith("-"))


def paths_of(schema, part, path="", within=()):
    """The same of the schema: path to the schema of the key. What is within itself (an exception's
    cause) has no keys but its own."""

    def follow(part, within):
        while "$ref" in part:
            name = part["$ref"].split("/")[-1]
            if name in within:
                return {}, within
            part, within = schema["definitions"][name], within + (name,)
        return part, within

    part, within = follow(part, within)
    found = {}
    for other in part.get("oneOf", []) + part.get("anyOf", []):
        found.update(paths_of(schema, other, path, within))
    for key, value in part.get("properties", {}).items():
        at = (path + "." if path else "") + key
        inner, below = follow(value, within)
        if "items" in inner or inner.get("type") == "array":
            at += "[]"
            inner, below = follow(inner.get("items", {}), below)
        if isinstance(inner.get("additionalProperties"), dict):
            at += "{}"
            inner = inner["additionalProperties"]
        found[at] = value
        found.update(paths_of(schema, inner, at, below))
    return found


def test_schema_has_what_is_described():
    """A key that is described and not in the schema fails, and the other way round."""
    with open(os.path.join(TOP, "docs", "schema.json")) as source:
        schema = json.load(source)
    keys, known = described(), paths_of(schema, schema)
    assert len(keys) > 200 and sorted(set(keys) - set(known)) == []
    tops = {path.split(".")[0] for path in keys}
    of_described = {path for path in known if path.split(".")[0] in tops}
    assert sorted(of_described - set(keys)) == []


def test_failure_is_json_too(cli, check, any_core):
    for words in (["/nonexistent/core"], [any_core, "bt", "nobody"]):
        shown = cli("--json", *words)
        assert shown.status == 2
        document = check(shown.out)
        assert document["errors"] and document["errors"][-1] in shown.err


def test_command_page_is_current():
    import subprocess
    import sys

    page = subprocess.check_output(
        [
            sys.executable,
            "-c",
            "import sys; sys.path.insert(0, 'tools'); import gen_commands;"
            "sys.stdout.buffer.write(gen_commands.page().encode())",
        ],
        cwd=TOP,
    )
    with open(os.path.join(TOP, "docs", "commands.md"), "rb") as current:
        assert current.read() == page, "run tools/gen_commands.py"
