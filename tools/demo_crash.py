"""A small service that dies of a bad pointer, deep inside a sort: what ./dev demo looks at."""
import ctypes
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
    def __init__(self):
        self.jobs = [Job("mail", 1), Job("backup", 2), Job("größte", 3)]

    def plan(self):
        return sorted(self.jobs, key=lambda job: job.weight())  # C code calls back into Python

    def run(self, rounds):
        for round in range(rounds):
            self.plan()


def wait_for_mail(box):
    while True:
        time.sleep(60)


def spin(counter):
    while True:
        counter += 1


if __name__ == "__main__":
    threading.Thread(target=wait_for_mail, args=("inbox",), name="mail", daemon=True).start()
    threading.Thread(target=spin, args=(0,), name="spinner", daemon=True).start()
    time.sleep(0.2)
    Scheduler().run(rounds=3)
