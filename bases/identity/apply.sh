#!/usr/bin/env bash
# Applies the objects that must exist before any chart is installed: the namespaces, then the Secrets of the identity and
# of the workloads. The decrypted Secrets are piped into kubectl and never written to a file.
# helmfile runs this script as a hook. To run it by hand: bases/identity/apply.sh overlays/dev [context]
# helmfile also passes the major version of Helm that the spec declares (helmfile.helmVersion).
# Requires kubectl. If the overlay contains Secrets, also requires either meshops or sops, and an age key that can
# decrypt the files (SOPS_AGE_KEY_FILE, SOPS_AGE_KEY or sops/age/keys.txt).
set -euo pipefail

overlay=$1
context=${2:-}
helm_version=${3:-}

if [ -n "$helm_version" ]; then
  found=$(helm version --template '{{.Version}}' 2>/dev/null | sed 's/^v\([0-9]*\).*/\1/')
  if [ -n "$found" ] && [ "$found" != "$helm_version" ]; then
    printf 'the spec declares Helm %s, but helm on the PATH is Helm %s; fix: set helmfile.helmVersion: %s, run meshops generate, or put Helm %s on the PATH\n' \
      "$helm_version" "$found" "$found" "$helm_version" >&2
    exit 1
  fi
fi

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

# Overwrites fields that other field managers have set (kubectl edit, Helm, Flux), because Git is the source of truth.
apply() {
  kubectl ${context:+--context "$context"} apply --server-side --force-conflicts --field-manager=meshops -f -
}

# Prevents Helm from deleting Secrets that an earlier version of the chart created. See the comments in
# overlays/<environment>/identity/kustomization.yaml.
keep() {
  kubectl annotate --local --overwrite -f - helm.sh/resource-policy=keep -o yaml
}

# If all namespaces belong to others, the overlay has no folder namespaces.
if [ -f "$overlay/namespaces/kustomization.yaml" ]; then kubectl kustomize "$overlay/namespaces" | apply; fi

# Reads the encrypted files that a folder lists into `files`. The folder of the identity can also contain Secrets for other
# Linkerd releases. If another program writes the certificates, the folder of the identity does not exist.
list() {
  local file
  files=()
  [ -f "$1/kustomization.yaml" ] || return 0
  while read -r file; do
    files+=("$1/$file")
  done < <(sed -n 's/^  - \(.*\.sops\.yaml\)$/\1/p' "$1/kustomization.yaml")
}

list "$overlay/identity"
if [ "${#files[@]}" -gt 0 ]; then decrypt "${files[@]}" | keep | apply; fi

for workload in "$overlay"/workloads/*; do
  list "$workload"
  if [ "${#files[@]}" -gt 0 ]; then decrypt "${files[@]}" | apply; fi
done
