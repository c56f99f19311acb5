# SPDX-License-Identifier: ISC
"""What all system tests share: a failed test's report ends with the consoles of its machines, and
tests that need a tap are skipped, by name and with the reason, where there can be none."""

import pytest

from machine import PARTITIONS, Machine, kernel
from network import NO_TAP, TapNetwork, UserNetwork
from scratch import Scratch
from tutorial import Follower

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


@pytest.fixture(scope="session", params=PARTITIONS)
def partition(request):
    """Each of the three DNS images; only_isolated picks one."""
    return PARTITIONS[request.param]


def pytest_configure(config):
    config.addinivalue_line("markers", "only_isolated: what takes long and is the same in all images")


def pytest_collection_modifyitems(config, items):
    """Tests marked so run with one of the images only."""
    others = [item for item in items if item.get_closest_marker("only_isolated")
              and item.callspec.params["partition"] != "isolated"]
    if others:
        config.hook.pytest_deselected(items=others)
        items[:] = [item for item in items if item not in others]


@pytest.fixture(scope="module")
def dns_image(partition):
    """Each DNS image on the user network, one machine for a module."""
    with Machine(kernel(partition), [UserNetwork()]) as machine:
        yield machine.ready()


@pytest.fixture(scope="module")
def dns_image_on_tap(tap, partition):
    """Each DNS image on a tap, one machine for a module."""
    with Machine(kernel(partition), [TapNetwork()]) as machine:
        yield machine.ready()


@pytest.fixture(scope="module")
def tree(tmp_path_factory):
    """A copy of the tree, for a module's tests to change."""
    return Scratch(tmp_path_factory.mktemp("tree"))


@pytest.fixture(scope="module")
def follower(tree):
    """Of a tutorial: each section goes on in the same tree where the one before ended."""
    one = Follower(tree)
    yield one
    one.close()
