#!/bin/sh
# Installs the clients that the tests run against the server into a folder, once, and again when what is listed here
# has changed. Argument: the folder. When some can't be had the others are installed all the same, and it fails.
set -u
folder=$1
failed=0
mkdir -p "$folder"

# Node and pip bring certificates of their own; a network may have others, which the system knows.
for bundle in "${SSL_CERT_FILE:-}" /etc/ssl/certs/ca-certificates.crt /etc/pki/tls/certs/ca-bundle.crt; do
	if [ -r "$bundle" ]; then
		export NODE_EXTRA_CA_CERTS="${NODE_EXTRA_CA_CERTS:-$bundle}" PIP_CERT="${PIP_CERT:-$bundle}"
		break
	fi
done

# python NAME PACKAGE...: a virtual environment of its own.
python() {
	home=$folder/$1
	shift
	[ "$(cat "$home/installed" 2>/dev/null)" = "$*" ] && return
	rm -rf "$home"
	if ! python3 -m venv "$home" || ! "$home/bin/pip" install -q --disable-pip-version-check "$@"; then
		echo "not installed, for the reason above: $*" >&2
		failed=1
		return
	fi
	echo "$*" >"$home/installed"
}

# node PACKAGE...: in node_modules. What fails is tried once more and not for minutes.
node() {
	[ "$(cat "$folder/node_modules/installed" 2>/dev/null)" = "$*" ] && return
	rm -rf "$folder/node_modules" "$folder/package.json" "$folder/package-lock.json"
	if ! npm install --loglevel=error --fetch-retries=1 --no-progress --no-fund --no-audit --prefix "$folder" "$@"; then
		echo "not installed, for the reason above: $*" >&2
		failed=1
		return
	fi
	echo "$*" >"$folder/node_modules/installed"
}

python py openai==2.54.0 langchain-openai==1.7.4 litellm==1.106.2
python schemathesis schemathesis==4.32.5
node openai@6.49.0 ai@6.0.326 @ai-sdk/openai@3.0.141 @ai-sdk/openai-compatible@2.0.92
exit $failed
