#!/bin/sh
# Generates the Go stubs of the contract into build/src, or into src of the folder that is given,
# which is then a GOPATH that has them as kvd/v1.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
out=${1:-$here/build}
proto=$here/../../proto
mkdir -p "$out/src"
protoc -I "$proto" --go_out="$out/src" --go-grpc_out="$out/src" "$proto"/kvd/v1/*.proto
