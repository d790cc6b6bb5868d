"""Loops over a generator that calls a function, for ever; the chains of frames that there can be are the truth."""
import json
import os


def nothing():
    pass


def giving():
    while True:
        yield nothing()


def taking():
    for _ in giving():
        pass


def main():
    taking()


ENDS = ["taking", "main", "<module>"]
CHAINS = [ENDS, ["giving"] + ENDS, ["nothing", "giving"] + ENDS]
with open(os.environ["PYSCRY_TRUTH"], "w") as out:
    json.dump({"chains": CHAINS}, out)
main()
