#!/usr/bin/env bash
# Creates an environment.
{{#if azure}}
{{#unless existingCluster}}
# The script creates the Azure resources.
{{/unless}}
{{/if}}
{{#if placement.managesRoot}}
# The script installs Flux, and applies the objects that Flux needs to start.
{{else}}
{{#if needsAgeKey}}
# The script applies the Secret with the age key. It does not install or change Flux.
{{else}}
# The script checks the cluster, and creates nothing in the cluster.
{{/if}}
{{/if}}
# meshops generated the script from the environment's spec. The script contains no secrets. Read the script, then run it
# in the root of the platform repository. You can run the script again at any time. It keeps existing resources, and
# creates missing resources.
#
# Environment variables (all optional):
{{#if placement.managesRoot}}
#   GIT_PASSWORD, GIT_USERNAME              token and user name for Git over https
#   GIT_SSH_KEY_FILE, GIT_KNOWN_HOSTS_FILE  private key and known hosts for Git over ssh
{{/if}}
{{#if needsAgeKey}}
#   SOPS_AGE_KEY_FILE                       file with the cluster's age key, if the key is not in sops's default file
{{/if}}
{{#if images}}
#   DOCKERHUB_USERNAME, DOCKERHUB_TOKEN     account for the import of images from Docker Hub, because
#                                           Docker Hub limits downloads without an account
{{/if}}
{{#if placement.managesRoot}}
#   MESHOPS_TAKE_OVER=yes                   allows the script to change the repository and path of an existing Flux
{{/if}}
#   MESHOPS_STATE                           folder for the kubeconfig, image digests and build log;
#                                           default: ~/.local/state/meshops
{{> head}}
TASK=bootstrap
REMAINS='completed steps are kept'
{{#if azure}}
NETWORK_POLICY={{azure.networkPolicy}}
{{#unless existingCluster}}
NODE_COUNT={{azure.nodeCount}}
VM_SIZE={{azure.vmSize}}
IP_FAMILIES={{azure.ipFamilies}}
TAGS=(managed-by=meshops environment={{environment}})
{{else}}
{{#if registry}}
TAGS=(managed-by=meshops environment={{environment}})
{{/if}}
{{/unless}}
{{#if azure.kubernetesVersion}}
KUBERNETES_VERSION={{azure.kubernetesVersion}}
{{else}}
LEAST_KUBERNETES={{leastKubernetes}}
{{/if}}
{{#if registry}}
REGISTRY_SKU={{registrySku}}
PARALLEL=4
{{/if}}
{{#if clientImage}}
CLIENT_IMAGE={{clientImage.name}}
{{/if}}
{{else}}
CONFIRMED={{#if named}}--yes{{/if}}
{{/if}}
FLUX_MINIMUM={{flux.minimum}}
{{#if needsAgeKey}}
AGE_SECRET={{ageSecret}}
{{/if}}
{{#if placement.managesRoot}}
GIT_BRANCH={{git.branch}}
FLUX_VERSION={{flux.version}}
FLUX_WANTED={{flux.wanted}}
UPGRADE_FLUX={{#if flux.upgrade}}yes{{/if}}
FLUX_MANIFESTS={{flux.manifests}}
ROOT_TIMEOUT=10m
{{else}}
FIRST={{first}}
{{#if placement.serviceAccount}}
ACCOUNT={{placement.serviceAccount}}
{{/if}}
{{/if}}

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
{{> objects}}

{{#if placement.managesRoot}}
{{> flux}}

{{else}}
{{> flux-of-others}}

{{/if}}
# --- steps -------------------------------------------------------------------

tools() {
  [ -f "$SPEC" ] || fail 3 "$SPEC not found in the current folder" 'run the script in the root of the platform repository'
{{#if azure}}
  need az 'https://learn.microsoft.com/cli/azure/install-azure-cli'
{{/if}}
  need kubectl 'https://kubernetes.io/docs/tasks/tools/'
  need node 'https://nodejs.org'
  meshops --version >/dev/null 2>"$SCRATCH/error" || fail 3 'meshops cannot be run' 'run npm ci, or npm install --global meshops'
{{#if placement.managesRoot}}
  git_access
{{/if}}
{{#if images}}
  if [ -n "${DOCKERHUB_USERNAME:-}" ] && ! has_docker_token; then
    fail 2 'DOCKERHUB_USERNAME is set, but DOCKERHUB_TOKEN is not' 'set both variables, or none'
  fi
{{#if dockerHub}}
  [ -n "${DOCKERHUB_USERNAME:-}" ] || note 'images from Docker Hub are imported without an account; if the download limit of Docker Hub stops the import, set DOCKERHUB_USERNAME and DOCKERHUB_TOKEN'
{{/if}}
{{/if}}
  outcome='available'
}

{{#if images}}
# Succeeds if DOCKERHUB_TOKEN is set and not empty. Does not expand the variable, because `bash -x` would print its
# value.
has_docker_token() {
  printenv DOCKERHUB_TOKEN | grep . >/dev/null
}
{{/if}}

main() {
  say "bootstrap of $ENVIRONMENT"
{{> steps}}
  say ''
{{#if placement.managesRoot}}
  say "Flux runs in the cluster of $ENVIRONMENT and applies the components. Next:"
{{else}}
  say "the cluster has what Flux needs to apply $ENVIRONMENT. Next:"
{{/if}}
{{#if azure}}
  say "  export KUBECONFIG='$KUBECONFIG'"
{{/if}}
  say "  meshops status $ENVIRONMENT --watch"
}

main
