"""20 threads take 12 locks at random, within one another: they deadlock or they end. The truth is whether they
stopped, as a watch of their progress has it."""
import json
import os
import random
import sys
import threading
import time

seed, ordered = int(sys.argv[1]), sys.argv[2] == 'ordered'
LOCKS = [threading.RLock() if i % 3 == 0 else threading.Lock() for i in range(12)]
steps, done = [0], []


def take(rng, chosen):
    if not chosen:
        steps[0] += 1
        return
    with LOCKS[chosen[0]]:
        time.sleep(rng.random() / 500)
        take(rng, chosen[1:])


def work(index):
    rng = random.Random(seed * 1000 + index)
    for _ in range(30):
        chosen = rng.sample(range(12), rng.randint(1, 3))
        take(rng, sorted(chosen) if ordered else chosen)
    done.append(index)
    time.sleep(3600)


for i in range(20):
    thread = threading.Thread(target=work, args=(i,), name='worker-%d' % i)
    thread.daemon = True
    thread.start()
still, before = 0, None
while len(done) < 20 and still < 15:
    still = still + 1 if steps[0] == before else 0
    before = steps[0]
    time.sleep(0.1)
with open(os.environ['PYSCRY_TRUTH'] + '.new', 'w') as out:
    json.dump({'pid': os.getpid(), 'deadlock': len(done) < 20, 'done': ['worker-%d' % i for i in done]}, out)
os.rename(os.environ['PYSCRY_TRUTH'] + '.new', os.environ['PYSCRY_TRUTH'])
if os.environ.get('PYSCRY_END') == 'sleep':
    time.sleep(600)
os.abort()
