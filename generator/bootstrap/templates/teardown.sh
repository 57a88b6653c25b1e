#!/usr/bin/env bash
# Takes an environment down, in the reverse of the order in which it came up. Made by meshops from the environment's spec.
# It asks for the cluster's name first, unless called with --yes, and can be run again at any time: what is gone is passed over.
{{> head}}
TASK=teardown
REMAINS='What is gone stays gone; the rest is as it was.'
PATIENCE=${MESHOPS_PATIENCE:-5m} # for one deletion in the cluster
CONFIRMED=${1:-}

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
{{> steps}}
  say ''
  say "$ENVIRONMENT is down"
  tell_remains
}

main
