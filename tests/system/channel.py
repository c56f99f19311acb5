# SPDX-License-Identifier: ISC
"""The control protocol (include/motet/control.h) spoken by a test itself: requests that motet
wouldn't send, and answers that no image would give."""

import struct
import zlib

MAGIC, REPLY, HEADER, EXTRA = b"Mct1", 0x8000, 16, 20
FLUSH = bytes(1024 + EXTRA)
(IMAGE, DOMAIN, SERVER, END, CONNECTION, COUNTERS, LOG, KILL, RESTART, SWAP_BEGIN, STAGE, SWAP_TAKE,
 SWAP_GO, SWAP_STATUS, SWAP_CANCEL, SWAP_COMMIT, FILE) = range(1, 18)
(NONE, STAGING, LOADING, REHEARSING, RESTING, STARTING, PROBATION, DONE, REFUSED,
 ROLLED_BACK) = range(10)
ON_THE_WAY = (LOADING, REHEARSING, RESTING, STARTING)
STAGE_MAX = 1024 - 8
NUMBERS = {name: number for number, name in enumerate(
    ["OK", "MORE", "FULL", "UNKNOWN_CALL", "EMPTY_SLOT", "WRONG_TYPE", "NO_RIGHT", "BAD_ARGUMENT",
     "OCCUPIED", "NO_MEMORY", "NO_TABLE", "MAPPED", "NOT_MAPPED", "TIMEOUT", "BUSY", "BAD_STATE"])}
BAD_STATE, NO_RIGHT = NUMBERS["BAD_STATE"], NUMBERS["NO_RIGHT"]


def frame(op, tag, payload):
    head = MAGIC + struct.pack("<HHI", op, len(payload), tag)
    return (head + struct.pack("<I", zlib.crc32(head)) + payload
            + struct.pack("<I", zlib.crc32(payload)))


def take(data):
    """The first frame of DATA as (op, tag, payload), and what is behind it; None: it isn't whole."""
    at = data.find(MAGIC)
    if at < 0 or len(data) < at + HEADER:
        return None, data
    op, length, tag = struct.unpack_from("<HHI", data, at + 4)
    end = at + length + EXTRA
    if len(data) < end:
        return None, data
    return (op, tag, data[at + HEADER:end - 4]), data[end:]


class Channel:
    """A host: `with Channel(machine) as host: host.ask(op, number or bytes)`."""

    def __init__(self, machine):
        self._socket = machine.connect()
        self._socket.sendall(FLUSH)
        self._data, self._tag = b"", 0

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._socket.close()

    def _frame(self, op, payload):
        self._tag += 1
        return frame(op, self._tag,
                     struct.pack("<I", payload) if isinstance(payload, int) else payload)

    def _reply(self):
        while True:
            got, self._data = take(self._data)
            if got:
                return struct.unpack_from("<I", got[2])[0], got[2][8:]
            more = self._socket.recv(4096)
            assert more, "the image has ended"
            self._data += more

    def tell(self, op, payload=0):
        """Without an answer."""
        self._socket.sendall(self._frame(op, payload))

    def ask(self, op, payload=0):
        """(error, what stands behind the status)."""
        self._socket.sendall(self._frame(op, payload))
        return self._reply()

    def ask_at_once(self, *requests):
        """All of them in one write; the answers' errors."""
        self._socket.sendall(b"".join(self._frame(op, payload) for op, payload in requests))
        return [self._reply()[0] for _ in requests]

    def begin(self, domain, content, what=0):
        return self.ask(SWAP_BEGIN, struct.pack("<HHII", domain, what, len(content),
                                                zlib.crc32(content)))[0]

    def stage(self, content, offset=0):
        for at in range(0, len(content), STAGE_MAX):
            piece = content[at:at + STAGE_MAX]
            error, _ = self.ask(STAGE, struct.pack("<II", offset + at, len(piece)) + piece)
            if error:
                return error
        return 0

    def status(self):
        """(phase, refusal)."""
        error, told = self.ask(SWAP_STATUS)
        assert not error
        return told[0], told[2]
