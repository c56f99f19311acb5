# SPDX-License-Identifier: ISC
"""What all system tests share: a failed test's report ends with the consoles of its machines, and
tests that need a tap are skipped, by name and with the reason, where there can be none."""

import pytest

from machine import DNS_ELF, Machine, kernel
from network import NO_TAP, TapNetwork, UserNetwork

CONSOLE_LINES = 60  # in a report; the whole text is in build/tests/serial/


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    outcome = yield
    report = outcome.get_result()
    if report.failed:
        for machine in Machine.used:
            lines = machine.text.splitlines()[-CONSOLE_LINES:]
            report.sections.append((f"console, all of it in {machine.log}", "\n".join(lines)))
    if report.when == "teardown":
        Machine.used[:] = [machine for machine in Machine.used if machine.running]


@pytest.fixture(scope="session")
def tap():
    """Skips what needs a tap where there can be none."""
    if NO_TAP:
        pytest.skip(NO_TAP)


@pytest.fixture(scope="module")
def dns_image():
    """The DNS image on the user network, one machine for a module."""
    with Machine(kernel(DNS_ELF), [UserNetwork()]) as machine:
        yield machine.ready()


@pytest.fixture(scope="module")
def dns_image_on_tap(tap):
    """The DNS image on a tap, one machine for a module."""
    with Machine(kernel(DNS_ELF), [TapNetwork()]) as machine:
        yield machine.ready()
