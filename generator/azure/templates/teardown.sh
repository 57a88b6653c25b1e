#!/usr/bin/env bash
# Takes an environment down, in the reverse of the order in which it came up. Made by meshops from the environment's spec.
# It asks for the cluster's name first, unless called with --yes, and can be run again at any time: what is gone is passed over.
set -euo pipefail

ENVIRONMENT={{environment}}
SPEC={{spec}}
TASK=teardown
RESUME=${MESHOPS_RESUME:-"bash $0"}
REMAINS='What is gone stays gone; the rest is as it was.'
STEPS={{steps}}
PATIENCE=${MESHOPS_PATIENCE:-5m} # for one deletion in the cluster
CONFIRMED=${1:-}
GIT_URL={{git.url}}
FLUX_PATH={{git.path}}
{{#if azure}}
POLL_SECONDS=${MESHOPS_POLL_SECONDS:-15}
RETRY_SECONDS=${MESHOPS_RETRY_SECONDS:-5}
WANTED_SUBSCRIPTION={{azure.subscription}}
LOCATION={{azure.location}}
RESOURCE_GROUP={{azure.resourceGroup}}
CLUSTER={{azure.cluster}}
{{#if registry}}
REGISTRY={{registry}}
{{/if}}
{{else}}
CONTEXT={{context}}
{{/if}}

{{> lib}}

{{#if azure}}
{{> az}}

{{> settled}}

{{> cluster}}

{{> teardown-azure}}

{{else}}
{{> context}}

{{/if}}
{{> kubectl}}

{{> teardown-cluster}}

# --- what it does ------------------------------------------------------------

tools() {
{{#if azure}}
  need az 'https://learn.microsoft.com/cli/azure/install-azure-cli'
{{/if}}
  need kubectl 'https://kubernetes.io/docs/tasks/tools/'
  outcome='at hand'
}

main() {
  say "teardown of $ENVIRONMENT"
{{#each plan}}
  step {{title}} {{run}}{{#each arguments}} {{this}}{{/each}}
{{/each}}
  say ''
  say "$ENVIRONMENT is down"
  tell_remains
}

main
