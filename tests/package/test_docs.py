"""The pages: their links, their transcripts, and that what they tell to type can be typed."""
import glob
import os
import re
import shlex
import sys

import pytest

from tests.support.story import PYSCRY, TOP, make_core, run

sys.path.insert(0, os.path.join(TOP, 'tools'))

import transcripts  # noqa: E402

PAGES = sorted(
    glob.glob(TOP + '/*.md') + glob.glob(TOP + '/docs/*.md') + glob.glob(TOP + '/tests/*.md')
)


def read(path):
    with open(path, encoding='utf-8') as source:
        return source.read()


def without_code(text):
    return re.sub(r'^```.*?^```|`[^`\n]*`|^    .*$', '', text, flags=re.S | re.M)


def anchors(path):
    """As GitHub and mkdocs make them of headings."""
    for title in re.findall(r'^#+ (.*)$', read(path), re.M):
        words = re.sub(r'[^\w\- ]', '', title.lower())
        yield re.sub(r' +', '-', words.strip())


@pytest.mark.parametrize('page', PAGES, ids=lambda path: os.path.relpath(path, TOP))
def test_links_lead_somewhere(page):
    for target in re.findall(r'\]\(([^)\s]+)\)', without_code(read(page))):
        if re.match(r'https?:', target):
            continue
        path, _, anchor = target.partition('#')
        path = os.path.join(os.path.dirname(page), path) if path else page
        assert os.path.exists(path), '%s: no %s' % (page, target)
        if anchor:
            assert anchor in anchors(path), '%s: no heading for %s' % (page, target)


def test_the_list_of_pages_names_pages():
    """One that it does not name is found by the search and by links."""
    listed = set(re.findall(r'\b(\w[\w-]*\.md)$', read(TOP + '/mkdocs.yml'), re.M))
    assert len(listed) > 10
    assert listed <= set(os.listdir(TOP + '/docs'))


def test_transcripts_are_what_is_said_now():
    if not transcripts.fits():
        pytest.skip("they are of Debian 12's Python")
    page, said = read(transcripts.PAGE), ''
    for _ in range(3):  # a busy machine may catch a thread elsewhere
        said = transcripts.made()
        if said == page:
            return
    assert said == page, 'run tools/transcripts.py'


def recipes():
    """(page, words behind "pyscry") of each line of code that can be run on one core."""
    for name in ('index.md', 'cookbook.md'):
        for line in re.findall(r'^    pyscry (.*)$', read(TOP + '/docs/' + name), re.M):
            line = re.sub(r'\s+# .*', '', line)
            words = shlex.split(line)
            if words[0] in ('core', 'PID', '4711') and not set('|>…') & set(line):
                yield name, words[1:]


def test_recipes_run(tmp_path):
    core = make_core('/usr/bin/python3', tmp_path, read(TOP + '/docs/examples/shop.py'))
    done = 0
    for name, words in recipes():
        if words[:1] == ['print']:
            continue  # a variable of the reader's
        said = run([PYSCRY, core] + words)
        assert said.status in (0, 1) and (said.out or 'greenlets' in words), (name, words, said.err)
        done += 1
    assert done > 12
