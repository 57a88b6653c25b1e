set -euo pipefail

ENVIRONMENT={{environment}}
SPEC={{spec}}
STEPS={{steps}}
RESUME=${MESHOPS_RESUME:-"bash $0"}
{{#if placement.managesRoot}}
GIT_URL={{git.url}}
{{/if}}
FLUX_PATH={{git.path}}
NAMESPACE={{placement.namespace}}
{{#unless placement.managesRoot}}
ROOT={{placement.root.name}}
ROOT_NAMESPACE={{placement.root.namespace}}
{{/unless}}
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
