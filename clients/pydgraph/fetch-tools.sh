#!/bin/sh
# Downloads jq, grpcurl and Dgraph's api.proto, and fails if a checksum differs. Versions and checksums are in
# environment variables, which the Dockerfile sets.
# Usage: fetch-tools.sh <folder>
set -eu
out=$1
mkdir -p "$out/bin"

case ${ARCH:-$(dpkg --print-architecture)} in
  amd64) jq_sha=$JQ_SHA256_AMD64 grpcurl_sha=$GRPCURL_SHA256_AMD64 jq_arch=amd64 grpcurl_arch=x86_64 ;;
  arm64) jq_sha=$JQ_SHA256_ARM64 grpcurl_sha=$GRPCURL_SHA256_ARM64 jq_arch=arm64 grpcurl_arch=arm64 ;;
  *) echo "fetch-tools: unsupported architecture; supported are amd64 and arm64" >&2; exit 1 ;;
esac

# fetch <url> <sha256> <file>
fetch() {
  curl --fail --silent --show-error --location --retry 3 --output "$3" "$1"
  echo "$2  $3" | sha256sum --check --quiet - || { echo "fetch-tools: $1 does not have the pinned checksum" >&2; exit 1; }
}

fetch "https://github.com/jqlang/jq/releases/download/jq-$JQ_VERSION/jq-linux-$jq_arch" "$jq_sha" "$out/bin/jq"
fetch "https://github.com/fullstorydev/grpcurl/releases/download/v$GRPCURL_VERSION/grpcurl_${GRPCURL_VERSION}_linux_$grpcurl_arch.tar.gz" \
  "$grpcurl_sha" "$out/grpcurl.tar.gz"
tar -xzf "$out/grpcurl.tar.gz" -C "$out/bin" grpcurl
rm "$out/grpcurl.tar.gz"
chmod 0755 "$out/bin/jq" "$out/bin/grpcurl"
fetch "https://raw.githubusercontent.com/dgraph-io/dgo/$DGO_COMMIT/protos/api.proto" "$API_PROTO_SHA256" "$out/api.proto"
