# SPDX-License-Identifier: ISC
"""The console class in QEMU: a driver keeps the protocol (tests/servers/console_check), after it was killed too,
with somebody at the other end of the line who sends back what comes."""

import socket
import threading

from machine import BUILD, LIMIT, Machine, devices, kernel
from managed import Managed

CHECK = kernel(BUILD / "images/console_check.elf")
CONFORMS = r"^console_check: conforms: 600 bytes$"


class Echo:
    """QEMU's option for a second serial port whose other end this is."""

    def __init__(self, folder):
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(str(folder / "line"))
        self.listener.listen(1)
        self.listener.settimeout(LIMIT)
        self.options = ["-chardev", f"socket,id=line,path={folder / 'line'}", "-serial", "chardev:line"]
        threading.Thread(target=self.run, daemon=True).start()

    def run(self):
        with self.listener, self.listener.accept()[0] as line:
            while data := line.recv(4096):
                line.sendall(data)


def test_a_serial_port_conforms(tmp_path):
    with Machine(CHECK, options=Echo(tmp_path).options) as running:
        running.expect(CONFORMS)
        counters = running.counters()
        assert counters["uart_drv.bad_message"] == 3
        assert counters["uart_drv.tx_bytes"] == counters["uart_drv.rx_bytes"] == 600


def test_a_machine_may_have_none():
    with Machine(CHECK) as running:
        running.expect(r"^uart_drv: device isa 0x2f8 \(41d0:0501\) not used: nobody answers at its ports")
        running.expect(r"^console_check: told: there is no device, after 0 of 0 bytes$")


def test_a_killed_driver_begins_anew(tmp_path):
    with Managed(CHECK, options=devices("console_check") + Echo(tmp_path).options) as running:
        start = 0
        for life in range(1, 3):
            running.expect(CONFORMS, start)
            start = len(running.text)
            assert running.motet("kill", "uart_drv") == "uart_drv: killed\n"
            running.expect(rf"^init: uart_drv: restart {life}, ", start)
        running.expect(CONFORMS, start)
