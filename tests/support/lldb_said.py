"""Run inside LLDB: `script lldb_said.say(i)` runs command i of $LLDB_COMMANDS (JSON); done() writes
what all said."""
import json
import os

import lldb

COMMANDS = json.loads(os.environ["LLDB_COMMANDS"])
said = []
# the debugger itself: lldb.debugger is None for moments in which LLDB's event thread uses Python
the = None


def __lldb_init_module(debugger, _names):
    global the
    the = lldb.SBDebugger.FindDebuggerWithID(debugger.GetID())


def say(index):
    answer = lldb.SBCommandReturnObject()
    the.GetCommandInterpreter().HandleCommand(COMMANDS[index], answer)
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
