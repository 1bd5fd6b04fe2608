"""start.py without a real install: its subprocesses are faked, and the few real ones use this Python."""

from __future__ import annotations

import ast
import importlib.util
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
import tomllib
from pathlib import Path
from types import SimpleNamespace

import pytest

from recsys_tutorial.cli.main import COMMANDS

ROOT = Path(__file__).resolve().parents[2]
SOURCE = (ROOT / "start.py").read_text(encoding="utf-8")
OFFLINE = "WARNING: Retrying after 'NewConnectionError(\"x: Failed to establish a new connection: {}\")'"
OFFLINE = OFFLINE.format("[Errno -2] Name or service not known") + "\nERROR: No matching distribution found for x"


class FakeSubprocess:
    """Stands in for the module ``subprocess`` inside start.py and writes down what is asked of it."""

    DEVNULL, STDOUT = subprocess.DEVNULL, subprocess.STDOUT
    TimeoutExpired = subprocess.TimeoutExpired

    def __init__(self, python: Path):
        self.python = python
        self.steps: list[list[str]] = []  # the set-up
        self.children: list[SimpleNamespace] = []  # what was started after it
        self.fails: dict[str, str | BaseException] = {}  # a word of the command: its output or exception
        self.codes: list[int | BaseException] = []  # what the children's wait() gives, 0 when empty

    def run(self, command, stdout=None, **_):
        self.steps.append(command)
        for word, outcome in self.fails.items():
            if word in command:
                if isinstance(outcome, BaseException):
                    raise outcome
                if stdout is not None:
                    stdout.write(outcome.encode())
                return SimpleNamespace(returncode=1)
        if "venv" in command:
            self.python.parent.mkdir(parents=True)
            self.python.touch()
        return SimpleNamespace(returncode=0)

    def Popen(self, command, cwd, env):
        self.children.append(SimpleNamespace(command=command, cwd=cwd, env=env))
        return SimpleNamespace(wait=self.wait)

    def wait(self):
        code = self.codes.pop(0) if self.codes else 0
        if isinstance(code, BaseException):
            raise code
        return code


@pytest.fixture
def folder(tmp_path):
    """A folder with a space in its path that holds start.py and what it reads."""
    folder = tmp_path / "my projects" / "x"
    folder.mkdir(parents=True)
    for name in ("start.py", "pyproject.toml", "constraints.txt"):
        shutil.copy(ROOT / name, folder)
    return folder


@pytest.fixture
def start(folder, monkeypatch):
    """start.py of that folder as a module: on Linux, no GPU, a big disk, and no real subprocess."""
    spec = importlib.util.spec_from_file_location("start", folder / "start.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    monkeypatch.setattr(module, "subprocess", FakeSubprocess(module.PYTHON))
    monkeypatch.setattr(module.sys, "platform", "linux")
    monkeypatch.delenv("RECSYS_TUTORIAL_EXTRAS", raising=False)  # there where all this runs by start.py --extras
    monkeypatch.setattr(module.shutil, "which", lambda _: None)
    monkeypatch.setattr(module.shutil, "disk_usage", lambda _: SimpleNamespace(free=100e9))
    before = signal.getsignal(signal.SIGTERM)
    yield module
    signal.signal(signal.SIGTERM, before)


def steps(start) -> list[str]:
    """The set-up steps that were run since the last call, by one word each."""
    words = {"venv": "venv", start.CPU_INDEX: "torch", ".[test]": "rest", ".[test,test-extras]": "rest with extras"}
    names = [next(words[word] for word in command if word in words) for command in start.subprocess.steps]
    start.subprocess.steps.clear()
    return names


def failure(start, argv=()) -> str:
    """The one line with which start.py ends (exit code 1)."""
    with pytest.raises(SystemExit) as stopped:
        start.main(list(argv))
    line = stopped.value.code
    assert isinstance(line, str), "sys.exit(text) prints to stderr and exits 1"
    assert line.startswith("start.py: ")
    assert "\n" not in line
    assert start.subprocess.children == []
    assert not start.STAMP.exists()
    return line


# --- the set-up -------------------------------------------------------------------------------------------


def test_first_start_makes_the_environment_then_torch_then_the_rest(start):
    assert start.main(["demo"]) == 0
    assert start.subprocess.children[-1].env["RECSYS_TUTORIAL_COMMAND"] == "python start.py"
    venv, torch, rest = start.subprocess.steps
    assert venv == [sys._base_executable, "-m", "venv", str(start.VENV)]
    assert torch[:4] == rest[:4] == [str(start.PYTHON), "-m", "pip", "install"]
    bound = next(line for line in project()["dependencies"] if line.startswith("torch"))
    assert torch[-6:] == ["--no-deps", "--retries", "1", "--index-url", start.CPU_INDEX, bound]
    assert rest[-2:] == ["-e", ".[test]"]
    assert start.CPU_INDEX not in rest
    for command in (torch, rest):
        assert command[command.index("--constraint") + 1] == "constraints.txt"


def test_second_start_installs_nothing(start):
    for _ in range(2):
        assert start.main(["demo"]) == 0
    assert steps(start) == ["venv", "torch", "rest"]
    assert len(start.subprocess.children) == 2


def test_changed_pyproject_installs_into_the_environment_that_is_there(start, folder):
    start.main(["demo"])
    with open(folder / "pyproject.toml", "a") as file:
        file.write("# changed\n")
    steps(start)
    start.main(["demo"])
    assert steps(start) == ["torch", "rest"]
    start.main(["demo"])
    assert steps(start) == []


def test_changed_constraints_are_installed_into_the_environment_that_is_there(start, folder):
    start.main(["demo"])
    with open(folder / "constraints.txt", "a") as file:
        file.write("# changed\n")
    steps(start)
    start.main(["demo"])
    assert steps(start) == ["torch", "rest"]
    start.main(["demo"])
    assert steps(start) == []


def test_latest_versions_know_no_constraints_and_stay(start, folder):
    start.main(["demo"])
    steps(start)
    start.main(["demo", "--latest"])
    assert not any("--constraint" in command for command in start.subprocess.steps)
    assert start.subprocess.children[-1].command[-1] == "demo"
    assert steps(start) == ["torch", "rest"]
    (folder / "constraints.txt").unlink()
    start.main(["demo"])
    assert steps(start) == []
    start.main(["demo", "--extras"])
    assert not any("--constraint" in command for command in start.subprocess.steps)


def test_environment_of_an_earlier_start_gets_the_constraints_and_is_not_made_anew(start):
    start.main(["demo"])
    stamp = json.loads(start.STAMP.read_text())
    start.STAMP.write_text(json.dumps({key: value for key, value in stamp.items() if key != "constraints"}))
    steps(start)
    start.main(["demo"])
    assert steps(start) == ["torch", "rest"]


@pytest.mark.parametrize("change", [{"python": "3.10"}, {"folder": "/moved"}, {"build": "MPS"}, {"build": None}])
def test_environment_made_for_something_else_is_made_anew(start, change):
    start.main(["demo"])
    start.STAMP.write_text(json.dumps({**json.loads(start.STAMP.read_text()), **change}))
    steps(start)
    start.main(["demo"])
    assert steps(start) == ["venv", "torch", "rest"]


@pytest.mark.parametrize("stamp", ["", "{", "[]", "{}"])
def test_stamp_that_cannot_be_read_counts_as_none(start, stamp):
    start.main(["demo"])
    start.STAMP.write_text(stamp)
    steps(start)
    start.main(["demo"])
    assert steps(start) == ["venv", "torch", "rest"]


def test_environment_whose_python_is_gone_is_made_anew(start):
    start.main(["demo"])
    start.PYTHON.unlink()
    steps(start)
    start.main(["demo"])
    assert steps(start) == ["venv", "torch", "rest"]


@pytest.mark.parametrize("word", ["venv", "--index-url", ".[test]"])
def test_interrupted_set_up_is_quiet_and_repaired_by_the_next_start(start, word, capsys):
    start.subprocess.fails = {word: KeyboardInterrupt()}
    assert start.main(["demo"]) == 130
    assert "Traceback" not in capsys.readouterr().err
    assert not start.STAMP.exists()
    assert start.subprocess.children == []
    (start.VENV / "half-made").touch()
    start.subprocess.fails = {}
    steps(start)
    assert start.main(["demo"]) == 0
    assert steps(start) == ["venv", "torch", "rest"]
    assert not (start.VENV / "half-made").exists()


def test_interrupted_update_leaves_no_stamp(start, folder):
    start.main(["demo"])
    (folder / "pyproject.toml").write_text((folder / "pyproject.toml").read_text() + "\n")
    start.subprocess.fails = {".[test]": KeyboardInterrupt()}
    assert start.main(["demo"]) == 130
    assert not start.STAMP.exists()


def test_progress_is_one_line_per_step_on_stderr(start, capsys):
    start.main(["demo"])
    out, err = capsys.readouterr()
    assert out == ""
    assert re.findall(r"^(.*) \.\.\. \d+ s$", err, re.M) == [
        "making .venv",
        "installing torch (CPU)",
        "installing the package and what it needs",
    ]


# --- what can go wrong ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("output", "words"),
    [
        (OFFLINE, r"no network: .*\[Errno -2\] Name or service not known"),
        ("ReadTimeoutError: Read timed out.", "no network: .*timed out.*go online and run again"),
        ("ConnectionResetError(104)", "no network"),
        ("ERROR: [Errno 28] No space left on device", "no disk space: .*free some and run again"),
        (
            "ERROR: No matching distribution found for torch>=2.6",
            r"pip found no torch>=2\.6 for Python 3\.\d+.*take Python 3.12 or --latest",
        ),
        ("fine\nERROR: first\nERROR: the wheel is broken\nnote: x", r"\(ERROR: the wheel is broken\)"),
        ("", r"\(exit code 1\)"),
    ],
)
def test_failed_install_ends_with_one_line(start, output, words):
    start.subprocess.fails = {".[test]": output}
    line = failure(start)
    assert re.search(words, line), line
    assert str(start.LOG) in line
    assert output in start.LOG.read_text()


def test_failed_environment_ends_with_one_line(start):
    start.subprocess.fails = {"venv": "Error: [Errno 13] Permission denied: '/x/.venv'"}
    assert "Permission denied" in failure(start)


def test_unreachable_cpu_index_falls_back_to_the_plain_install_and_says_so(start, capsys):
    start.subprocess.fails = {"--index-url": OFFLINE}
    assert start.main(["demo"]) == 0
    assert steps(start) == ["venv", "torch", "rest"]
    assert len(re.findall("bigger download", capsys.readouterr().err)) == 1


def test_full_disk_while_installing_torch_does_not_fall_back(start):
    start.subprocess.fails = {"--index-url": "ERROR: [Errno 28] No space left on device"}
    assert "no disk space" in failure(start)
    assert steps(start) == ["venv", "torch"]


@pytest.mark.parametrize(("argv", "free", "need"), [([], 2.9e9, "3 GB"), (["--gpu"], 7.9e9, "8 GB")])
def test_too_little_disk_space_is_seen_before_anything_is_done(start, monkeypatch, argv, free, need):
    monkeypatch.setattr(start.shutil, "disk_usage", lambda _: SimpleNamespace(free=free))
    line = failure(start, argv)
    assert re.search(f"no disk space: .*{need}.*{free / 1e9:.1f} GB free; free some", line), line
    assert start.subprocess.steps == []


@pytest.mark.parametrize("module", ["venv", "ensurepip"])
def test_missing_module_of_debian_is_named(start, monkeypatch, module):
    found = importlib.util.find_spec
    monkeypatch.setattr(start.importlib.util, "find_spec", lambda name: None if name == module else found(name))
    assert re.search(f"no module {module} .*apt install python3-venv", failure(start))
    assert start.subprocess.steps == []


@pytest.mark.parametrize("name", ["pyproject.toml", "constraints.txt"])
def test_folder_without_what_says_the_versions_is_one_line(start, folder, name):
    (folder / name).unlink()
    assert name in failure(start)


def test_old_python_is_one_line(start, capsys):
    with pytest.raises(SystemExit, match=r"start\.py: Python 3\.11 or newer is needed, .* Python 3\.9 \(.*\)"):
        start.check_python((3, 9, 18, "final", 0))
    start.check_python((3, 11, 0, "final", 0))


def test_python_36_can_read_start_far_enough_to_say_so():
    tree = ast.parse(SOURCE, feature_version=(3, 6))
    called = next(node for node in tree.body if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call))
    before = tree.body[: tree.body.index(called)]
    assert ast.unparse(called) == "check_python(sys.version_info)"
    assert "tomllib" not in ast.unparse(before)
    assert "annotations" not in ast.unparse(before)


def project() -> dict:
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def test_oldest_python_is_the_one_of_pyproject(start):
    assert project()["requires-python"] == ">=" + ".".join(map(str, start.MINIMUM))


# --- the commands -----------------------------------------------------------------------------------------

LAB = ["-m", "jupyterlab", "--LabApp.default_url=/lab/tree/notebooks/00_start_here.ipynb"]
PACKAGE = ["-m", "recsys_tutorial"]


@pytest.mark.parametrize(
    ("argv", "command"),
    [
        ([], LAB),
        (["lab"], LAB),
        (["--no-browser"], [*LAB, "--no-browser"]),
        (["lab", "--no-browser", "--port", "8890"], [*LAB, "--no-browser", "--port", "8890"]),
        (["demo", "--json", "out.json"], [*PACKAGE, "demo", "--json", "out.json"]),
        (["demo", "--help"], [*PACKAGE, "demo", "--help"]),
        (["--gpu", "demo", "-k", "5"], [*PACKAGE, "demo", "-k", "5"]),
        (["demo", "-k", "5", "--gpu"], [*PACKAGE, "demo", "-k", "5"]),
        (["--gpu"], LAB),
        (["recommend", "a dir", "--liked", "Toy Story (1995)"],
         [*PACKAGE, "recommend", "a dir", "--liked", "Toy Story (1995)"]),
        *[([name], [*PACKAGE, name]) for name in [*COMMANDS, "study"]],
        (["benchmark", "--against", "implicit"], [*PACKAGE, "benchmark", "--against", "implicit"]),
    ],
)  # fmt: skip
def test_arguments_pass_through(start, argv, command, monkeypatch):
    monkeypatch.setattr(os, "geteuid", lambda: 1000, raising=False)
    assert start.main(argv) == 0
    (child,) = start.subprocess.children
    assert child.command == [str(start.PYTHON), *command]
    assert child.cwd == (start.HERE if command[:3] == LAB else None), "paths of a command are the user's own"


@pytest.mark.parametrize("argv", [["--language", "zh"], ["lab", "--port", "8890", "--language=zh"]])
def test_language_opens_the_notebooks_of_that_edition(start, argv, monkeypatch):
    monkeypatch.setattr(os, "geteuid", lambda: 1000, raising=False)
    edition = start.HERE / "notebooks" / "zh"
    edition.mkdir(parents=True)
    (edition / "00_start_here.ipynb").touch()
    assert start.main(argv) == 0
    (child,) = start.subprocess.children
    _, module, address, kernels, *rest = child.command[1:]
    assert module == "jupyterlab"
    assert address == "--LabApp.default_url=/lab/tree/notebooks/zh/00_start_here.ipynb"
    assert kernels == f"--MappingKernelManager.root_dir={start.HERE / 'notebooks'}", "what is read as ../docs is there"
    assert rest == ["--port", "8890"] * ("--port" in argv)


def test_a_language_that_is_not_there_is_refused(start, capsys):
    with pytest.raises(SystemExit) as stopped:
        start.main(["lab", "--language", "fr"])
    assert stopped.value.code == 2
    assert re.search(r"start\.py lab: error: argument --language: invalid choice: 'fr' \(choose from '?en'?\)",
                     capsys.readouterr().err)  # fmt: skip
    assert start.subprocess.children == []


def test_root_is_let_in(start, monkeypatch):
    monkeypatch.setattr(os, "geteuid", lambda: 0, raising=False)
    assert start.main(["--no-browser"]) == 0
    assert start.subprocess.children[0].command == [str(start.PYTHON), *LAB, "--allow-root", "--no-browser"]


@pytest.mark.parametrize(("code", "exit_code"), [(0, 0), (2, 2), (-15, 143)])
def test_exit_code_of_the_child_is_ours(start, code, exit_code):
    start.subprocess.codes = [code]
    assert start.main(["demo"]) == exit_code


@pytest.mark.parametrize(("codes", "exit_code"), [([KeyboardInterrupt(), 0], 0), ([KeyboardInterrupt(), 1], 130)])
def test_ctrl_c_waits_for_the_child_and_is_quiet(start, codes, exit_code, capsys):
    start.subprocess.codes = codes
    assert start.main(["lab"]) == exit_code
    assert start.subprocess.codes == []
    assert "Traceback" not in capsys.readouterr().err


NBVAL = (
    "-m pytest --nbval --nbval-current-env --nbval-cell-timeout 120 "
    "--nbval-sanitize-with tests/sanitize.cfg -n 2 --dist loadfile -p no:cacheprovider notebooks --ignore=notebooks/zh"
)


def test_test_runs_all_that_ci_runs_and_returns_the_first_failure(start, capsys, monkeypatch):
    monkeypatch.setattr(start.shutil, "which", {"chromium": "/usr/bin/chromium"}.get)
    start.subprocess.codes = [0, 0, 3, 4]
    assert start.main(["test", "-k", "splits"]) == 3
    ruff, types, tests, notebooks, browser = [child.command[1:] for child in start.subprocess.children]
    assert ruff == ["-m", "ruff", "check", "."]
    assert types == ["-m", "mypy"]
    assert tests == ["-m", "pytest", "tests", *start.WORKERS, "--no-loadscope-reorder", "-k", "splits"]
    assert " ".join(notebooks[:-2]) == NBVAL
    assert " ".join(browser) == "-m pytest tests/browser -m browser -n 2 --dist load -p no:cacheprovider"
    assert {child.cwd for child in start.subprocess.children} == {start.HERE}
    assert start.subprocess.steps[-1][-2:] == ["-c", "import playwright"], "it is there: nothing is installed"
    said = capsys.readouterr().err
    assert "ruff passed, types passed, tests failed (3), notebooks failed (4), browser passed, in 0.0 minutes" in said


def test_quick_test_runs_ruff_and_the_fast_tests_and_says_what_it_leaves_out(start, capsys, monkeypatch):
    monkeypatch.setattr(start.shutil, "which", {"chromium": "/usr/bin/chromium"}.get)
    start.subprocess.codes = [0, 3]
    assert start.main(["test", "-k", "splits", "--quick"]) == 3
    ruff, tests = [child.command[1:] for child in start.subprocess.children]
    assert ruff == ["-m", "ruff", "check", "."]
    assert tests[:3] == ["-m", "pytest", "tests"]
    assert tests[3:7] == list(start.WORKERS)
    assert tests[-2:] == ["-k", "splits"]
    assert {f"--ignore=tests/{name}" for name in start.SLOW} == {text for text in tests if text.startswith("--ignore")}
    said = capsys.readouterr().err
    assert "ruff passed, tests failed (3), in 0.0 minutes" in said
    assert "not run with --quick: the types, the notebooks, the browser, and of tests/ " in said
    assert all(name in said for name in start.SLOW)
    assert not any("import playwright" in command for command in start.subprocess.steps)


def test_what_quick_leaves_out_is_there(start):
    assert all((ROOT / "tests" / name).exists() for name in start.SLOW)
    for name in ("browser", "engine/test_processes.py", "course/test_notebooks.py", "test_wheel.py"):
        assert any(name.startswith(slow) for slow in start.SLOW)


def test_playwright_is_installed_where_there_is_a_browser(start, monkeypatch, capsys):
    monkeypatch.setattr(start.shutil, "which", {"google-chrome": "/usr/bin/google-chrome"}.get)
    start.subprocess.fails = {"import playwright": ""}
    assert start.main(["test"]) == 0
    assert start.subprocess.steps[-1] == [*start.pip(), "-e", ".[browser]"]
    assert len(start.subprocess.children) == 5
    start.subprocess.fails[".[browser]"] = "ERROR: No matching distribution found for playwright"
    assert start.main(["test"]) == 0
    assert "browser skipped (pip found no playwright for Python" in capsys.readouterr().err
    assert len(start.subprocess.children) == 5 + 4


def test_site_is_built_with_what_it_needs_and_that_is_installed_once(start):
    start.subprocess.fails = {"import sphinx_book_theme": ""}
    start.subprocess.codes = [1]
    assert start.main(["site", "--open"]) == 1
    assert start.subprocess.steps[-1] == [*start.pip(), "-e", ".[docs]"]
    (child,) = start.subprocess.children
    assert child.command[1:] == [str(start.HERE / "tools" / "site_build.py"), "--open"]
    assert child.cwd == start.HERE
    assert (ROOT / "tools" / "site_build.py").exists()
    start.subprocess.fails = {}
    assert start.main(["site"]) == 0
    assert start.subprocess.steps[-1][-2:] == ["-c", "import sphinx_book_theme"], "it is there: nothing is installed"


def test_site_that_cannot_get_what_it_needs_is_one_line(start):
    start.subprocess.fails = {"import sphinx_book_theme": "", ".[docs]": OFFLINE}
    with pytest.raises(SystemExit, match=r"^start\.py: no network: pip could not reach"):
        start.main(["site"])
    assert start.subprocess.children == []


def test_without_a_browser_its_check_is_skipped_and_that_is_said(start, monkeypatch, capsys):
    monkeypatch.setattr(start.shutil, "which", lambda name: None)
    assert start.main(["test"]) == 0
    assert len(start.subprocess.children) == 4
    assert "notebooks passed, browser skipped (no Chromium on the PATH)" in capsys.readouterr().err


def test_without_extras_what_needs_them_is_left_out_and_said(start, capsys):
    assert start.main(["test"]) == 0
    ignored = [f"--ignore=notebooks/{name}.ipynb" for name in start.NEED_EXTRAS]
    assert start.subprocess.children[3].command[-2:] == ignored
    assert "not run without --extras: 12_from_notebook_to_service, 13" in capsys.readouterr().err
    assert "RECSYS_TUTORIAL_EXTRAS" not in start.subprocess.children[-1].env


def test_extras_are_installed_once_stay_and_are_tested(start, capsys):
    for argv, expected in [
        (["demo"], ["venv", "torch", "rest"]),
        (["test", "--extras"], ["torch", "rest with extras"]),
        (["test"], []),
    ]:
        assert start.main(argv) == 0
        assert steps(start) == expected
    for child in (start.subprocess.children[-5], start.subprocess.children[-1]):
        assert " ".join(child.command[1:]) == NBVAL
        assert child.env["RECSYS_TUTORIAL_EXTRAS"] == "all"
    assert "not run" not in capsys.readouterr().err


def test_notebooks_that_need_extras_exist_in_the_committed_order(start):
    stems = {path.stem for path in (ROOT / "notebooks").glob("1[23]_*.ipynb")}
    assert stems <= set(start.NEED_EXTRAS)


def test_test_stops_at_ctrl_c(start):
    start.subprocess.codes = [0, KeyboardInterrupt(), 2]
    assert start.main(["test"]) == 130
    assert len(start.subprocess.children) == 2


def test_child_runs_in_the_environment_and_its_threads_do_not_spin(start, monkeypatch):
    monkeypatch.setenv("VIRTUAL_ENV", "/another")
    monkeypatch.setenv("PYTHONHOME", "/another")
    monkeypatch.delenv("OMP_WAIT_POLICY", raising=False)
    start.main(["demo"])
    env = start.subprocess.children[-1].env
    assert env["VIRTUAL_ENV"] == str(start.VENV)
    assert env["PATH"].split(os.pathsep)[0] == str(start.PYTHON.parent)
    assert "PYTHONHOME" not in env
    assert env["OMP_WAIT_POLICY"] == "PASSIVE"
    monkeypatch.setenv("OMP_WAIT_POLICY", "ACTIVE")
    start.main(["demo"])
    assert start.subprocess.children[-1].env["OMP_WAIT_POLICY"] == "ACTIVE"


# --- which torch ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("argv", [["--gpu"], ["--gpu", "demo"], ["demo", "--gpu"]])
def test_gpu_option_takes_the_default_torch(start, argv):
    start.main(argv)
    assert steps(start) == ["venv", "rest"]
    start.main(["demo"])
    assert steps(start) == [], "the CUDA build stays: it runs without a GPU too"


@pytest.mark.parametrize(
    ("outcome", "expected"),
    [
        (None, ["venv", "rest"]),
        ("no devices were found", ["venv", "torch", "rest"]),
        (OSError("not a program"), ["venv", "torch", "rest"]),
        (subprocess.TimeoutExpired("nvidia-smi", 20), ["venv", "torch", "rest"]),
    ],
)
def test_gpu_counts_when_nvidia_smi_works(start, monkeypatch, outcome, expected):
    monkeypatch.setattr(start.shutil, "which", lambda name: f"/bin/{name}")
    start.subprocess.fails = {} if outcome is None else {"/bin/nvidia-smi": outcome}
    start.main(["demo"])
    assert start.subprocess.steps.pop(0) == ["/bin/nvidia-smi"]
    assert steps(start) == expected


def test_gpu_asked_for_later_makes_the_environment_anew(start):
    start.main(["demo"])
    steps(start)
    start.main(["demo", "--gpu"])
    assert steps(start) == ["venv", "rest"]


@pytest.mark.parametrize("system", ["darwin", "win32"])
@pytest.mark.parametrize("argv", [[], ["--gpu"]])
def test_other_systems_take_the_default_torch(start, monkeypatch, system, argv):
    monkeypatch.setattr(start.sys, "platform", system)
    start.main(argv)
    assert steps(start) == ["venv", "rest"]
    assert json.loads(start.STAMP.read_text())["build"] == "CPU"


# --- real processes ---------------------------------------------------------------------------------------


def call(*command, cwd, **options) -> subprocess.CompletedProcess:
    return subprocess.run([*map(str, command)], cwd=cwd, capture_output=True, text=True, timeout=60, **options)


def test_help(folder):
    done = call(sys.executable, folder / "start.py", "--help", cwd=folder.parent)
    assert (done.returncode, done.stderr) == (0, "")
    for word in ("lab", *COMMANDS, "study", "site", "test", "--quick", "--gpu", "--extras", "--latest", ".venv"):
        assert word in done.stdout
    assert not (folder / ".venv").exists()


def test_unknown_command(folder):
    done = call(sys.executable, folder / "start.py", "dmeo", "-k", "5", cwd=folder)
    assert (done.returncode, done.stdout) == (2, "")
    assert re.fullmatch(r"start\.py: unknown command 'dmeo'; the commands are lab, test, site, demo, .*\n", done.stderr)
    assert not (folder / ".venv").exists()


@pytest.mark.skipif(os.name == "nt", reason="links this Python into the environment")
def test_started_environment_passes_arguments_and_exit_code_within_two_seconds(start, folder, tmp_path):
    start.main(["doctor"])
    start.PYTHON.unlink()
    start.PYTHON.symlink_to(sys.executable)
    package = tmp_path / "recsys_tutorial"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "__main__.py").write_text("import sys; print(sys.argv[1:]); sys.exit(7)")
    began = time.perf_counter()
    env = {**os.environ, "PATH": "", "PYTHONPATH": str(tmp_path)}  # no nvidia-smi
    command = [sys.executable, str(folder / "start.py"), "doctor", "--json", "-"]
    done = subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, text=True, timeout=60)
    assert (done.stdout, done.stderr) == ("['doctor', '--json', '-']\n", "")
    assert done.returncode == 7
    assert time.perf_counter() - began < 2


@pytest.mark.skipif(shutil.which("bash") is None, reason="CI's script is bash")
def test_ci_runs_start_test_and_can_fail(folder):
    (folder / ".ci").mkdir()
    shutil.copy(ROOT / ".ci" / "run", folder / ".ci" / "run")
    (folder / "start.py").write_text("import os, sys; print(os.getcwd(), sys.argv[1:]); sys.exit(5)")
    browser = folder / "chromium"  # so that .ci/run does not install one
    browser.touch(mode=0o755)
    path = os.pathsep.join([str(folder), os.environ["PATH"]])
    done = call("bash", folder / ".ci" / "run", cwd=folder.parent, env=os.environ | {"PATH": path})
    assert (done.returncode, done.stdout) == (5, f"{folder} ['test', '--extras']\n"), done.stderr
    assert os.name == "nt" or os.access(ROOT / ".ci" / "run", os.X_OK)
