"""Write docs/commands.md, and the list in gdbinit, from the command table."""
import os
import sys

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(TOP, "plugin"))

import binding  # noqa: E402

HEAD = """# Commands

Generated from the command table by `tools/gen_commands.py`; do not edit. In GDB and LLDB each name
begins with `py-` (`py-bt`); on the command line it stands after the target (`pyscry core bt`). All
three print the same text, and with `--json` the same JSON, which [schema.json](schema.json)
describes.

Exit status of the command line, and what the library returns: 0 all was shown, 1 a part (the
reasons are on the error stream), 2 nothing could be shown, or bad usage.
"""

# around the lines that are written in gdbinit
BEGIN = "  # from the command table: tools/gen_commands.py\n"
END = "  # end of what is from the table\n"


def options_of(name):
    """(the command's own options, everybody's) from its --help."""
    _, text, _ = binding.Session().run(name, "--help")
    head, common = text.split("\nOptions of every command:\n")
    own = head.split("\nOptions:\n")[1] if "\nOptions:\n" in head else ""
    return own, common


def page():
    parts = [HEAD]
    common = ""
    for row in binding.commands():
        name = row.name.decode()
        own, common = options_of(name)
        parts.append(
            "\n## %s\n\n    %s\n\n%s\n\n%s\n"
            % (
                name,
                (name + " " + row.usage.decode()).rstrip(),
                row.summary.decode(),
                row.help.decode(),
            )
        )
        if own:
            parts.append("\n```\n%s```\n" % own)
    parts.append("\n## Options of every command\n\n```\n%s```\n" % common)
    return "".join(parts)


def aliases():
    """The part of gdbinit for a GDB without Python. Commands that move keep their place in GDB: the
    gdbinit has those by hand, over what is here."""
    lines = []
    for row in binding.commands():
        name = row.name.decode()
        ours = ("_pyscry-" if row.flags & binding.MOVES else "py-") + name
        lines.append("  _pyscry-define %s %s\n" % (ours, name))
    return "".join(lines)


def replace(path, text):
    """Write a file where it differs. Did it?"""
    with open(path, encoding="utf-8") as source:
        if source.read() == text:
            return False
    with open(path, "w", encoding="utf-8") as out:
        out.write(text)
    return True


def gdbinit():
    with open(os.path.join(TOP, "gdbinit"), encoding="utf-8") as source:
        head, rest = source.read().split(BEGIN)
    return head + BEGIN + aliases() + END + rest.split(END)[1]


def made():
    """{file: its text}."""
    return {"docs/commands.md": page(), "gdbinit": gdbinit()}


def main():
    for path, text in made().items():
        replace(os.path.join(TOP, path), text)


if __name__ == "__main__":
    main()
