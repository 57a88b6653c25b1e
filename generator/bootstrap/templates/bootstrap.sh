#!/usr/bin/env bash
# Brings up an environment: {{#if azure}}Azure's resources, {{/if}}Flux, and what Flux needs to begin.
# Made by meshops from the environment's spec. Read it, then run it in the root of the platform repository; it can be run
# again at any time: what is there is left as it is, what is missing is made. Nothing secret is in it.
#
# It reads from the environment, where set:
#   GIT_PASSWORD, GIT_USERNAME              token that Flux clones with, and `flux bootstrap` pushes with (https)
#   GIT_SSH_KEY_FILE, GIT_KNOWN_HOSTS_FILE  the same for ssh
#   SOPS_AGE_KEY_FILE                       where meshops finds the cluster's age key, if not in the usual place
#   MESHOPS_TAKE_OVER=yes                   has a Flux that follows another repository or path follow this one
#   MESHOPS_STATE                           folder for kubeconfig and records; else ~/.local/state/meshops
{{> head}}
TASK=bootstrap
REMAINS='What was made stays, and is found again.'
{{#if azure}}
NODE_COUNT={{azure.nodeCount}}
VM_SIZE={{azure.vmSize}}
NETWORK_POLICY={{azure.networkPolicy}}
IP_FAMILIES={{azure.ipFamilies}}
{{#if azure.kubernetesVersion}}
KUBERNETES_VERSION={{azure.kubernetesVersion}}
{{else}}
LEAST_KUBERNETES={{leastKubernetes}}
{{/if}}
TAGS=(managed-by=meshops environment={{environment}})
{{#if registry}}
REGISTRY_SKU={{registrySku}}
PARALLEL=4
{{/if}}
{{#if clientImage}}
CLIENT_IMAGE={{clientImage}}
{{/if}}
{{else}}
CONFIRMED={{#if named}}--yes{{/if}}
{{/if}}
GIT_BRANCH={{git.branch}}
FLUX_VERSION={{flux.version}}
FLUX_MANIFESTS={{flux.manifests}}
ROOT_TIMEOUT=10m

{{> lib}}

{{#if azure}}
{{> az}}

{{> resources}}

{{#if registry}}
{{> images}}

{{/if}}
{{else}}
{{> context}}

{{/if}}
{{> flux}}

# --- what it does ------------------------------------------------------------

tools() {
  [ -f "$SPEC" ] || fail 3 "$SPEC is not here" 'run the script in the root of the platform repository'
{{#if azure}}
  need az 'https://learn.microsoft.com/cli/azure/install-azure-cli'
{{/if}}
  need kubectl 'https://kubernetes.io/docs/tasks/tools/'
  need node 'https://nodejs.org'
  meshops --version >/dev/null 2>"$SCRATCH/error" || fail 3 'meshops cannot be run' 'npm ci, or npm install --global meshops'
  outcome='at hand'
}

main() {
  say "bootstrap of $ENVIRONMENT"
{{> steps}}
  say ''
  say "$ENVIRONMENT is up, and Flux brings the rest. Next:"
{{#if azure}}
  say "  export KUBECONFIG='$KUBECONFIG'"
{{/if}}
  say "  meshops status $ENVIRONMENT --watch"
}

main
