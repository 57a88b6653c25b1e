#!/usr/bin/env bash
# Applies what must stand before any chart: the namespaces, then the identity's Secrets, decrypted in a pipe.
# helmfile runs it as a hook; by hand: bases/identity/apply.sh overlays/dev [context]
# Needs kubectl, meshops or sops, and an age key that opens the files (SOPS_AGE_KEY_FILE, SOPS_AGE_KEY or sops/age/keys.txt).
set -euo pipefail

overlay=$1
context=${2:-}

if command -v meshops >/dev/null; then
  decrypt=(meshops secrets decrypt)
else
  decrypt=(sops decrypt)
fi

apply() {
  kubectl ${context:+--context "$context"} apply --server-side --field-manager=meshops -f -
}

kubectl kustomize "$overlay/namespaces" | apply

# The Secrets that the overlay names; the folder may hold more, of another Linkerd release.
sed -n 's/^  - \(.*\.sops\.yaml\)$/\1/p' "$overlay/identity/kustomization.yaml" |
  while read -r file; do
    "${decrypt[@]}" "$overlay/identity/$file" | apply
  done
