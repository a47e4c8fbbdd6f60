#!/bin/sh
# Put what the workflow needs into a root file system of Debian or Ubuntu, as root: install.sh LOCK
# Both images are made by it; the environment is /opt/speechdt.
set -eu
lock=${1:?the file of exact versions}
export DEBIAN_FRONTEND=noninteractive
apt-get update -q
apt-get install -y -q --no-install-recommends \
  python3 python3-venv python3-dev build-essential git ca-certificates libsndfile1 libc++1
rm -rf /var/lib/apt/lists/*
python3 -m venv /opt/speechdt
/opt/speechdt/bin/python -m pip install --no-cache-dir -r "$lock"
