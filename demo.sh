#!/usr/bin/env bash
# The main job on the made-up company in testdata: ingest, then three questions with and without the documents.
# OPENAI_API_KEY or an Ollama on this machine is used when it is there; else the local models are installed into
# a virtual environment in this folder.
set -euo pipefail
cd "$(dirname "$0")"
grounded=bin/grounded
export GROUNDED_DATA=${GROUNDED_DATA:-.grounded/demo}

if [ -z "${OPENAI_API_KEY:-}" ] && ! (exec 3<>/dev/tcp/127.0.0.1/11434) 2>/dev/null; then
  model/local/setup.sh .venv
fi
$grounded models using

printf '\n$ grounded ingest testdata/company\n'
$grounded ingest testdata/company

ask() {
  printf '\n$ grounded compare --arms plain,grounded "%s"\n\n' "$1"
  $grounded compare --arms plain,grounded "$1"
}
ask "How often must a Dunlin 400 be calibrated?"
ask "On which port is the web page of the Knot Hub since version 2.2?"
ask "补充医疗保险的门诊报销比例和每年上限是多少？"

cat <<EOF

That was a demo on a made-up company. Now your own documents:
  $grounded ingest ~/path/to/documents
  $grounded ask "your question"
  $grounded compare "your question"      # with and without the documents, side by side
  $grounded --help
EOF
