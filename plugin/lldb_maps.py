"""The mappings of a process, as far as LLDB knows them."""
import lldb


def regions(process):
    """(start, end, offset, flags, path) of each region. LLDB gives no offsets: pieces follow."""
    found, info, first = [], lldb.SBMemoryRegionInfo(), {}
    every = process.GetMemoryRegions()
    for i in range(every.GetSize()):
        if not every.GetMemoryRegionAtIndex(i, info) or not info.IsMapped():
            continue
        start, path = info.GetRegionBase(), info.GetName() or ""
        flags = 4 * info.IsReadable() + 2 * info.IsWritable() + info.IsExecutable()
        offset = start - first.setdefault(path, start) if path.startswith("/") else 0
        found.append((start, info.GetRegionEnd(), offset, flags, path))
    return found or _sections(process.GetTarget())


def _sections(target):
    """What a stub that knows no regions (gdbserver) leaves: the loaded parts of files."""
    found = []
    for module in target.module_iter():
        for section in module.section_iter():
            start = section.GetLoadAddress(target)
            if start != lldb.LLDB_INVALID_ADDRESS and section.GetFileByteSize():
                permissions = section.GetPermissions()
                flags = (
                    4 * bool(permissions & lldb.ePermissionsReadable)
                    + 2 * bool(permissions & lldb.ePermissionsWritable)
                    + bool(permissions & lldb.ePermissionsExecutable)
                )
                end = start + section.GetByteSize()
                found.append((start, end, section.GetFileOffset(), flags, module.file.fullpath))
    return found
