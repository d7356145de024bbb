#!/bin/sh
# Makes a virtual environment with the packages of a lock file, each by its hash.
#   packages.sh PYTHON FOLDER LOCK
# By uv where it is installed, which takes seconds where pip takes minutes; UV names another program, or
# is empty for pip. The environment has pip in any case: Pulumi asks it which packages there are.
set -eu

python=$1
folder=$2
lock=$3
uv=${UV-uv}

# One that is not on PATH may be known to uv.
if command -v "$python" >/dev/null 2>&1 && ! "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))'; then
    echo "$python is not Python 3.11 or later, which this needs. Name one that is: make PYTHON=python3.11 …" >&2
    exit 1
fi

echo "Installing the Python packages of $lock into $folder …"
if [ -n "$uv" ] && command -v "$uv" >/dev/null 2>&1; then
    "$uv" venv --quiet --seed --allow-existing --python "$python" "$folder"
    "$uv" pip install --quiet --require-hashes --python "$folder/bin/python" --requirements "$lock"
else
    "$python" -m venv "$folder"
    "$folder/bin/python" -m pip install --quiet --disable-pip-version-check --require-hashes \
        --requirement "$lock"
fi
touch "$folder/ready"
