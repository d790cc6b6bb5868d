"""What the text looks like where stacks are deep or names are odd."""
import re

from tests.support.story import interpreters, make_core

DEEP = '''
import os, sys, threading
sys.setrecursionlimit(10 ** 6)
threading.stack_size(512 * 1024 * 1024)
def f(n):
    if n == 0:
        os.abort()
    return f(n - 1)
def even(n):
    return odd(n - 1) if n else f(50)
def odd(n):
    return even(n - 1)
t = threading.Thread(target=even, args=(4000,)); t.start(); t.join()
'''


def test_folding(cli, tmp_path):
    core = make_core(interpreters()[0], tmp_path, DEEP)
    text = cli(core, "bt").out
    assert len(text.splitlines()) < 120
    assert re.search(r"^… 40 more frames of f at \S*story.py:8$", text, re.M), text
    found = re.search(
        r"^… ([\d,]+) more frames of (even|odd) at \S+, (even|odd) at \S+$", text, re.M
    )
    hidden = int(found.group(1).replace(",", ""))
    shown = len(re.findall(r"^#\d+ +(?:even|odd) ", text, re.M))
    assert hidden + shown == 4001
    numbers = [int(n) for n in re.findall(r"^#(\d+)", text, re.M)]
    assert numbers == sorted(numbers) and numbers[-1] > 4051
    whole = cli(core, "bt", "--whole").out
    assert not re.search("^…", whole, re.M)
    assert len(re.findall(r"^#", whole, re.M)) == numbers[-1] + 1


def test_limit(cli, tmp_path):
    core = make_core(interpreters()[0], tmp_path, DEEP)
    text = cli(core, "bt", "--limit", "3").out
    assert len(re.findall(r"^#", text, re.M)) == 3
    assert re.search(r"^… 4,05\d older frames not shown \(--limit\)$", text, re.M)


ODD = '''# -*- coding: utf-8 -*-
import os
space = {}
exec(compile("""
def naïve_\\u65e5\\u672c(x):
    import os
    os.abort()
naïve_\\u65e5\\u672c(1)
""", "\\x1b[31m<evil>\\x07\\u202e\\udc80é\\n.py", "exec"), space)
'''


def test_nothing_of_the_target_drives_the_terminal(cli, tmp_path):
    core = make_core(interpreters()[0], tmp_path, ODD)
    text = cli(core, "bt").out
    assert "\x1b" not in text and "\x07" not in text and "\u202e" not in text
    assert "naïve_日本 (\\x1b[31m<evil>\\x07\\u202e\\udc80é\\x0a.py:4)" in text
    frame = __import__("json").loads(cli(core, "bt", "--json").out)["threads"][0]["frames"][0]
    assert frame["function"] == "naïve_日本"
    assert frame["file"] == "\x1b[31m<evil>\x07\u202e\udc80é\n.py"


CARETS = '''# -*- coding: latin-1 -*-
import os
def f(x):
	größe = [1]; return os.abort(), "日本"
f("é" + str(f))
'''


def test_carets_stand_below_what_they_mean(cli, tmp_path):
    source = CARETS.replace("latin-1", "utf-8")
    core = make_core(interpreters()[0], tmp_path, source)
    lines = cli(core, "bt").out.splitlines()
    at = next(i for i, line in enumerate(lines) if "os.abort()" in line)
    if "^" not in lines[at + 1]:
        return  # 3.10 and older know no columns
    assert lines[at + 1].index("^") == lines[at].index("os.abort()")
    assert lines[at + 1].count("^") == len("os.abort()")
