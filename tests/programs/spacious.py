"""Maps 4 TiB and writes to one page of it, as address sanitizers do."""
import mmap

import truth

NORESERVE = 0x4000  # MAP_NORESERVE, which the module has since 3.13
vast = mmap.mmap(-1, 4 << 40, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | NORESERVE)
vast[:1] = b'x'
truth.save({})
truth.die()
