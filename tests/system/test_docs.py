# SPDX-License-Identifier: ISC
"""What documentation repeats from the sources is what the sources say."""

import re
import subprocess

from machine import BUILD, ROOT


def test_the_kernel_reference_is_what_the_table_says():
    reference = subprocess.run([BUILD / "tools/callref"], check=True, capture_output=True, text=True)
    assert (ROOT / "docs/kernel.md").read_text().endswith(reference.stdout), (
        "docs/kernel.md is behind calls.def: run 'make reference'")


def test_every_link_in_the_documentation_leads_somewhere():
    for page in [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]:
        for target in re.findall(r"\]\(([^)#:]+)\)", page.read_text()):
            assert (page.parent / target).exists(), f"{page.relative_to(ROOT)}: {target}"


def test_every_source_names_its_licence():
    files = subprocess.run(["git", "ls-files"], cwd=ROOT, check=True, capture_output=True, text=True)
    ends = (".c", ".h", ".S", ".ld", ".py", ".def", ".conf")
    missing = [name for name in files.stdout.split() if name.endswith(ends)
               and "SPDX-License-Identifier: ISC" not in (ROOT / name).read_text()[:300]]
    assert not missing
