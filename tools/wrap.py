"""Wrap what clang-format and black leave alone: comments and docstrings of more than 100 columns.

wrap.py FILE...: C and Python files, in place. A long comment behind code stays, and ./dev lint
tells of it.
"""
import io
import re
import sys
import textwrap
import tokenize

WIDTH = 100


def columns(line):
    return len(line.expandtabs(8))


def wrapped(text, pad):
    """Lines of a paragraph, each with `pad` in front (a tab is eight columns)."""
    room = WIDTH - columns(pad)
    lines = textwrap.wrap(text, room, break_on_hyphens=False, break_long_words=False)
    return [pad + line for line in lines]


def wrap_c(text):
    out = []
    for line in text.split('\n'):
        one = re.match(r'(\t*)(/\*\*?) (.*) \*/$', line)
        more = re.match(r'(\t* \* )(?! )(.*)$', line)
        if columns(line) <= WIDTH or not (one or more):
            out.append(line)
        elif one:
            out.append(one.group(1) + one.group(2))
            out += wrapped(one.group(3), one.group(1) + ' * ')
            out.append(one.group(1) + ' */')
        else:
            out += wrapped(more.group(2), more.group(1))
    return '\n'.join(out)


def docstring(block, pad):
    """The lines of a docstring, its long paragraphs filled anew; what is indented more stays."""
    out, paragraph = [], []

    def flush():
        if any(len(line) > WIDTH for line in paragraph):
            out.extend(wrapped(' '.join(line.strip() for line in paragraph), pad))
        else:
            out.extend(paragraph)
        paragraph.clear()

    for line in block:
        if line.strip() in ('', '"""') or len(line) - len(line.lstrip()) != len(pad):
            flush()
            out.append(line)
        else:
            paragraph.append(line)
    flush()
    return out


def comment(lines, at, pad):
    """(first, last, new lines) of the comment lines around `at`."""
    first = last = at
    while first > 0 and lines[first - 1].startswith(pad + '# '):
        first -= 1
    while last + 1 < len(lines) and lines[last + 1].startswith(pad + '# '):
        last += 1
    text = ' '.join(line.strip()[2:] for line in lines[first : last + 1])
    return first, last, wrapped(text, pad + '# ')


def wrap_python(text):
    lines, edits, before = text.split('\n'), {}, None
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        first, last, pad = token.start[0] - 1, token.end[0] - 1, ' ' * token.start[1]
        alone = lines[first].startswith(pad + token.string[:3]) if first < len(lines) else False
        starts = before in (None, tokenize.NEWLINE, tokenize.INDENT, tokenize.NL, tokenize.COMMENT)
        if token.type == tokenize.STRING and token.string.startswith('"""') and alone and starts:
            edits[first] = (last, docstring(lines[first : last + 1], pad))
        elif token.type == tokenize.COMMENT and alone and len(lines[first]) > WIDTH:
            first, last, new = comment(lines, first, pad)
            edits[first] = (last, new)
        before = token.type
    for first, (last, new) in sorted(edits.items(), reverse=True):
        lines[first : last + 1] = new
    return '\n'.join(lines)


def main():
    for path in sys.argv[1:]:
        with open(path, encoding='utf-8') as source:
            text = source.read()
        new = (wrap_python if path.endswith('.py') else wrap_c)(text)
        if new != text:
            with open(path, 'w', encoding='utf-8') as out:
                out.write(new)


if __name__ == '__main__':
    main()
