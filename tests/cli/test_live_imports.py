"""What live trading needs is imported by nobody who trades on paper, key or no key."""

import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.cli.conftest import ROOT
from tests.cli.worlds import instruction, write_plan

LIVE_ONLY = {"polymarket", "eth_account", "eth_utils", "eth_abi", "web3", "keyring"}
SCRIPT = """
import sys
from betteroms.cli import app
code = app.run(sys.argv[1:])
sys.stderr.write("\\nmodules: " + " ".join(sys.modules))
sys.exit(code)
"""


@pytest.mark.parametrize("key", ["", "0x" + "4f" * 32])
def test_paper_imports_nothing_of_live(
    key: str, surroundings: Mapping[str, str], tmp_path: Path, books: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("POLYMARKET_PRIVATE_KEY", key)
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    plan = write_plan(tmp_path / "plan.json", instruction())
    for words in (
        ("preview", str(plan), "--books", str(books)),
        ("trade", str(plan), "--books", str(books)),
        ("positions", "report"),
        ("keys", "--help"),
    ):
        ran = subprocess.run(
            [sys.executable, "-c", SCRIPT, *words], capture_output=True, text=True, check=False, timeout=120
        )
        assert ran.returncode == 0, ran.stderr
        modules = set(ran.stderr.rpartition("modules: ")[2].split())
        assert "betteroms.cli.app" in modules
        assert modules & LIVE_ONLY == set(), words
