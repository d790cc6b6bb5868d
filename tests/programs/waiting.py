"""For live processes: nested calls that end in a sleep, and a thread beside."""
import threading
import time

import truth

ready = threading.Event()


def beside():
    truth.here()
    ready.set()
    time.sleep(600)


class Service(object):
    def __init__(self, name):
        self.name = name

    def handle(self, request):
        return [self.answer(request, part) for part in ('first',)]

    def answer(self, request, part):
        seconds = 600
        local_text = u'caf\xe9 \u65e5\u672c'
        return truth.write() or time.sleep(seconds)


def main():
    thread = threading.Thread(target=beside, name='beside')
    thread.daemon = True
    thread.start()
    ready.wait()
    time.sleep(0.1)
    Service('demo').handle({'id': 7})


main()
