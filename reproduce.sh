#!/usr/bin/env bash
# Makes both tables of the paper from a fresh clone:
#   bash reproduce.sh [EXPERIMENT] [--input DIR] [options]
# The same as `warptag reproduce`; `bash reproduce.sh --help` lists experiments and options.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)

# If the active environment has the warptag of this checkout, it is used. The check runs in another
# folder, since Python searches the current one first.
if python=$(command -v python3); then
    installed=$(cd / && env -u PYTHONPATH "$python" -c \
        'import importlib.util as u, os; s = u.find_spec("warptag"); print(os.path.realpath(s.origin) if s and s.origin else "")' \
        2>/dev/null || true)
    command="$(dirname "$python")/warptag"
    if [ "$installed" = "$here/warptag/__init__.py" ] && [ -x "$command" ]; then
        exec "$command" reproduce "$@"
    fi
fi

environment="$here/.venv"
stamp="$environment/installed-from"
wanted="$here $(cat "$here/setup.cfg" "$here/constraints.txt" | cksum)"
if [ "$(cat "$stamp" 2>/dev/null || true)" != "$wanted" ]; then
    python=""
    for candidate in python3 python3.13 python3.12 python3.11 python3.10; do
        if "$candidate" -c 'import sys; sys.exit(not (3, 10) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null; then
            python=$candidate
            break
        fi
    done
    if [ -z "$python" ]; then
        echo "Error: no Python 3.10 to 3.13 was found; install one and run this again" >&2
        exit 1
    fi
    echo "Installing warptag and its dependencies into $environment ($("$python" --version)). This happens once and takes minutes."
    rm -rf "$environment"
    if ! "$python" -m venv "$environment"; then
        echo "Error: $("$python" --version) cannot make virtual environments; install its venv module (python3-venv)" >&2
        exit 1
    fi
    quiet=--quiet
    if [ -t 1 ]; then quiet=--no-input; fi # in a terminal, pip shows its progress
    "$environment/bin/python" -m pip install "$quiet" --disable-pip-version-check \
        --constraint "$here/constraints.txt" --editable "$here[reproduce]"
    echo "$wanted" >"$stamp"
fi
exec "$environment/bin/warptag" reproduce "$@"
