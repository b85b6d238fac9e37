#!/usr/bin/env bash
# Builds kube-apiserver and kubectl into CACHE/apiserver/HASH, once for each state of this module, and
# prints that folder. Clones that build at the same time wait for one another.
#   build.sh CACHE          builds
#   build.sh --path CACHE   only prints, whether the folder is there or not
set -euo pipefail
cd "$(dirname "$0")"

only_path=false
if [ "$1" = --path ]; then
    only_path=true
    shift
fi
hash=$(cat go.mod go.sum main.go kubectl/main.go "$(basename "$0")" | sha256sum)
made=$1/apiserver/${hash:0:16}
if $only_path || [ -d "$made" ]; then
    echo "$made"
    exit
fi
mkdir -p "$1/apiserver"
exec 9>"$1/apiserver/lock"
flock 9
if [ ! -d "$made" ]; then
    if ! go version >/dev/null; then
        echo "go is missing: install Go (1.24 or later) first" >&2
        exit 1
    fi
    echo "== building the API server: 6 to 10 minutes, once" >&2
    work=$(mktemp -d "$1/apiserver/work.XXXXXX")
    trap 'rm -rf "$work"' EXIT
    # The version that /version tells: without it kubectl finds itself too far from its server.
    version=$(go list -m -f '{{.Version}}' k8s.io/kubernetes)
    stamp="-X k8s.io/component-base/version.gitVersion=$version"
    CGO_ENABLED=0 nice go build -trimpath -ldflags "-s -w $stamp" -o "$work/kube-apiserver" . >&2
    CGO_ENABLED=0 nice go build -trimpath -ldflags "-s -w $stamp" -o "$work/kubectl" ./kubectl >&2
    chmod 755 "$work"
    mv -T "$work" "$made"
fi
echo "$made"
