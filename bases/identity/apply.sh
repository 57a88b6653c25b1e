#!/bin/sh
# Applies what must stand before any chart: the namespaces, then the identity's Secrets, decrypted in a pipe.
# helmfile runs it as a hook; by hand: bases/identity/apply.sh overlays/dev
# Needs kubectl and sops, and an age key that opens the files (SOPS_AGE_KEY_FILE or SOPS_AGE_KEY).
set -eu

overlay=$1

kubectl kustomize "$overlay/namespaces" |
  kubectl apply --server-side --field-manager=meshops -f -

for file in "$overlay"/identity/*.sops.yaml; do
  sops decrypt "$file" | kubectl apply --server-side --field-manager=meshops -f -
done
