#!/usr/bin/env bash
# Makes both tables of the paper from a bare clone:
#   bash reproduce.sh [scenes | corel5k | nuswide | nuswide-upper-bound] [--input DIR] [options]
# The same as `warptag reproduce ...`; `bash reproduce.sh --help` lists the options.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

# Inside an environment that has this checkout's warptag, that one is used.
installed=$(python3 -c 'import importlib.util as u; s = u.find_spec("warptag"); print(s.origin if s and s.origin else "")' 2>/dev/null || true)
if [ "$installed" = "$here/warptag/__init__.py" ] && command -v warptag >/dev/null; then
    exec warptag reproduce "$@"
fi

environment="$here/.venv"
stamp="$environment/installed-from"
wanted=$(cat "$here/setup.cfg" "$here/constraints.txt" | cksum)
if [ "$(cat "$stamp" 2>/dev/null || true)" != "$wanted" ]; then
    python=""
    for candidate in python3 python3.13 python3.12 python3.11 python3.10; do
        if "$candidate" -c 'import sys; sys.exit(not (3, 10) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null; then
            python=$candidate
            break
        fi
    done
    if [ -z "$python" ]; then
        echo "Error: no Python of 3.10 to 3.13 found; install one and run this again" >&2
        exit 1
    fi
    echo "Installing warptag and what it needs into $environment ($("$python" --version)); once only"
    rm -f "$stamp"
    "$python" -m venv "$environment"
    "$environment/bin/python" -m pip install --quiet --disable-pip-version-check \
        --constraint "$here/constraints.txt" --editable "$here"
    echo "$wanted" >"$stamp"
fi
exec "$environment/bin/warptag" reproduce "$@"
