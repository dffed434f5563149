#!/bin/sh
# Installs the npm packages that Floe is tested with and measured beside (tests/interop/npm) into a folder, unless they are
# there. No script of theirs is run.
#
#   tools/npm-peers.sh FOLDER
set -eu
folder=${1:?usage: tools/npm-peers.sh FOLDER}
lists=$(cd "$(dirname "$0")/../tests/interop/npm" && pwd)

mkdir -p "$folder"
exec 9>"$folder.lock"
flock 9 # tests run side by side
if cmp -s "$lists/package-lock.json" "$folder/installed.json"; then
  exit 0
fi
rm -f "$folder/installed.json"
cp "$lists/package.json" "$lists/package-lock.json" "$folder"
npm ci --prefix "$folder" --ignore-scripts --no-audit --no-fund --prefer-offline --fetch-retries 1 --loglevel error 1>&2
cp "$lists/package-lock.json" "$folder/installed.json"
