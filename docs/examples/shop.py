"""A shop that goes wrong: two threads wait for each other, tasks wait for orders, and a bill with a
negative total ends the process. docs/transcripts.md looks at its core."""
import asyncio
import os
import threading
import time


class Order:
    def __init__(self, number, items):
        self.number = number
        self.items = items

    def total(self):
        return sum(self.items.values())


class Desk:
    def __init__(self):
        self.books = threading.Lock()
        self.stock = threading.Lock()

    def sell(self, both):
        with self.books:
            both.wait()
            with self.stock:
                pass

    def count(self, both):
        with self.stock:
            both.wait()
            with self.books:
                pass


def bill(order):
    total = order.total()
    if total < 0:
        raise ValueError("order %d: %d" % (order.number, total))
    return total


async def serve(orders):
    while True:
        order = await orders.get()
        try:
            bill(order)
        except ValueError:
            os.abort()


async def work():
    orders = asyncio.Queue()
    waiters = [asyncio.create_task(serve(asyncio.Queue()), name="waiter-%d" % n) for n in (1, 2)]
    cashier = asyncio.create_task(serve(orders), name="cashier")
    await orders.put(Order(1, {"tea": 3, "cake": 4}))
    await orders.put(Order(2, {"tea": 3, "refund": -20}))
    await asyncio.gather(cashier, *waiters)


def asleep(thread):
    with open("/proc/self/task/%d/stat" % thread.native_id) as stat:
        return stat.read().rpartition(")")[2].split()[0] == "S"


def main():
    desk, both = Desk(), threading.Barrier(2)
    threads = [
        threading.Thread(target=desk.sell, args=(both,), name="seller", daemon=True),
        threading.Thread(target=desk.count, args=(both,), name="keeper", daemon=True),
    ]
    for thread in threads:
        thread.start()
    quiet = 0
    while quiet < 20:
        time.sleep(0.02)
        quiet = quiet + 1 if desk.books.locked() and all(map(asleep, threads)) else 0
    asyncio.run(work())


if __name__ == "__main__":
    main()
