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

  # What the shell must know: core or process, thread, frame.
  define _pyscry-where
    info files
    info inferiors
    thread
    printf "frame %d\n", $_pyscry_frame
  end

  # The shell's part, in pieces: $c the core, $i the process, $t the thread, $f the frame, $p the program.
  set $_ps1 = "w=$(cat); c=$(echo \"$w\" | sed -n \"/core dump file:/{n;s/^[^\\`]*\\`\\(.*\\)', file type.*/\\1/p}\")"
  set $_ps2 = "; t=$(echo \"$w\" | sed -n \"s/^.Current thread.*LWP \\([0-9]*\\).*/\\1/p\")"
  set $_ps3 = "; i=$(echo \"$w\" | sed -n \"s/^\\* .* process \\([0-9]*\\).*/\\1/p\"); f=$(echo \"$w\" | sed -n \"s/^frame //p\")"
  set $_ps4 = "; d=$(tr \"\\0\" \"\\n\" </proc/$PPID/cmdline | sed -n \"s,^source ,,;s,/gdbinit$,,p\" | head -n1)"
  set $_ps5 = "; p=${PYSCRY:-pyscry}; [ -x \"$d/build/src/cli/pyscry\" ] && p=$d/build/src/cli/pyscry"
  set $_ps6 = "; \"$p\" \"${c:-$i}\" ${t:+--thread $t} --frame $f "

  define _pyscry-define
    eval "alias $arg0 = pipe _pyscry-where | %s%s%s%s%s%s$arg1", $_ps1, $_ps2, $_ps3, $_ps4, $_ps5, $_ps6
  end
  _pyscry-define py-bt bt
  _pyscry-define py-bt-full bt-full
  _pyscry-define py-threads threads
  _pyscry-define py-info info
  _pyscry-define py-locals locals
  _pyscry-define py-list list
  _pyscry-define py-print print
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
  _pyscry-define _pyscry-frame frame
  _pyscry-define _pyscry-up up
  _pyscry-define _pyscry-down down

  define py-frame
    set $_pyscry_old = $_pyscry_frame
    set $_pyscry_frame = $arg0
    _pyscry-frame
    if $_shell_exitcode == 2
      set $_pyscry_frame = $_pyscry_old
    end
  end
  define py-up
    set $_pyscry_step = 1
    if $argc
      set $_pyscry_step = $arg0
    end
    eval "_pyscry-up %d", $_pyscry_step
    if $_shell_exitcode != 2
      set $_pyscry_frame = $_pyscry_frame + $_pyscry_step
    end
  end
  define py-down
    set $_pyscry_step = 1
    if $argc
      set $_pyscry_step = $arg0
    end
    eval "_pyscry-down %d", $_pyscry_step
    if $_shell_exitcode != 2
      set $_pyscry_frame = $_pyscry_frame - $_pyscry_step
    end
  end
end
