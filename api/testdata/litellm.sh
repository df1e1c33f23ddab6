#!/bin/sh
# Installs LiteLLM's proxy, which benchmarks compare with, into a folder, once. Argument: the folder.
set -eu
test -x "$1/litellm/bin/python" || python3 -m venv "$1/litellm"
test -x "$1/litellm/bin/litellm" || "$1/litellm/bin/pip" install -q 'litellm[proxy]==1.108.7'
