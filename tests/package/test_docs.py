"""The pages: their links, their transcripts, and that what they tell to type can be typed."""
import glob
import html.parser
import os
import re
import shlex
import shutil
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


class Page(html.parser.HTMLParser):
    """What a page loads, where its links lead, and what in it can be led to."""

    def __init__(self, path):
        super().__init__()
        self.loads, self.links, self.ids = [], [], set()
        self.feed(read(path))

    def handle_starttag(self, tag, attributes):
        given = dict(attributes)
        self.ids.add(given.get('id'))
        for name in 'src', 'href', 'action':
            if name in given:
                (self.links if tag == 'a' else self.loads).append(given[name])


def test_the_site_is_built_and_opens_offline(tmp_path):
    if not shutil.which('mkdocs'):
        pytest.skip('no mkdocs')
    site = str(tmp_path / 'site')
    said = run(['mkdocs', 'build', '--strict', '--quiet', '-f', TOP + '/mkdocs.yml', '-d', site])
    assert said.status == 0, said.out + said.err
    names = [n for n in os.listdir(site) if n.endswith('.html') and n != '404.html']
    assert len(names) > 15
    pages = {os.path.join(site, name): Page(os.path.join(site, name)) for name in names}
    for path, page in pages.items():
        assert page.loads
        for target in page.loads + [link for link in page.links if '://' not in link]:
            # neither of another host, nor from the root of this one
            where, _, anchor = target.partition('#')
            assert not re.match(r'[a-z]+:|/', where), '%s: %s' % (path, target)
            other = os.path.normpath(os.path.join(site, where)) if where else path
            assert os.path.exists(other), '%s: no %s' % (path, target)
            assert not anchor or other not in pages or anchor in pages[other].ids, (path, target)


def test_links_of_installed_pages(tree):
    """They are not where they are in the source."""
    where = tree.path('share/doc/pyscry')
    pages = [os.path.join(where, name) for name in os.listdir(where) if name.endswith('.md')]
    assert os.path.join(where, 'index.md') in pages
    for page in pages:
        for target in re.findall(r'\]\(([^)\s#]+)', without_code(read(page))):
            if '://' not in target:
                assert os.path.exists(os.path.join(where, target)), '%s: no %s' % (page, target)


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
    """The words behind "pyscry" of each line of the first page that can be run on a core; the
    cookbook has tests of its own."""
    for line in re.findall(r'^    pyscry (.*)$', read(TOP + '/docs/index.md'), re.M):
        yield shlex.split(re.sub(r'\s+# .*', '', line))


def test_recipes_run(tmp_path):
    core = make_core('/usr/bin/python3', tmp_path, read(TOP + '/docs/examples/shop.py'))
    done = 0
    for words in recipes():
        assert words[0] in ('core', '4711')
        said = run([PYSCRY, core] + words[1:])
        if words[1:2] == ['print']:  # a variable of the reader's
            assert said.status == 2 and 'no variable' in said.err
        else:
            assert said.status == 0 and said.out, (words, said.err)
        done += 1
    assert done == 5
