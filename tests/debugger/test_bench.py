"""The check of instruction counts: it sees a row that takes more, and says what it cannot compare.

What it measures here is compared with what it measured just before; the counts that are committed
are for `./dev bench --check`.
"""
import json
import os
import shutil
import subprocess
import sys

import pytest

from tests.support import run

ROW = '100 threads: threads'


def bench(counts, option='--check', rows=ROW):
    done = subprocess.run(
        [sys.executable, os.path.join(run.TOP, 'bench', 'run.py'), option]
        + ['--rows', rows, '--counts', str(counts)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    return done.returncode, done.stdout


@pytest.fixture(autouse=True)
def tools():
    for tool in ('valgrind', 'zstd', 'readelf'):
        if not shutil.which(tool):
            pytest.skip('%s is not installed' % tool)


def test_no_row_takes_more_than_is_committed():
    """The gate. After a change that is worth it: ./dev bench --record."""
    status, text = bench(os.path.join(run.TOP, 'bench', 'counts.json'), rows='')
    if text.startswith('skipped'):
        pytest.skip(text.strip())
    assert status == 0, text


def test_check(tmp_path):
    counts = tmp_path / 'counts.json'
    status, text = bench(counts, '--record')
    assert status == 0, text
    if 'left no core file' in text:
        pytest.skip('this machine leaves no core file: see /proc/sys/kernel/core_pattern')
    ((key, rows),) = json.loads(counts.read_text()).items()
    ((name, number),) = rows.items()
    assert name.startswith(ROW) and number > 1000000

    status, text = bench(counts)
    assert status == 0 and 'TOO MUCH' not in text, text

    counts.write_text(json.dumps({key: {name: int(number * 0.96)}}))
    status, text = bench(counts)
    assert status == 1 and name in text and 'TOO MUCH' in text, text

    counts.write_text(json.dumps({key: {}}))
    status, text = bench(counts)
    assert status == 0 and 'skipped: nothing is committed for it' in text, text

    counts.write_text(json.dumps({'of another machine': rows}))
    status, text = bench(counts)
    assert status == 0 and text.startswith('skipped: no counts are committed for '), text
