"""Write docs/commands.md from the command table."""
import os
import sys

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(TOP, "plugin"))

import binding  # noqa: E402

HEAD = """# Commands

Generated from the command table by `tools/gen_commands.py`; do not edit. In GDB and LLDB each name
begins with `py-` (`py-bt`); on the command line it stands behind the target (`pyscry core bt`). All
three print the same text, and with `--json` the same JSON, which [schema.json](schema.json)
describes.

Exit status of the command line, and what the library returns: 0 all was shown, 1 a part (the
reasons are on the error stream), 2 nothing could be shown, or bad usage.
"""


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


def main():
    with open(os.path.join(TOP, "docs", "commands.md"), "w", encoding="utf-8") as out:
        out.write(page())


if __name__ == "__main__":
    main()
