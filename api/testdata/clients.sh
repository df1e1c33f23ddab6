#!/bin/sh
# Installs the clients that the tests run against the server into a folder, once. Argument: the folder.
set -eu
test -x "$1/py/bin/python" || python3 -m venv "$1/py"
test -d "$1/py/lib/openai-done" || { "$1/py/bin/pip" install -q openai==2.54.0 langchain-openai==1.7.4 && mkdir -p "$1/py/lib/openai-done"; }
if command -v npm >/dev/null; then
	test -d "$1/node_modules/openai" || npm install --silent --no-fund --no-audit --prefix "$1" openai@6.49.0
fi
