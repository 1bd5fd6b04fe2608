"""What CI on GitHub and pre-commit are told can be read, and names versions, options and files that are there."""

import importlib.util
import re
import sys
import tomllib
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))
import start  # noqa: E402

WORKFLOW = (ROOT / ".github" / "workflows" / "test.yml").read_text(encoding="utf-8")
SITE = (ROOT / ".github" / "workflows" / "site.yml").read_text(encoding="utf-8")
HOOKS = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8"))["repos"]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
CHANGELOG = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


def steps(job: dict) -> list[dict]:
    """The steps of a job that run something of ours."""
    return [step for step in job["steps"] if "run" in step]


@pytest.mark.parametrize(
    ("text", "when"),
    [(WORKFLOW, {"push", "pull_request", "workflow_dispatch"}), (SITE, {"push", "workflow_dispatch"})],
)
def test_workflow_can_be_read_and_says_that_it_was_not_run(text, when):
    workflow = yaml.safe_load(text)
    assert set(workflow[True]) == when, "YAML reads `on` as true"
    assert workflow["permissions"] == {"contents": "read"}
    for job in workflow["jobs"].values():
        assert job["timeout-minutes"] <= 120
        for step in job["steps"]:
            assert ("run" in step) != ("uses" in step)
            assert re.fullmatch(r"actions/[\w-]+@v\d+", step.get("uses", "actions/x@v1"))
    assert "has not run on GitHub" in " ".join(line.lstrip("# ") for line in text.splitlines())


def test_site_is_built_by_start_py_and_what_it_built_is_published():
    (job,) = yaml.safe_load(SITE)["jobs"].values()
    assert job["permissions"] == {"contents": "read", "pages": "write", "id-token": "write"}
    (run,) = [step["run"] for step in steps(job)]
    assert run == "python start.py site"
    assert callable(start.site)
    uses = [step["uses"].split("@")[0] for step in job["steps"] if "uses" in step]
    assert uses[-2:] == ["actions/upload-pages-artifact", "actions/deploy-pages"]
    (path,) = [step["with"]["path"] for step in job["steps"] if "path" in step.get("with", {})]
    tool = (ROOT / "tools" / "site_build.py").read_text(encoding="utf-8")
    assert path == "site/html"
    assert 'SITE, CONF = ROOT / "site"' in tool
    assert '(work / "html").rename(SITE / "html")' in tool


def test_workflow_runs_ci_whole_once_and_what_start_py_knows():
    jobs = yaml.safe_load(WORKFLOW)["jobs"]
    assert [step["run"] for step in steps(jobs["everything"])] == [".ci/run"]
    for step in steps(jobs["systems"]):
        assert re.search(r"python start\.py test --quick( --latest)?$", step["run"].strip())


def test_workflow_takes_all_systems_and_the_oldest_and_newest_versions():
    matrix = yaml.safe_load(WORKFLOW)["jobs"]["systems"]["strategy"]["matrix"]
    assert matrix["system"] == ["ubuntu-latest", "macos-latest", "windows-latest"]
    pairs = {(one["python"], one["torch"]) for one in matrix["versions"]}
    oldest = PROJECT["requires-python"].removeprefix(">=")
    pythons = sorted((python for python, _ in pairs), key=lambda version: int(version.split(".")[1]))
    torch = re.search(r"^torch>=([\d.]+)", "\n".join(PROJECT["dependencies"]), re.M)[1]
    assert pythons[0] == oldest != pythons[-1]
    assert pairs == {(oldest, "exact"), (oldest, f"{torch}.*"), (pythons[-1], "exact"), (pythons[-1], "latest")}


def test_conditions_of_the_workflow_cover_every_version_once():
    systems = yaml.safe_load(WORKFLOW)["jobs"]["systems"]
    for one in systems["strategy"]["matrix"]["versions"]:
        taken = []
        for step in steps(systems):
            condition = step["if"].replace("matrix.versions.torch", repr(one["torch"])).replace("&&", "and")
            taken += [step["run"]] if eval(condition) else []
        assert len(taken) == 1
        assert ("PIP_CONSTRAINT" in taken[0]) == one["torch"].endswith("*")
        assert ("--latest" in taken[0]) == (one["torch"] != "exact"), "the exact torch is the newest allowed"


def test_hooks_are_local_and_name_what_is_there():
    (repo,) = HOOKS
    assert repo["repo"] == "local"
    assert [hook["id"] for hook in repo["hooks"]] == ["ruff", "notebooks"]
    for hook in repo["hooks"]:
        python, dash_m, module, *arguments = hook["entry"].split()
        assert (python, dash_m, hook["language"]) == ("python", "-m", "system")
        assert importlib.util.find_spec(module)
        assert all((ROOT / path).exists() for path in arguments if "/" in path)


@pytest.mark.parametrize(("path", "seen"), [("notebooks/04_pytorch_example.ipynb", True), ("docs/notebooks/x", False)])
def test_hook_of_notebooks_sees_notebooks_and_strips_nothing(path, seen):
    hook = HOOKS[0]["hooks"][1]
    assert bool(re.search(hook["files"], path)) == seen
    assert hook["pass_filenames"] is False


def test_changelog_has_the_version_and_dates_downwards():
    heads = re.findall(r"^## \[(.+?)\](?: - (\d{4}-\d\d-\d\d))?$", CHANGELOG, re.M)
    assert heads[0] == ("Unreleased", "")
    assert PROJECT["version"] in [version for version, _ in heads]
    dates = [date for _, date in heads[1:]]
    assert dates == sorted(dates, reverse=True)
    cited = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert (cited["version"], str(cited["date-released"])) == heads[1]
    kinds = {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}
    assert set(re.findall(r"^### (.+)$", CHANGELOG, re.M)) <= kinds
