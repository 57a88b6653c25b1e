#!/usr/bin/env bash
# Applies what must exist before any chart is installed: the namespaces, then the identity's Secrets, decrypted in a
# pipe.
# helmfile runs it as a hook. To run it by hand: bases/identity/apply.sh overlays/dev [context]
# Needs kubectl, meshops or sops, and an age key that decrypts the files (SOPS_AGE_KEY_FILE, SOPS_AGE_KEY or
# sops/age/keys.txt).
set -euo pipefail

overlay=$1
context=${2:-}

# Prints the decrypted files as one stream of YAML documents.
decrypt() {
  if command -v meshops >/dev/null; then
    meshops secrets decrypt "$@"
  else
    for file in "$@"; do
      printf -- '---\n'
      sops decrypt "$file" || return
    done
  fi
}

# This repository owns these objects, so it takes over fields that other managers have set (kubectl edit, Helm, Flux).
apply() {
  kubectl ${context:+--context "$context"} apply --server-side --force-conflicts --field-manager=meshops -f -
}

# Helm must not delete Secrets that an earlier release of the chart created: see
# overlays/<environment>/identity/kustomization.yaml.
keep() {
  kubectl annotate --local --overwrite -f - helm.sh/resource-policy=keep -o yaml
}

kubectl kustomize "$overlay/namespaces" | apply

# Only the Secrets that the overlay lists: the folder may contain others, for another Linkerd release.
files=()
while read -r file; do
  files+=("$overlay/identity/$file")
done < <(sed -n 's/^  - \(.*\.sops\.yaml\)$/\1/p' "$overlay/identity/kustomization.yaml")
decrypt "${files[@]}" | keep | apply
