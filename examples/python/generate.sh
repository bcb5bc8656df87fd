#!/bin/sh
# Generates the Python stubs of the contract into build/, or into the folder that is given.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
out=${1:-$here/build}
proto=$here/../../proto
mkdir -p "$out"
protoc -I "$proto" --python_out="$out" --grpc_python_out="$out" \
  --plugin=protoc-gen-grpc_python="$(command -v grpc_python_plugin)" "$proto"/kvd/v1/*.proto
