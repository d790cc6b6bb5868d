# pyscry in GDB: `source` this file. It needs GDB 10 or newer. `help py-bt` tells more.
#
# The commands are Python code that calls the library. In a GDB without Python, or one whose Python did not start
# ($PYTHONHOME set to another one does that), they run the pyscry program on the same core or process instead.

set $_pyscry = 0
if !$_isvoid($_as_string)
python
def _pyscry_load():
    """Put plugin/ on the path: it is beside this file, which GDB has open while it reads it."""
    import os, sys
    for fd in os.listdir("/proc/self/fd"):
        try:
            path = os.readlink("/proc/self/fd/" + fd)
        except OSError:
            continue
        plugin = os.path.join(os.path.dirname(path), "plugin")
        if os.path.basename(path) == "gdbinit" and os.path.exists(os.path.join(plugin, "host_gdb.py")):
            sys.path.insert(0, plugin)
            break
    import host_gdb
    gdb.execute("set $_pyscry = 1")
try:
    _pyscry_load()
except Exception as error:
    gdb.write("pyscry: %s: %s\n" % (type(error).__name__, error), gdb.STDERR)
end
end

if !$_pyscry
  echo pyscry: this GDB has no usable Python: py-* commands run the pyscry program ($PYSCRY, or in PATH)\n
  set $_pyscry_frame = 0

  # What GDB looks at, in GDB's own words: `pyscry --from-debugger` reads them.
  define _pyscry-where
    info files
    info inferiors
    thread
    printf "frame %d\n", $_pyscry_frame
  end

  # $p: the program. In the source tree it is in build/, beside this file, whose name GDB was given.
  set $_pyscry_a = "p=${PYSCRY:-pyscry}; d=$(tr \"\\0\" \"\\n\" </proc/$PPID/cmdline | sed -n \"s,^source ,,;s,/gdbinit$,,p\" | head -n1)"
  set $_pyscry_b = "; [ -x \"$d/build/src/cli/pyscry\" ] && p=$d/build/src/cli/pyscry; \"$p\" --from-debugger"
  define _pyscry-define
    eval "alias $arg0 = pipe _pyscry-where | %s%s $arg1", $_pyscry_a, $_pyscry_b
  end

  # from the command table: tools/gen_commands.py
  _pyscry-define py-bt bt
  _pyscry-define py-bt-full bt-full
  _pyscry-define py-threads threads
  _pyscry-define _pyscry-up up
  _pyscry-define _pyscry-down down
  _pyscry-define _pyscry-frame frame
  _pyscry-define py-list list
  _pyscry-define py-locals locals
  _pyscry-define py-print print
  _pyscry-define py-heap heap
  _pyscry-define py-refs refs
  _pyscry-define py-verify verify
  _pyscry-define py-info info
  _pyscry-define py-dis dis
  _pyscry-define py-exc exc
  _pyscry-define py-obj obj
  _pyscry-define py-regs regs
  _pyscry-define py-tasks tasks
  _pyscry-define py-generators generators
  _pyscry-define py-greenlets greenlets
  _pyscry-define py-tasklets tasklets
  _pyscry-define py-channels channels
  _pyscry-define py-zombies zombies
  _pyscry-define py-crash crash
  _pyscry-define py-cvars cvars
  _pyscry-define py-whatis whatis
  _pyscry-define py-gc gc
  _pyscry-define py-waits waits
  _pyscry-define py-locks locks
  _pyscry-define py-stacks stacks
  _pyscry-define py-modules modules
  _pyscry-define py-doctor doctor
  # end of what is from the table

  # $arg0: what to run, $arg1: by how many frames, $arg2: how many that are to older ones
  define _pyscry-go
    eval "$arg0 %d", $arg1
    if $_shell_exitcode != 2
      set $_pyscry_frame = $_pyscry_frame + $arg2
    end
  end
  define py-frame
    _pyscry-go _pyscry-frame $arg0 ($arg0-$_pyscry_frame)
  end
  define py-up
    if $argc
      _pyscry-go _pyscry-up $arg0 $arg0
    else
      _pyscry-go _pyscry-up 1 1
    end
  end
  define py-down
    if $argc
      _pyscry-go _pyscry-down $arg0 -($arg0)
    else
      _pyscry-go _pyscry-down 1 -1
    end
  end
end
