#!/bin/sh
# Builds the components of one version from their sources with the sdk as it is: build.sh 0.1.0 [POINTSMAN]
#
# In a workspace of its own that has the sdk inside: paths of this machine are cut off up to the workspace, and none may get into the bytes.
set -eu

version=$1
pointsman=${2:-pointsman}
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../../.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

cp -R "$root/sdk" "$root/wit" "$root/Cargo.lock" "$work"
cp -R "$here/$version" "$work/line"
rm -f "$work/line/Cargo.toml" "$work/line/Cargo.lock" "$work"/line/*.wasm
sed -e 's|^members = .*|members = ["sdk", "line/selection", "line/byoc", "line/failover"]|' -e '/^exclude = /d' -e '/^default-members = /d' \
  "$root/Cargo.toml" > "$work/Cargo.toml"
"$pointsman" policy build "$work/line"
mv "$work"/line/dist/*.wasm "$here/$version"
