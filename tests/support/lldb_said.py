"""Run inside LLDB: `script lldb_said.say(i)` runs command i of $LLDB_COMMANDS (JSON); done() writes
what all said."""
import json
import os

import lldb

COMMANDS = json.loads(os.environ["LLDB_COMMANDS"])
said = []


def say(index):
    answer = lldb.SBCommandReturnObject()
    lldb.debugger.GetCommandInterpreter().HandleCommand(COMMANDS[index], answer)
    said.append(
        {
            "command": COMMANDS[index],
            "out": answer.GetOutput() or "",
            "err": answer.GetError() or "",
            "ok": answer.Succeeded(),
        }
    )


def done():
    with open(os.environ["LLDB_ANSWERS"], "w", encoding="utf-8") as out:
        json.dump(said, out)
