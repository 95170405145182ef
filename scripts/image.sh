#!/usr/bin/env bash
# image.sh NAME ARCH builds acalocal's image for linux/ARCH and checks its size.
# Nothing is pulled: it is made from scratch.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
. scripts/lib.sh

name=$1 arch=$2
context=dist/image
most=45000000 # bytes

version=$(git describe --tags --always --dirty 2>/dev/null || echo dev)
CGO_ENABLED=0 GOOS=linux GOARCH=$arch go build -trimpath -tags grpcnotrace \
	-ldflags "-s -w -X github.com/acalocal/acalocal/internal/version.Version=$version" -o "$context/acalocal-$arch" ./cmd/acalocal

# The directories of an empty image, for any user to write to.
root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
mkdir -p "$root/tmp" "$root/var/lib/acalocal"
chmod 755 "$root/var" "$root/var/lib"
chmod 1777 "$root/tmp" "$root/var/lib/acalocal"
tar -C "$root" -cf "$context/root.tar" tmp var

docker build --quiet --platform "linux/$arch" --build-arg "TARGETARCH=$arch" --tag "$name" --file Dockerfile "$context"
size=$(docker image inspect --format '{{.Size}}' "$name")
[ "$size" -lt "$most" ] || die "the image has $size bytes, more than $most" "look at what \"go version -m $context/acalocal-$arch\" carries"
