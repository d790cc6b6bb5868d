"""Python objects in GDB's own print, info locals, finish and bt: pretty-printers, and what a user
can set of them."""
import locale
import os

import gdb

import binding

_HEADS = {
    "ob_base",
    "ob_refcnt",
    "ob_type",
    "m_base",
}  # what a struct that begins with PyObject_HEAD begins with


class Parameter(gdb.Parameter):
    """One of `set pyscry ...`. `changed` is called with each new value."""

    def __init__(self, name, kind, value, doc, changed=None):
        self.__doc__, self.set_doc, self.show_doc = "Set " + doc, "Set " + doc, "Show " + doc
        super().__init__("pyscry " + name, gdb.COMMAND_DATA, kind)
        self.label, self.changed, self.value = name, changed, value

    def get_set_string(self):
        if self.changed is not None:
            self.changed(self.value)
        return ""

    def get_show_string(self, text):
        return "pyscry %s is %s." % (self.label, text)


def _charset():
    if hasattr(gdb, "host_charset"):  # GDB 12
        return gdb.host_charset()
    chosen = gdb.parameter("host-charset")
    return locale.nl_langinfo(locale.CODESET) if chosen == "auto" else chosen


def showable(text):
    """GDB raises where its charset lacks a character of a text."""
    try:
        charset = _charset()
        return text.encode(charset, "backslashreplace").decode(charset)
    except (LookupError, ValueError):
        return text.encode("ascii", "backslashreplace").decode("ascii")


def add_prefixes():
    for verb in ("set", "show"):

        class Prefix(gdb.Command):
            __doc__ = "%s what pyscry does in GDB." % verb.capitalize()

            def __init__(self):
                super().__init__(verb + " pyscry", gdb.COMMAND_DATA, gdb.COMPLETE_NONE, True)

            def invoke(self, _arguments, _from_tty):
                gdb.execute("help %s pyscry" % self.verb)

        Prefix.verb = verb
        Prefix()


class Text:
    """A printer of one line."""

    def __init__(self, text):
        self.text = text

    def to_string(self):
        return self.text


class Values:
    """The pretty-printer: a pointer to a Python object, a frame or a thread state shows what stands
    there."""

    name = "pyscry"  # for `info pretty-printer` and `disable pretty-printer global pyscry`
    __name__ = name

    def __init__(self, current):
        self.current = current  # the session for what GDB looks at
        self.enabled = True
        self.known = {}
        self.objects = set()  # addresses that were told of objects, where GDB knows no PyObject
        self.most = Parameter(
            "max-text",
            gdb.PARAM_ZUINTEGER,
            1024,
            "how many bytes of a value print, info locals and bt show (0: all).",
        )
        Parameter(
            "values",
            gdb.PARAM_BOOLEAN,
            True,
            "whether print, info locals and bt show Python values for pointers to objects.",
            self.enable,
        )
        gdb.events.new_objfile.connect(self.forget)
        gdb.events.cont.connect(self.forget)

    def enable(self, on):
        self.enabled = on

    def forget(self, _event=None):
        self.known.clear()
        self.objects.clear()

    def pointer(self, address):
        """A value that shows the object at an address."""
        try:
            kind = gdb.lookup_type("PyObject")
        except gdb.error:
            kind = gdb.lookup_type("void")
            self.objects.add(address)
        return gdb.Value(address).cast(kind.pointer())

    def __call__(self, value):
        try:
            text = self.text(value)
        except Exception:  # whatever it is, GDB's own way to show the value remains
            return None
        return None if text is None else Text(showable(text))

    def text(self, value):
        kind = value.type.strip_typedefs()
        if kind.code == gdb.TYPE_CODE_REF:
            return self.text(value.referenced_value())
        if kind.code == gdb.TYPE_CODE_PTR:
            known, name = self.look_up(kind.target())
            if kind.target().strip_typedefs().code == gdb.TYPE_CODE_VOID:
                known = int(value) in self.objects
            word = int(value) if known else 0
        elif kind.code == gdb.TYPE_CODE_UNION or kind.code == gdb.TYPE_CODE_STRUCT:
            known, name = (
                kind.name == "_PyStackRef" or value.type.name == "_PyStackRef",
                "_PyStackRef",
            )
            word = int(value["bits"]) if known else 0
        else:
            return None
        return self.current().pointer_text(name, word, self.most.value or 2**63) if word else None

    def look_up(self, target):
        """(is it ours?, the name to tell the library) of the type behind a pointer."""
        target = target.unqualified()
        struct = (
            target
            if target.code != gdb.TYPE_CODE_TYPEDEF
            else target.strip_typedefs().unqualified()
        )
        if struct.code not in (gdb.TYPE_CODE_STRUCT, gdb.TYPE_CODE_UNION):
            return False, None
        key = target.name, struct.name
        if None not in key or key[0]:
            found = self.known.get(key)
            if found is None:
                found = self.known[key] = self.judge(key, struct)
            return found
        return self.judge(key, struct)

    @staticmethod
    def judge(names, struct):
        for name in names:
            if name and binding.is_pointer_type(name.replace("struct ", "")):
                return name != "_PyStackRef", name
        fields = struct.fields()[:4]
        return any(field.name in _HEADS for field in fields), None


def install(current):
    add_prefixes()
    values = Values(current)
    gdb.pretty_printers[:] = [
        found for found in gdb.pretty_printers if getattr(found, "name", "") != "pyscry"
    ]
    gdb.pretty_printers.insert(0, values)
    return values


def _may_have_theirs(objfile):
    """CPython's script comes with an interpreter or its library, or with their debug files."""
    owner = getattr(objfile, "owner", None) or objfile
    names = [getattr(found, "__name__", "") for found in objfile.pretty_printers]
    return "python" in os.path.basename(owner.filename or "") or "pretty_printer_lookup" in names


def go_first(values, objfiles=None):
    """CPython's own script puts its printer with a file, and GDB asks those before ours. Whenever
    it is loaded, its printer goes to the end of a list: ours stands at the head of it before."""
    for objfile in gdb.objfiles() if objfiles is None else objfiles:
        if objfile.is_valid() and _may_have_theirs(objfile):
            others = [found for found in objfile.pretty_printers if found is not values]
            if objfile.pretty_printers[:1] != [values]:
                objfile.pretty_printers = [values] + others
