# SPDX-License-Identifier: ISC
"""QEMU's gdbstub, as far as injecting faults needs it: stop, look, change, go on. The protocol is
that of gdb's manual, "Remote Serial Protocol"."""

import socket
import struct

REGISTERS = ("rax", "rbx", "rcx", "rdx", "rsi", "rdi", "rbp", "rsp", "r8", "r9", "r10", "r11",
             "r12", "r13", "r14", "r15", "rip")
CS_OFFSET = len(REGISTERS) * 8 + 4  # behind eflags
USER = 3  # privilege level


class Stub:
    """One connection. The machine stands still while it isn't told to go on."""

    def __init__(self, path, seconds):
        self._link = socket.socket(socket.AF_UNIX)
        self._link.settimeout(seconds)
        self._link.connect(path)
        self._input = b""
        self.ask("?")

    def close(self):
        self._link.close()

    def _byte(self):
        if not self._input:
            self._input = self._link.recv(65536)
            if not self._input:
                raise ConnectionError("QEMU closed the connection")
        byte, self._input = self._input[:1], self._input[1:]
        return byte

    def _receive(self):
        while self._byte() != b"$":
            pass
        packet = b""
        while (byte := self._byte()) != b"#":
            packet += byte
        self._byte(), self._byte()  # the checksum: the connection is a local one
        self._link.sendall(b"+")
        return packet.decode()

    def _send(self, text):
        data = text.encode()
        self._link.sendall(b"$%s#%02x" % (data, sum(data) & 0xff))

    def ask(self, text):
        """An answer to what doesn't set the machine going: a word that it has stopped, from before,
        isn't one."""
        self._send(text)
        while (answer := self._receive())[:1] in ("T", "S"):
            if text == "?":
                break
        return answer

    def _done(self, text):
        answer = self.ask(text)
        if answer != "OK":
            raise ConnectionError(f"gdbstub: {text[:40]}: {answer}")

    def run(self, seconds):
        """Goes on until a breakpoint: True; or for so long: False."""
        self._send("c")
        before = self._link.gettimeout()
        self._link.settimeout(seconds)
        try:
            self._receive()
            return True
        except TimeoutError:
            self._link.settimeout(before)
            self._link.sendall(b"\x03")
            self._receive()
            return False
        finally:
            self._link.settimeout(before)

    def go(self):
        """Goes on; stop() ends that."""
        self._send("c")

    def stop(self):
        self._link.sendall(b"\x03")
        self._receive()

    def step(self):
        self._send("s")
        self._receive()

    def breakpoint(self, address):
        self._done(f"Z1,{address:x},1")

    def breakpoint_remove(self, address):
        self._done(f"z1,{address:x},1")

    def registers(self):
        """By name, and whether the processor runs user code."""
        data = bytes.fromhex(self.ask("g"))
        values = struct.unpack_from(f"<{len(REGISTERS)}Q", data)
        user = struct.unpack_from("<I", data, CS_OFFSET)[0] & USER == USER
        return dict(zip(REGISTERS, values)), user

    def register_set(self, name, value):
        """All of them are written, since QEMU writes no single one."""
        data = bytearray.fromhex(self.ask("g"))
        struct.pack_into("<Q", data, 8 * REGISTERS.index(name), value)
        self._done("G" + data.hex())

    def read(self, address, size):
        """None: nothing is mapped there."""
        answer = self.ask(f"m{address:x},{size:x}")
        return None if answer.startswith("E") else bytes.fromhex(answer)

    def write(self, address, data):
        self._done(f"M{address:x},{len(data):x}:{data.hex()}")
