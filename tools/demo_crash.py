"""A small service that dies of a bad pointer in C, deep inside a sort: what ./dev demo looks at.
With the argument `wait` it lives on instead."""
import asyncio
import ctypes
import sys
import threading
import time


class Job:
    def __init__(self, name, cost):
        self.name = name
        self.cost = cost

    def weight(self):
        if self.cost > 2:
            return ctypes.string_at(0x10)  # the crash
        return self.cost


class Scheduler:
    def __init__(self, settings):
        self.settings = settings
        self.jobs = [Job("mail", 1), Job("backup", 2), Job("größte", 3)]

    def order(self):
        try:
            return self.settings["order"]
        except KeyError:
            return self.plan()  # the exception is in hand while it dies

    def plan(self):
        return sorted(self.jobs, key=lambda job: job.weight())  # C code calls back into Python


async def fetch(url):
    await asyncio.sleep(60)


async def deliver(queue):
    while True:
        await queue.get()


async def serve(wait):
    queue = asyncio.Queue()
    tasks = [
        asyncio.create_task(fetch("https://example.org/news"), name="news"),
        asyncio.create_task(deliver(queue), name="mail"),
    ]
    await asyncio.sleep(0.2)
    if not wait:
        Scheduler({"colour": "red"}).order()
    print("ready", flush=True)
    await asyncio.gather(*tasks)


def spin(counter):
    while True:
        counter += 1
        time.sleep(0.01)


if __name__ == "__main__":
    threading.Thread(target=spin, args=(0,), name="spinner", daemon=True).start()
    asyncio.run(serve("wait" in sys.argv))
