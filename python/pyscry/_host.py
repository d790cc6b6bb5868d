"""A debugger's target, lent to the library as the callbacks of struct scry_host_ops."""
import ctypes
import os
from typing import Any, Callable, Dict, Iterable, Optional, Tuple

from ._library import ITEM, NOT_FOUND, OK

Mapping = Tuple[int, int, int, int, str]  # start, end, offset, flags, path

_uint64_p = ctypes.POINTER(ctypes.c_uint64)
_READ = ctypes.CFUNCTYPE(
    ctypes.c_int64, ctypes.c_void_p, ctypes.c_uint64, ctypes.c_void_p, ctypes.c_size_t
)
_THREAD = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_uint, _uint64_p)
_REG = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_uint64, ctypes.c_char_p, _uint64_p)
MAP = ctypes.CFUNCTYPE(
    ctypes.c_int,
    ctypes.c_void_p,
    ctypes.c_uint,
    _uint64_p,
    _uint64_p,
    _uint64_p,
    ctypes.POINTER(ctypes.c_uint),
    ctypes.POINTER(ctypes.c_char_p),
)


class HostOps(ctypes.Structure):
    _fields_ = [
        ("size", ctypes.c_size_t),
        ("read", _READ),
        ("thread", _THREAD),
        ("reg", _REG),
        ("map", MAP),
    ]


class Host:
    """A debugger's target. An adapter overrides these; what it does not know stays so."""

    pid = 0  # of a process on this machine, 0 for any other

    def read(self, address: int, length: int) -> bytes:
        """Bytes from `address` on, as many of `length` as can be read."""
        return b""

    def threads(self) -> Iterable[int]:
        """Ids of all threads, as the operating system numbers them."""
        return []

    def register(self, tid: int, name: str) -> Optional[int]:
        """A register of a thread's innermost frame, or None."""
        return None

    def maps(self) -> Optional[Iterable[Mapping]]:
        """(start, end, offset, flags, path) of each mapping; None: the library looks in
        /proc/PID/maps."""
        return None


def lend(host: "Host", stop: Callable[[], None]) -> HostOps:
    """The C struct of callbacks for a host. Exceptions must not pass through C: they mean "not
    there"; Ctrl-C calls `stop`, which ends the command that asks."""
    items: Dict[str, Any] = {}

    def guarded(function: Callable[..., int]) -> Callable[..., int]:
        def call(*arguments: Any) -> int:
            try:
                return function(*arguments)
            except KeyboardInterrupt:
                stop()
                return OK

        return call

    def read(_arg: Any, address: int, buffer: int, length: int) -> int:
        try:
            data = host.read(address, length)
            ctypes.memmove(buffer, data, len(data))
            return len(data)
        except Exception:
            return 0

    def thread(_arg: Any, index: int, ret: Any) -> int:
        try:
            if index == 0:
                items["threads"] = list(host.threads())
            if index >= len(items["threads"]):
                return OK
            ret[0] = items["threads"][index]
            return ITEM
        except Exception:
            return OK

    def reg(_arg: Any, tid: int, name: bytes, ret: Any) -> int:
        try:
            value = host.register(tid, name.decode())
            if value is None:
                return NOT_FOUND
            ret[0] = value & (2**64 - 1)
            return OK
        except Exception:
            return NOT_FOUND

    def map_at(
        _arg: Any, index: int, start: Any, end: Any, offset: Any, flags: Any, path: Any
    ) -> int:
        try:
            if index == 0:
                items["maps"] = list(host.maps() or [])
            if index >= len(items["maps"]):
                return OK
            start[0], end[0], offset[0], flags[0], text = items["maps"][index]
            items["path"] = ctypes.c_char_p(os.fsencode(text or ""))  # kept until the next call
            path[0] = items["path"]
            return ITEM
        except Exception:
            return OK

    return HostOps(
        ctypes.sizeof(HostOps),
        _READ(guarded(read)),
        _THREAD(guarded(thread)),
        _REG(guarded(reg)),
        MAP(guarded(map_at)),
    )
