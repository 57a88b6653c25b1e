#!/usr/bin/env bash
# Applies what must stand before any chart: the namespaces, then the identity's Secrets, decrypted in a pipe.
# helmfile runs it as a hook; by hand: bases/identity/apply.sh overlays/dev [context]
# Needs kubectl and sops, and an age key that opens the files (SOPS_AGE_KEY_FILE or SOPS_AGE_KEY).
set -euo pipefail

overlay=$1
context=${2:-}

apply() {
  kubectl ${context:+--context "$context"} apply --server-side --field-manager=meshops -f -
}

kubectl kustomize "$overlay/namespaces" | apply

# The Secrets that the overlay names; the folder may hold more, of another Linkerd release.
sed -n 's/^  - \(.*\.sops\.yaml\)$/\1/p' "$overlay/identity/kustomization.yaml" |
  while read -r file; do
    sops decrypt "$overlay/identity/$file" | apply
  done
