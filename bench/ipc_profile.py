# SPDX-License-Identifier: ISC
"""Instructions, calls and bytes stored per function, by bench/plugin/profile.c; kernel entries by
bench/plugin/entry.c beside it. A function is named (place, part, name): the place is the kernel or a
domain, the part the kernel, the libOS (ipc/ included) or a server."""

import struct
import tempfile
from collections import defaultdict
from pathlib import Path

from lib_qemu import PLACES, ROOT, BenchError, build_plugin, domain_lines

LIBOS = "libos"
FUNCTIONS_MAX = 8192  # bench/plugin/profile.c
WORDS = 4  # of struct function there
ENTRIES_WORD = 1  # enum word of bench/plugin/entry.c
SHT_SYMTAB, SHF_EXECINSTR = 2, 4
STT_NOTYPE, STT_FUNC, STT_FILE = 0, 2, 4


def server_files():
    """The server that a source file's name belongs to; None: several have one of that name."""
    found = {}
    for folder in (*(ROOT / "servers").iterdir(), *(ROOT / "bench/ipc/servers").iterdir()):
        for path in folder.glob("*.c"):
            found[path.name] = None if path.name in found else folder.name
    return found


def symbols_of(elf):
    """(address, size, name, source file, type) of each symbol of code in an ELF64 file."""
    data = Path(elf).read_bytes()
    table, = struct.unpack_from("<Q", data, 40)
    size, count = struct.unpack_from("<HH", data, 58)
    sections = [struct.unpack_from("<IIQQQQIIQQ", data, table + i * size) for i in range(count)]
    symtab = next((s for s in sections if s[1] == SHT_SYMTAB), None)
    if symtab is None:
        raise BenchError(f"{elf}: no symbols")
    names = sections[symtab[6]][4]
    source = ""
    for at in range(symtab[4], symtab[4] + symtab[5], 24):
        name, info, _, section, address, length = struct.unpack_from("<IBBHQQ", data, at)
        text = data[names + name:data.index(b"\0", names + name)].decode()
        if info & 15 == STT_FILE:
            source = text
        elif info & 15 in (STT_NOTYPE, STT_FUNC) and text and 0 < section < count and (
                sections[section][2] & SHF_EXECINSTR):
            yield address, length, text, source if info >> 4 == 0 else "", info & 15


def functions_of(elf):
    """(address, size, name, source file) of each function; assembly's go on to the next symbol."""
    symbols = sorted(symbols_of(elf))
    for one, following in zip(symbols, [*symbols[1:], symbols[-1]]):
        address, length, name, source, kind = one
        length = length or (following[0] - address if kind == STT_NOTYPE else 0)
        if length:
            yield address, length, name, source


def function_lines(domains, kernel):
    """((place, part, name), line for the plugin) of every function."""
    servers = server_files()
    for address, size, name, _ in functions_of(kernel):
        yield ("kernel", "kernel", name), f"{PLACES.index('kernel'):x} {address:x} {size:x}\n"
    for number, (domain, elf) in enumerate(domains, len(PLACES)):
        for address, size, name, source in functions_of(elf):
            part = servers.get(source) or LIBOS
            yield (domain, part, name), f"{number:x} {address:x} {size:x}\n"


class Profile:
    """The plugins' counters, for one QEMU at a time. DOMAINS is a list of (name, ELF file)."""

    def __init__(self, domains, kernel):
        self._plugins = build_plugin("profile", "domains.c"), build_plugin("entry")
        self._folder = tempfile.TemporaryDirectory(prefix="motet-bench-")
        for name in ("domains", "symbols", "profile", "entries"):
            setattr(self, f"_{name}", Path(self._folder.name, name))
        self._domains.write_text(domain_lines(domains))
        pairs = list(function_lines(domains, kernel))
        if len(pairs) > FUNCTIONS_MAX:
            raise BenchError(f"{len(pairs)} functions, and the plugin takes {FUNCTIONS_MAX}")
        self._names = [name for name, _ in pairs]
        self._symbols.write_text("".join(line for _, line in pairs))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._folder.cleanup()

    def options(self):
        profile, entry = self._plugins
        return ["-plugin", f"{profile},domains={self._domains},symbols={self._symbols},"
                           f"profile={self._profile}", "-plugin", f"{entry},out={self._entries}"]

    def read(self):
        """A Reading of all that was executed so far."""
        data = self._profile.read_bytes()
        switches, unknown = struct.unpack_from("=2Q", data)
        functions = struct.unpack_from(f"={WORDS * len(self._names)}Q", data, 16)
        entries, = struct.unpack_from("=Q", self._entries.read_bytes(), 8 * ENTRIES_WORD)
        per_function = dict(zip(self._names, zip(*[iter(functions)] * WORDS)))
        return Reading(entries, switches, unknown, per_function)


class Reading:
    """Counts; readings are subtracted from each other."""

    def __init__(self, entries, switches, unknown, functions):
        self.entries, self.switches, self.unknown = entries, switches, unknown
        self.functions = functions  # (place, part, name): (instructions, calls, bytes stored, of them by string moves)

    def __sub__(self, before):
        functions = {
            name: tuple(now - then for now, then in zip(counts, before.functions[name]))
            for name, counts in self.functions.items()}
        return Reading(self.entries - before.entries, self.switches - before.switches,
                       self.unknown - before.unknown, functions)

    def instructions(self):
        return self.unknown + sum(counts[0] for counts in self.functions.values())

    def parts(self):
        """Instructions by part."""
        found = defaultdict(int)
        for (_, part, _), counts in self.functions.items():
            found[part] += counts[0]
        if self.unknown:
            found["other"] = self.unknown
        return {part: count for part, count in found.items() if count}

    def calls(self, name):
        return sum(counts[1] for key, counts in self.functions.items() if key[2] == name)

    def busiest(self, units, least=1):
        """Lines (instructions and calls per unit, place, part, name) above LEAST instructions."""
        lines = [(counts[0] / units, counts[1] / units, *key)
                 for key, counts in self.functions.items() if counts[0] >= least * units]
        return sorted(lines, reverse=True)
