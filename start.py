"""Set up and start the tutorial. Needs Python 3.11 or newer and, the first time, the internet.

python start.py [lab]           open JupyterLab at notebooks/00_start_here.ipynb; --language zh opens them in Chinese
python start.py demo            pretrain, fine-tune, compare and recommend, in under a minute
python start.py test            everything that CI runs: ruff, types, tests/, the notebooks, and again in a browser
python start.py test --quick    ruff and the tests that are fast, in under two minutes; says what it leaves out
python start.py site            build the course as pages to read, with the API, in site/html; --open opens them
python start.py COMMAND         datasets, doctor, pretrain, advise, finetune, predict, evaluate, benchmark, recommend,
                                similar, update, serve or study

What follows the command is passed on: `python start.py lab --no-browser --port 8890`,
`python start.py recommend --help`, `python start.py test -k splits` (to the pytest of tests/ only).
--gpu, or an NVIDIA GPU that is found, takes the CUDA build of torch instead of the small CPU build
(on Linux; for Windows pip has the CPU build only, and pytorch.org says how to change it in .venv).
The browser check needs Chromium (on Debian and Ubuntu: sudo apt install chromium), else it is skipped.
--extras adds what notebooks 12 and 13 need (ONNX, TensorFlow, a web service and more; 2 GB); it stays in .venv,
and `python start.py test --extras`, which CI runs, tests with it what is skipped without it.
pip takes the exact versions of constraints.txt; with --latest the newest that pyproject.toml allows (.venv stays so).

The first start makes the folder .venv and installs into it (its log: .venv/install.log). Later
starts install nothing until pyproject.toml or constraints.txt changes. To begin again, delete .venv.
"""

import argparse
import hashlib
import importlib.util
import json
import os
import platform
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

MINIMUM = (3, 11)  # as requires-python in pyproject.toml


def check_python(version: tuple) -> None:
    """Stop with one line when Python is too old: Python 3.6 still reads this file and gets here."""
    if tuple(version[:2]) < MINIMUM:
        found = ".".join(map(str, version[:2]))
        seen = f"start.py: Python 3.11 or newer is needed, and this is Python {found} ({sys.executable}): "
        sys.exit(seen + "install a newer one from python.org and use it, as in `python3.12 start.py`")


check_python(sys.version_info)  # before anything that an older Python does not know

HERE = Path(__file__).resolve().parent
VENV = HERE / ".venv"
PYTHON = VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
LOG = VENV / "install.log"
STAMP = VENV / "installed.json"  # written last: without it the set-up did not finish
CONSTRAINTS = "constraints.txt"  # exact versions, written by tools/lock.py
LATEST = "latest"  # in the stamp, in place of their hash
CPU_INDEX = "https://download.pytorch.org/whl/cpu"
FIRST_NOTEBOOK = "notebooks/00_start_here.ipynb"  # of a translation: notebooks/LANGUAGE/...
NBVAL = "--nbval --nbval-current-env --nbval-cell-timeout 120 --nbval-sanitize-with tests/sanitize.cfg"
PACKAGE_COMMANDS = (  # as in recsys_tutorial/cli/main.py
    "demo", "datasets", "doctor", "pretrain", "advise", "finetune", "predict", "evaluate", "benchmark", "recommend",
    "similar", "update", "serve", "study",
)  # fmt: skip
NEED_EXTRAS = ("12_from_notebook_to_service", "13_with_other_tools")  # notebooks stored as run with all extras
WORKERS = ("-n", "2", "--dist", "loadfile")  # of pytest-xdist; a file's tests share what they train
SLOW = (  # files and folders of tests/ that --quick leaves out: each takes long, or is about what is stored
    "browser", "benchmark", "bridges/test_keras_twin.py", "cli", "course/test_contributing.py", "course/test_guide.py",
    "course/test_notebooks.py", "course/test_site_build.py", "course/test_when_something_goes_wrong.py",
    "data/published/test_downloads.py", "data/readers/test_formats.py", "data/test_storage.py",
    "encoders/test_feature.py", "engine/test_processes.py", "engine/test_sampling.py", "learning/test_pretraining.py",
    "metrics/test_oracles.py", "objectives", "serving/test_export.py", "serving/test_service.py", "studies", "system",
    "tasks/test_clicks.py", "teaching/test_solutions.py", "test_types.py", "test_wheel.py",
)  # fmt: skip
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")
DISK_GB = {"CPU": 3, "CUDA": 8}
DISK_FULL = re.compile(r"No space left|Disk quota exceeded|not enough space on the disk", re.IGNORECASE)
NO_NETWORK = re.compile(
    r"Failed to establish a new connection: [^'\")]+|Failed to resolve '[^']+'|Max retries exceeded|timed out"
    r"|ProxyError|SSLError|CERTIFICATE_VERIFY_FAILED|IncompleteRead|Connection(Aborted|Refused|Reset)Error"
)
NO_MATCH = re.compile(r"No matching distribution found for (.+)")


def say(text: str, end: str = "\n") -> None:
    """Print to stderr: stdout belongs to the command that is started."""
    print(text, end=end, file=sys.stderr, flush=True)


def stop(text: str) -> None:
    """End the program with exit code 1 and one line on stderr."""
    sys.exit(f"start.py: {text}")


def gpu_found() -> bool:
    """Return whether ``nvidia-smi`` is on the PATH and works."""
    program = shutil.which("nvidia-smi")
    try:
        return bool(program) and not subprocess.run([program], capture_output=True, timeout=20).returncode
    except (OSError, subprocess.TimeoutExpired):
        return False


def read_stamp() -> dict:
    """Return what .venv was made from; empty when .venv is missing or half made."""
    try:
        stamp = json.loads(STAMP.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return stamp if isinstance(stamp, dict) and PYTHON.exists() else {}


def write_stamp(stamp: dict) -> None:
    """Write the stamp whole: to a temporary file, then renamed."""
    temporary = STAMP.with_suffix(".tmp")
    temporary.write_text(json.dumps(stamp, indent=2), encoding="utf-8")
    os.replace(temporary, STAMP)


def environment() -> dict:
    """Return the environment of every child: .venv as if activated, OpenMP threads that do not spin."""
    env = {key: value for key, value in os.environ.items() if key != "PYTHONHOME"}
    env["VIRTUAL_ENV"] = str(VENV)  # another active one would be added to sys.path by IPython
    env["PATH"] = os.pathsep.join([str(PYTHON.parent), env.get("PATH", os.defpath)])
    env.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    if read_stamp().get("extras"):
        env["RECSYS_TUTORIAL_EXTRAS"] = "all"  # then a test fails where one is missing, instead of all being skipped
    return env


def explain(output: str) -> str:
    """Return one line on a failed step from what it printed: the cause, what was seen, the way out."""
    network, missing = NO_NETWORK.search(output), NO_MATCH.search(output)
    if DISK_FULL.search(output):
        cause = f"no disk space: the disk became full while installing in {VENV}; free some"
    elif network:
        cause = f"no network: pip could not reach its package index ({network.group().strip()}); go online"
    elif missing:
        here = f"Python {platform.python_version()} on {platform.system()} {platform.machine()}"
        cause = f"pip found no {missing.group(1).strip()} for {here}; check the network, take Python 3.12 or --latest"
    else:
        lines = [line.strip() for line in output.splitlines() if line.strip()]
        errors = [line for line in lines if line.startswith(("ERROR", "Error"))]
        cause = f"the set-up failed ({(errors or lines)[-1][:200]}); mend that"
    return f"{cause} and run again (whole output: {LOG})"


def step(name: str, command: list) -> str:
    """Run one step of the set-up, output to the log; return "" or, when it failed, what it printed."""
    say(f"{name} ...", end=" ")
    began, start = time.monotonic(), LOG.stat().st_size if LOG.exists() else 0
    with LOG.open("ab") as log:
        options = {"stdin": subprocess.DEVNULL, "stdout": log, "stderr": subprocess.STDOUT}
        code = subprocess.run(command, cwd=HERE, env=environment(), **options).returncode
    say("failed" if code else f"{time.monotonic() - began:.0f} s")
    return LOG.read_bytes()[start:].decode("utf-8", "replace").strip() or f"exit code {code}" if code else ""


def check_disk(build: str) -> None:
    """Stop when the disk has too little room for this build of torch and all the rest."""
    free = shutil.disk_usage(HERE).free / 1e9
    if free < DISK_GB[build]:
        need = f"{HERE} needs about {DISK_GB[build]} GB (torch for {build}) and has {free:.1f} GB free"
        stop(f"no disk space: {need}; free some and run again")


def make_venv(build: str) -> None:
    """Make .venv anew; whatever an earlier, interrupted run left there goes."""
    for module in ("venv", "ensurepip"):
        if importlib.util.find_spec(module) is None:
            way_out = "install it (on Debian and Ubuntu: sudo apt install python3-venv) and run again"
            stop(f"no module {module} in this Python ({sys.executable}): {way_out}")
    if VENV.exists():
        say("removing an unfinished or outdated .venv")
        shutil.rmtree(VENV)
    check_disk(build)
    VENV.mkdir()
    say(f"setting up in {VENV} (a few minutes, only once; log: {LOG.name})")
    base = getattr(sys, "_base_executable", sys.executable)  # not another venv's, nor our own old one's
    output = step("making .venv", [base, "-m", "venv", str(VENV)])
    if output:
        stop(explain(output))


def torch_requirement() -> str:
    """Return the line of pyproject.toml that bounds torch."""
    import tomllib  # new in Python 3.11

    project = tomllib.loads((HERE / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return next(line for line in project["dependencies"] if re.match(r"torch(?![\w.-])", line))


def pip(latest: bool = False) -> list:
    """Return the command that installs what follows it, in the exact versions of the constraints unless ``latest``."""
    options = ["--disable-pip-version-check", "--no-input", "--progress-bar", "off"]
    exact = [] if latest else ["--constraint", CONSTRAINTS]
    return [str(PYTHON), "-m", "pip", "install", *options, *exact]


def install(build: str, extras: bool, latest: bool) -> None:
    """Install torch by itself where that gets the CPU build, then the package with all that it needs."""
    if sys.platform == "linux" and build == "CPU":
        options = ["--no-deps", "--retries", "1", "--index-url", CPU_INDEX]
        output = step("installing torch (CPU)", [*pip(latest), *options, torch_requirement()])
        if DISK_FULL.search(output):
            stop(explain(output))
        elif output:
            say(f"no CPU build of torch from {CPU_INDEX}: taking pip's default, a bigger download")
            check_disk("CUDA")
    package = ".[test,test-extras]" if extras else ".[test]"
    output = step("installing the package and what it needs", [*pip(latest), "-e", package])
    if output:
        stop(explain(output))


def hash_of(name: str) -> str:
    """Return the SHA-256 of a file of this folder."""
    return hashlib.sha256((HERE / name).read_bytes()).hexdigest()


def set_up(gpu: bool, extras: bool, latest: bool) -> None:
    """Make .venv what pyproject.toml and the constraints ask for; when it is that already, do nothing.

    Extras once installed stay, and so do the latest versions once taken.
    """
    old = read_stamp()
    latest = latest or old.get("constraints") == LATEST
    cuda = sys.platform == "linux" and (gpu or old.get("build") == "CUDA" or gpu_found())
    new = {
        "build": "CUDA" if cuda else "CPU",
        "python": ".".join(platform.python_version_tuple()[:2]),
        "folder": str(HERE),
        "pyproject": hash_of("pyproject.toml"),
        "constraints": LATEST if latest else hash_of(CONSTRAINTS),
        "extras": extras or old.get("extras", False),
    }
    if old == new:
        return
    STAMP.unlink(missing_ok=True)
    changes = {"pyproject": "", "constraints": "", "extras": False}  # these need no new .venv
    if {**old, **changes} != {**new, **changes}:
        make_venv(new["build"])
    install(new["build"], new["extras"], latest)
    write_stamp(new)


def run(arguments: list, cwd: "Path | None" = None, **more: str) -> int:
    """Run .venv's Python with these arguments, ``more`` in its environment, and return its exit code.

    Ctrl-C is left to it.
    """
    child = subprocess.Popen([str(PYTHON), *arguments], cwd=cwd, env={**environment(), **more})
    signal.signal(signal.SIGTERM, lambda *_: child.terminate())
    interrupted = False
    while True:
        try:
            code = child.wait()
            break
        except KeyboardInterrupt:  # the child got it too, and may ask or tidy up before it ends
            interrupted = True
    if interrupted and code:
        raise KeyboardInterrupt
    return code if code >= 0 else 128 - code


def lab(extra: list) -> int:
    """Open JupyterLab, the whole project in its file browser, at the first notebook, perhaps of a translation."""
    notebooks, first = HERE / "notebooks", FIRST_NOTEBOOK
    languages = ["en", *sorted(path.parent.name for path in notebooks.glob("*/" + Path(first).name))]
    options = argparse.ArgumentParser("start.py lab", add_help=False, allow_abbrev=False, usage=argparse.SUPPRESS)
    options.add_argument("--language", choices=languages, default="en")
    chosen, rest = options.parse_known_args(extra)
    if chosen.language != "en":
        first = first.replace("/", f"/{chosen.language}/")
        # Its code is that of the English, and reads ../docs: kernels start in notebooks/ here too.
        rest.insert(0, f"--MappingKernelManager.root_dir={notebooks}")
    # In a container people are root, which Jupyter refuses without being told; it listens on loopback all the same.
    root = ["--allow-root"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []
    return run(["-m", "jupyterlab", f"--LabApp.default_url=/lab/tree/{first}", *root, *rest], HERE)


def add_extra(extra: str, module: str) -> str:
    """Install an extra of pyproject.toml unless its module is there; return "" or, when that failed, why."""
    seek = [str(PYTHON), "-c", f"import {module}"]
    if not subprocess.run(seek, env=environment(), stderr=subprocess.DEVNULL).returncode:
        return ""
    output = step(f"installing {module}", [*pip(read_stamp().get("constraints") == LATEST), "-e", f".[{extra}]"])
    return explain(output) if output else ""


def site(extra: list) -> int:
    """Build the site, with what that needs installed once, and say where it is."""
    why_not = add_extra("docs", "sphinx_book_theme")
    if why_not:
        stop(why_not)
    return run([str(HERE / "tools" / "site_build.py"), *extra], HERE)


def quick_test(extra: list) -> int:
    """Run ruff and the fast tests, and say what is left out; return the first exit code that is not 0."""
    fast = ["pytest", "tests", *WORKERS, *[f"--ignore=tests/{name}" for name in SLOW]]
    code = run_checks({"ruff": ["ruff", "check", "."], "tests": [*fast, *extra]})
    say(f"not run with --quick: the types, the notebooks, the browser, and of tests/ {', '.join(SLOW)}")
    return code


def run_checks(checks: dict, skipped: str = "") -> int:
    """Run named commands of .venv's Python to the end, say how each went; return the first exit code that is not 0."""
    began = time.monotonic()
    # Two workers, a thread each: twice as many threads as cores wait for one another, some cells for a minute.
    threads = os.environ.get("OMP_NUM_THREADS", "1")
    codes = {name: run(["-m", *command], HERE, OMP_NUM_THREADS=threads) for name, command in checks.items()}
    results = [f"{name} {f'failed ({code})' if code else 'passed'}" for name, code in codes.items()]
    results += [skipped] if skipped else []
    say(f"start.py test: {', '.join(results)}, in {(time.monotonic() - began) / 60:.1f} minutes")
    return next(filter(None, codes.values()), 0)


def test(extra: list) -> int:
    """Run all that CI runs, or with --quick the fast part; return the first exit code that is not 0."""
    if "--quick" in extra:
        return quick_test([text for text in extra if text != "--quick"])
    has_browser = any(map(shutil.which, BROWSERS))
    why_not = add_extra("browser", "playwright") if has_browser else "no Chromium on the PATH"
    left_out = () if read_stamp().get("extras") else NEED_EXTRAS
    checks = {
        "ruff": ["ruff", "check", "."],
        "types": ["mypy"],
        "tests": ["pytest", "tests", *WORKERS, "--no-loadscope-reorder", *extra],  # long files are not the last ones
        "notebooks": ["pytest", *NBVAL.split(), *WORKERS, "-p", "no:cacheprovider", "notebooks"]
        + [f"--ignore=notebooks/{name}" for name in ("zh", *(f"{name}.ipynb" for name in left_out))],
        "browser": ["pytest", "tests/browser", "-m", "browser", "-n", "2", "--dist", "load", "-p", "no:cacheprovider"],
    }
    if why_not:
        del checks["browser"]
    code = run_checks(checks, f"browser skipped ({why_not})" if why_not else "")
    if left_out:
        say(f"not run without --extras: {', '.join(left_out)}, and the tests skipped above that name an extra")
    return code


def main(argv: list) -> int:
    """Set up, then start the command; return the exit code."""
    arguments = [text for text in argv if text not in ("--gpu", "--extras", "--latest")]
    if arguments[:1] in (["-h"], ["--help"]):
        print(__doc__.strip())
        return 0
    named = bool(arguments) and not arguments[0].startswith("-")
    command, extra = (arguments[0], arguments[1:]) if named else ("lab", arguments)
    own = {"lab": lab, "test": test, "site": site}
    if command not in (*own, *PACKAGE_COMMANDS):
        commands = ", ".join((*own, *PACKAGE_COMMANDS))
        say(f"start.py: unknown command {command!r}; the commands are {commands}")
        return 2
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that a step of the set-up ends with us
    try:
        set_up("--gpu" in argv, "--extras" in argv, "--latest" in argv)
        if command in own:
            return own[command](extra)
        return run(["-m", "recsys_tutorial", *arguments], RECSYS_TUTORIAL_COMMAND="python start.py")
    except KeyboardInterrupt:
        say("")
        return 130
    except OSError as error:
        stop(str(error))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
