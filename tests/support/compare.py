"""Compares what pyscry says (its JSON) with the truth that a program wrote. Every difference is one
line of text."""

WHERE = ('end_line', 'column', 'end_column')


def unfold(frames):
    for frame in frames:
        for _ in range(frame.get('repeat', 1)):
            yield frame


def show(frame):
    if frame is None:
        return 'nothing'
    place = '%s:%s' % (frame.get('file'), frame.get('line'))
    if frame.get('column'):
        place += ':%s-%s:%s' % (frame['column'], frame.get('end_line'), frame.get('end_column'))
    return '%s (%s)' % (frame.get('qualname') or frame.get('function'), place)


def frame_differences(wanted, got):
    """The keys in which two frames differ. What the truth does not know is not compared."""
    keys = [key for key in ('function', 'file') if wanted[key] != got.get(key)]
    if (wanted['line'] or None) != (got.get('line') or None):
        keys.append('line')
    if wanted['qualname'] is not None and wanted['qualname'] != got.get('qualname'):
        keys.append('qualname')
    if wanted.get('columns'):
        keys += [key for key in WHERE if wanted[key] is not None and wanted[key] != got.get(key)]
    return keys


def stack_differences(wanted, got, limit=10):
    wanted, got = list(unfold(wanted)), list(got)
    found = []
    for depth in range(max(len(wanted), len(got))):
        left = wanted[depth] if depth < len(wanted) else None
        right = got[depth] if depth < len(got) else None
        keys = (
            frame_differences(left, right)
            if left and right
            else ['missing' if left else 'too many']
        )
        if keys:
            found.append(
                'frame %d: %s: expected %s, got %s'
                % (depth, ', '.join(keys), show(left), show(right))
            )
        if len(found) == limit:
            found.append('...')
            break
    return found


def python_frames(thread):
    return [frame for frame in thread['frames'] if frame['kind'] != 'native']


def stacks(truth):
    """All stacks of the truth, those of sub-interpreters too, as threads."""
    for thread in truth['threads']:
        yield thread
    for part in truth['parts']:
        yield {
            'tid': part['tid'],
            'name': None,
            'self': False,
            'moving': False,
            'frames': part['frames'],
        }


def closest(thread, candidates):
    """(differences, candidate) of the candidate that differs least."""
    best = None
    for candidate in candidates:
        differences = stack_differences(thread['frames'], python_frames(candidate))
        if best is None or len(differences) < len(best[0]):
            best = differences, candidate
        if not differences:
            break
    return best


def name_differences(thread, got):
    if thread['name'] is None or thread['name'] == got['name']:
        return []
    return ['name: expected %r, got %r' % (thread['name'], got['name'])]


def crash_differences(truth, thread, got, gil):
    if truth['end'] == 'sleep' or not thread['self']:
        return []
    found = []
    if not got['crashed']:
        found.append('not marked as the one that crashed')
    if gil and truth['end'] == 'abort' and not truth['free_threaded'] and got['gil'] != 'held':
        found.append('gil: expected held, got %s' % got['gil'])
    return found


def differences(truth, answer, gil=True):
    """Everything in which `answer` (pyscry's JSON) is not the truth, in ASCII; empty: exact."""
    return [ascii(line)[1:-1] for line in all_differences(truth, answer, gil)]


def all_differences(truth, answer, gil):
    found = []
    left = [thread for thread in answer['threads'] if thread['frames'] and python_frames(thread)]
    for thread in stacks(truth):
        what = 'thread %s (%s)' % (thread['tid'], thread['name'])
        candidates = [t for t in left if thread['tid'] is None or t['tid'] == thread['tid']]
        if not candidates:
            if thread['frames']:
                found.append('%s: missing' % what)
            continue
        lines, got = closest(thread, candidates)
        left.remove(got)
        lines = lines + name_differences(thread, got) + crash_differences(truth, thread, got, gil)
        found += ['%s: %s' % (what, line) for line in lines]
    for thread in left:
        found.append(
            'thread %s (%s): not in the truth, %d frames from %s'
            % (thread['tid'], thread['name'], len(thread['frames']), show(thread['frames'][0]))
        )
    for thread in answer['threads']:
        if thread.get('error'):
            found.append('thread %s: error: %s' % (thread['tid'], thread['error']))
    if truth['end'] == 'abort' and truth['pid'] != (answer['target'].get('pid') or truth['pid']):
        found.append('pid: expected %s, got %s' % (truth['pid'], answer['target']['pid']))
    version = '.'.join(map(str, truth['version']))
    if version not in [
        runtime['version'].rstrip('+').split('rc')[0].split('a')[0].split('b')[0]
        for runtime in answer['runtimes']
    ]:
        found.append(
            'version: expected %s, got %s'
            % (version, [runtime['version'] for runtime in answer['runtimes']])
        )
    return found
