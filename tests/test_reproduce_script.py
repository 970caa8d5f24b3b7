"""reproduce.sh: which Python and which checkout it runs."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]


def script(checkout: Path, *arguments, path=os.environ["PATH"], cwd=None):
    environment = {**os.environ, "PATH": path}
    return subprocess.run(
        ["bash", str(checkout / "reproduce.sh"), *arguments],
        capture_output=True,
        text=True,
        env=environment,
        cwd=cwd,
        timeout=120,
    )


def with_this_python(rest=os.environ["PATH"]) -> str:
    return f"{Path(sys.executable).parent}{os.pathsep}{rest}"


def test_inside_an_environment_with_this_checkout_nothing_is_installed(tmp_path):
    result = script(ROOT, "--help", path=with_this_python(), cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    assert "warptag reproduce corel5k" in result.stdout
    assert "Installing" not in result.stdout


def test_another_checkouts_installation_is_not_used(tmp_path):
    copy = tmp_path / "a clone"
    (copy / "warptag").mkdir(parents=True)
    shutil.copy(ROOT / "warptag" / "__init__.py", copy / "warptag")
    shutil.copy(ROOT / "reproduce.sh", copy)
    for name in ("setup.cfg", "constraints.txt"):
        (copy / name).write_text("")
    # Inside the copy, with an environment that has this checkout's warptag: the copy is to make
    # an environment of its own, which fails at once for want of a project to install.
    result = script(copy, "--help", path=with_this_python(), cwd=copy)
    assert "Installing warptag" in result.stdout
    assert "a clone/.venv" in result.stdout
    assert result.returncode != 0


def test_without_a_fitting_python_it_says_so(tmp_path):
    tools = tmp_path / "bin"
    tools.mkdir()
    for tool in ("bash", "dirname", "cat", "cksum", "env"):
        (tools / tool).symlink_to(shutil.which(tool))
    result = subprocess.run(
        [str(tools / "bash"), str(_bare_copy(tmp_path) / "reproduce.sh")],
        capture_output=True,
        text=True,
        env={"PATH": str(tools)},
        timeout=60,
    )
    assert result.returncode == 1
    assert "no Python 3.10 to 3.13" in result.stderr


def _bare_copy(folder: Path) -> Path:
    copy = folder / "clone"
    copy.mkdir()
    for name in ("reproduce.sh", "setup.cfg", "constraints.txt"):
        shutil.copy(ROOT / name, copy)
    return copy
