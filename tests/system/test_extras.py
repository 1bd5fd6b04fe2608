"""The extras: named alike in the package and in pyproject.toml, imported by nobody who does not ask, all here in CI."""

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from recsys_tutorial.errors import InputError
from recsys_tutorial.system import extras

ROOT = Path(__file__).resolve().parents[2]
DECLARED = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["optional-dependencies"]


def test_package_and_pyproject_name_the_same_extras():
    names = re.fullmatch(r"recsys-tutorial\[(.*)\]", *DECLARED["extras"])[1].split(",")
    assert names == list(extras.EXTRAS)
    for name, modules in extras.EXTRAS.items():
        wanted = {re.match(r"[\w-]+", line)[0].removesuffix("-cpu").replace("-", "_") for line in DECLARED[name]}
        assert wanted == set(modules), name


@pytest.mark.skipif("RECSYS_TUTORIAL_EXTRAS" not in os.environ, reason="set by `python start.py test --extras`")
def test_where_all_extras_are_promised_no_test_of_them_is_skipped():
    assert [name for name in extras.EXTRAS if not extras.installed(name)] == []


def test_importing_the_package_imports_no_extra():
    modules = [module for names in extras.EXTRAS.values() for module in names]
    code = f"import sys, recsys_tutorial.__main__; print([name for name in {modules} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_missing_extra_is_one_line_that_installs_it(monkeypatch):
    monkeypatch.setitem(extras.EXTRAS, "serve", ("no_such_module",))
    assert not extras.installed("serve")
    with pytest.raises(InputError, match=r"^the service needs the extra 'serve': .*`pip install -e \"\.\[serve\]\"`$"):
        extras.require("serve", "the service")


def test_unknown_extra():
    with pytest.raises(InputError, match="unknown extra 'exprot': did you mean 'export'"):
        extras.installed("exprot")
