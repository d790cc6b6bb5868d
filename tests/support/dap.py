"""A client of the Debug Adapter Protocol, as far as the tests need one: what VS Code does with a
core."""
import contextlib
import json
import select
import subprocess
import time


class Failed(Exception):
    """A request that the adapter refused."""


class Client:
    def __init__(self, words, environment, seconds=60):
        self.process = subprocess.Popen(
            [str(word) for word in words],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=environment,
            bufsize=0,
        )
        self.end = time.monotonic() + seconds
        self.number, self.waiting, self.data = 0, [], b''

    def close(self):
        self.process.kill()
        self.process.wait()
        self.process.stdin.close()
        self.process.stdout.close()

    def send(self, command, **arguments):
        self.number += 1
        request = {'seq': self.number, 'type': 'request', 'command': command}
        text = json.dumps(dict(request, arguments=arguments)).encode()
        self.process.stdin.write(b'Content-Length: %d\r\n\r\n%s' % (len(text), text))
        return self.number

    def _read(self, enough):
        while True:
            found = enough()
            if found is not None:
                return found
            left = self.end - time.monotonic()
            if left <= 0 or not select.select([self.process.stdout], [], [], left)[0]:
                raise TimeoutError('the adapter says nothing more: %r' % self.data[-500:])
            more = self.process.stdout.read(65536)
            if not more:
                raise EOFError('the adapter has ended: %r' % self.data[-500:])
            self.data += more

    def message(self):
        def whole():
            head, separator, rest = self.data.partition(b'\r\n\r\n')
            length = int(head.rpartition(b':')[2]) if separator else 0
            if not separator or len(rest) < length:
                return None
            self.data = rest[length:]
            return json.loads(rest[:length].decode())

        return self._read(whole)

    def wait(self, fits):
        """The first message that fits, be it an older one."""
        for each in self.waiting:
            if fits(each):
                self.waiting.remove(each)
                return each
        while True:
            each = self.message()
            if fits(each):
                return each
            self.waiting.append(each)

    def answer(self, number):
        said = self.wait(lambda m: m['type'] == 'response' and m['request_seq'] == number)
        if not said['success']:
            raise Failed(said.get('message') or said)
        return said.get('body', {})

    def ask(self, command, **arguments):
        return self.answer(self.send(command, **arguments))

    def event(self, name):
        return self.wait(lambda m: m['type'] == 'event' and m['event'] == name)


@contextlib.contextmanager
def attached(words, environment, **arguments):
    """A client whose adapter has opened what `arguments` of an attach request say."""
    client = Client(words, environment)
    try:
        client.ask('initialize', adapterID='pyscry', linesStartAt1=True, columnsStartAt1=True)
        attach = client.send('attach', **arguments)
        client.event('initialized')
        client.ask('configurationDone')
        client.answer(attach)
        yield client
    finally:
        client.close()
