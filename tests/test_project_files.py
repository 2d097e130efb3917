"""Files that other programs read: what they say agrees with pyproject.toml, the Makefile and with each other."""

import re
import runpy
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml
from tests.compose import filled, services
from tests.narrowing import not_none

from micrograde.core.version import VERSION

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
REPOSITORY = PROJECT["urls"]["Repository"]
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.y*ml"))
FORMS = sorted((ROOT / ".github" / "ISSUE_TEMPLATE").glob("*.yml"))
WITH_THE_ADDRESS = ("pyproject.toml", "CITATION.cff", "CHANGELOG.md", ".github/ISSUE_TEMPLATE/config.yml")
SECTIONS = ["Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"]


def read(path):
    return (ROOT / path).read_text(encoding="utf-8")


def parse(path):
    return yaml.safe_load(read(path))


def jobs():
    """Each job of each workflow."""
    assert WORKFLOWS
    return [job for path in WORKFLOWS for job in parse(path)["jobs"].values()]


def commands():
    return [step["run"] for job in jobs() for step in job["steps"] if "run" in step]


def targets():
    return set(re.findall(r"^([\w./-]+):(?!=)", read("Makefile"), re.MULTILINE))


def hook_commands():
    hooks = [hook for repo in parse(".pre-commit-config.yaml")["repos"] for hook in repo["hooks"]]
    assert all(hook["language"] == "system" for hook in hooks)
    return [hook["entry"] for hook in hooks]


def as_number(version):
    return tuple(map(int, version.split(".")))


def pythons_of_the_matrix():
    """The Pythons of the matrix of the job that tests, in order."""
    (matrix,) = (job["strategy"]["matrix"] for job in jobs() if "strategy" in job)
    return matrix["python"]


def test_a_workflow_names_targets_of_the_makefile_alone():
    made = [not_none(re.match(r"make (\S+)", command))[1] for command in commands()]
    assert {"lint", "test", "docs", "check-release"} <= set(made) <= targets()
    of_hooks = [entry.split()[-1] for entry in hook_commands() if entry.startswith("make ")]
    assert "lint" in of_hooks
    assert set(of_hooks) <= targets()


def test_a_part_of_check_release_that_a_workflow_names_is_one():
    (part,) = (found[1] for each in commands() if (found := re.search(r"check-release ARGS=(\S+)", each)))
    done = subprocess.run(
        [sys.executable, ROOT / ".ci" / "release.py", "--help"], capture_output=True, text=True, check=True
    )
    assert part in done.stdout.split()


def test_the_pythons_of_the_workflow_are_those_of_pyproject_and_of_check_release(monkeypatch):
    pythons = pythons_of_the_matrix()
    assert pythons == sorted(pythons, key=as_number)
    assert [as_number(each)[1] for each in pythons] == list(
        range(as_number(pythons[0])[1], as_number(pythons[-1])[1] + 1)
    )
    assert PROJECT["requires-python"] == f">={pythons[0]}"
    prefix = "Programming Language :: Python :: 3."
    classified = [
        each.removeprefix(prefix[:-2]) for each in PROJECT["classifiers"] if each.startswith(prefix)
    ]
    assert classified == pythons[: len(classified)]
    monkeypatch.syspath_prepend(ROOT / ".ci")
    assert list(runpy.run_path(str(ROOT / ".ci" / "release.py"))["LATER_PYTHONS"]) == pythons[1:]
    assert not_none(re.search(r"for each in ([\d. ]+);", read("Makefile")))[1].split() == pythons


def test_the_lowest_versions_are_tested_by_the_lowest_python():
    (job,) = (job for job in jobs() if "lowest" in str(job["steps"]))
    (python,) = (
        step["with"]["python-version"] for step in job["steps"] if "setup-python" in step.get("uses", "")
    )
    assert f">={python}" == PROJECT["requires-python"]
    assert f"PYTHON=python{python}" in job["steps"][-1]["run"]


def test_a_workflow_may_only_read_and_takes_actions_by_their_commit():
    for path in WORKFLOWS:
        assert parse(path)["permissions"] == {"contents": "read"}
    used = [step["uses"] for job in jobs() for step in job["steps"] if "uses" in step]
    assert all(re.fullmatch(r"[\w./-]+@[0-9a-f]{40}", each) for each in used)
    assert all("timeout-minutes" in job for job in jobs())


def test_hooks_run_what_the_makefile_runs():
    """Of the pinned environment, never of one that pre-commit makes."""
    programs = [entry.split()[0] for entry in hook_commands()]
    assert set(programs) == {"make", ".venv/bin/ruff"}
    assert hook_commands()[0].split()[-1] in targets()  # the environment comes first


def test_the_citation_is_of_this_version():
    citation = parse("CITATION.cff")
    assert {"cff-version", "message", "title", "authors"} <= citation.keys()  # what the schema requires
    assert citation["cff-version"] == "1.2.0"
    assert citation["version"] == VERSION
    assert citation["license"] == PROJECT["license"]
    assert citation["repository-code"] == REPOSITORY
    assert f"## [{citation['version']}] - {citation['date-released']}\n" in read("CHANGELOG.md")


def test_all_files_know_one_address_of_the_repository():
    for path in WITH_THE_ADDRESS:
        found = re.findall(r"https://github\.com/[\w.-]+/micrograde\b", read(path))
        assert found, path
        assert set(found) == {REPOSITORY}, path


def test_a_system_that_is_classified_is_one_that_the_workflow_tests():
    (job,) = (job for job in jobs() if "strategy" in job)
    matrix = job["strategy"]["matrix"]
    systems = {*matrix["system"], *(each["system"] for each in matrix["include"])}
    known = {"ubuntu-latest": "POSIX :: Linux", "macos-latest": "MacOS"}
    classified = {each for each in PROJECT["classifiers"] if each.startswith("Operating System :: ")}
    assert classified == {f"Operating System :: {known[each]}" for each in systems}


@pytest.mark.parametrize("path", FORMS, ids=lambda path: path.name)
def test_a_form_of_an_issue_can_be_filled_in(path):
    form = parse(path)
    if path.name == "config.yml":
        (report,) = form["contact_links"]
        assert report["url"] == f"{REPOSITORY}/security/advisories/new"
        return
    assert {"name", "description", "body"} <= form.keys()
    ids = [field["id"] for field in form["body"]]
    assert len(ids) == len(set(ids))
    assert all(field["attributes"]["label"] for field in form["body"])


def test_links_of_the_security_policy_lead_to_something():
    links = re.findall(r"\]\(([^)]+)\)", read("SECURITY.md").replace("\n", " "))
    assert "../../security/advisories/new" in links  # as GitHub resolves it from the file's own page
    assert "docs/security.md" in links
    for link in links:
        path, _, heading = link.partition("#")
        if path.startswith("../../"):
            continue
        headings = re.findall(r"^#+ (.+)$", read(path), re.MULTILINE)
        assert not heading or heading in {
            re.sub(r"[^\w -]", "", each.lower()).replace(" ", "-") for each in headings
        }


def test_the_changelog_has_the_form_of_keep_a_changelog():
    text = read("CHANGELOG.md")
    versions = re.findall(r"^## (.+)$", text, re.MULTILINE)
    assert versions[0] == "[Unreleased]"
    assert all(re.fullmatch(r"\[\d+\.\d+\.\d+\] - \d{4}-\d\d-\d\d", each) for each in versions[1:])
    for part in re.split(r"^## .+$", text, flags=re.MULTILINE)[1:]:
        sections = re.findall(r"^### (.+)$", part, re.MULTILINE)
        assert sections == [each for each in SECTIONS if each in sections]
    references = dict(re.findall(r"^\[(.+?)\]: (\S+)$", text, re.MULTILINE))
    numbers = [not_none(re.match(r"\[(.+?)\]", each))[1] for each in versions]
    assert list(references) == numbers
    assert references["Unreleased"] == f"{REPOSITORY}/compare/v{numbers[1]}...HEAD"
    assert references[numbers[-1]] == f"{REPOSITORY}/releases/tag/v{numbers[-1]}"


# --- compose.yaml ---------------------------------------------------------------------------------


def test_the_server_of_several_people_keeps_files_and_database_itself():
    database, server = services()["database"], services()["mlflow"]
    assert set(services()) == {"database", "mlflow"}
    assert "ports" not in database
    assert server["ports"] == ["127.0.0.1:5000:5000"]
    assert server["depends_on"] == {"database": {"condition": "service_healthy"}}
    volumes = {name: service["volumes"] for name, service in services().items()}
    assert volumes == {"database": ["database:/var/lib/postgresql/data"], "mlflow": ["files:/files"]}
    assert set(parse("compose.yaml")["volumes"]) == {"database", "files"}
    command = [filled(word, {"SERVER_NAME": "runs.example.org"}) for word in server["command"]]
    assert command[:2] == ["mlflow", "server"]
    assert {"--serve-artifacts", "--artifacts-destination=/files", "--port=5000"} <= set(command)
    assert "--allowed-hosts=localhost:5000,127.0.0.1:5000,runs.example.org" in command
    assert "--cors-allowed-origins=https://runs.example.org" in command
    for service in services().values():
        assert service["healthcheck"]["test"][0] == "CMD"
        assert service["restart"] == "unless-stopped"
    compile(server["healthcheck"]["test"][-1], "healthcheck", "exec")


def test_no_password_is_in_compose_yaml():
    with pytest.raises(KeyError, match="POSTGRES_PASSWORD"):
        filled(services()["database"]["environment"]["POSTGRES_PASSWORD"], {})
    given = {"POSTGRES_PASSWORD": "secret"}
    assert filled(services()["database"]["environment"]["POSTGRES_PASSWORD"], given) == "secret"
    assert (
        filled(services()["mlflow"]["environment"]["MLFLOW_BACKEND_STORE_URI"], given)
        == "postgresql+psycopg://mlflow:secret@database:5432/mlflow"
    )
    ignored = subprocess.run(["git", "check-ignore", "--quiet", ".env"], cwd=ROOT)
    assert ignored.returncode == 0


def test_compose_yaml_has_the_versions_that_are_tested():
    image = services()["mlflow"]["build"]["dockerfile_inline"]
    constraints = read(".ci/constraints.txt")
    for package, extra in (("mlflow", ""), ("psycopg", "[binary]")):
        (version,) = re.findall(rf"^{package}==(\S+)$", constraints, re.MULTILINE)
        assert f"{package}{extra}=={version}" in image
    for name in (services()["database"]["image"], *re.findall(r"^FROM (\S+)$", image, re.MULTILINE)):
        assert re.fullmatch(r"\w+:\d+\.\d+(\.\d+)?-[\w-]+", name)
