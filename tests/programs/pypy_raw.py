"""Memory of C's that objects of PyPy's have: cffi's and an array's; and who only has its address."""
import array
import gc
import json
import os

import cffi

ffi = cffi.FFI()
LARGE = ffi.new("int[]", 1000)
SMALL = ffi.new("struct { int a; double b; } *")
CAST = ffi.cast("char *", LARGE)
BUFFER = ffi.buffer(LARGE)
ARRAY = array.array("d", [0.5] * 700)
HANDLE = ffi.new_handle([1, 2, 3])
for i in range(4):
    gc.collect()
REPRS = [LARGE, SMALL, SMALL[0], CAST, HANDLE, ffi.new("int *"), ffi.NULL, ffi.new("char[]", b"abc"), ffi.new("int[5]")]
REPRS += [ffi.new("struct { int a[7]; } *")[0], ffi.cast("short *", 0)]
truth = {
    "large": [int(ffi.cast("long", LARGE)), id(LARGE)],
    "small": [int(ffi.cast("long", SMALL)), id(SMALL[0])],
    "array": [ARRAY.buffer_info()[0], id(ARRAY)],
}
reprs = [str(repr(each)) for each in REPRS]
with open(os.environ["PYSCRY_TRUTH"], "w") as out:
    out.write(json.dumps({"memory": truth, "reprs": reprs}))
os.abort()
