# --- Azure resources ---------------------------------------------------------

CONTEXT=''

# could_not <action>: reports that an action in the cluster failed, and skips all further actions in the cluster. This
# is safe, because deleting the cluster deletes all objects in it.
could_not() {
  note "could not $1 (deleting the cluster also deletes all objects in it): $(grep -m 1 . "$SCRATCH/error" || true)"
  CONTEXT=''
}

# require_tag <resource> <tag>: stops if <tag>, the value of the resource's tag `environment`, is not the name of this
# environment. bootstrap sets this tag.
require_tag() {
  [ "$2" = "$ENVIRONMENT" ] || fail 1 "$1 does not have the tag environment=$ENVIRONMENT, which meshops bootstrap sets; nothing was deleted" \
    "if $1 belongs to environment $ENVIRONMENT, set the tag, or delete $1 by hand"
}

# Checks the tags, lists the volumes that will be deleted, and asks for confirmation. Changes nothing.
confirm() {
  local state tag{{#if deleteGroup}} others{{/if}} typed=''
  state=$(settled cluster_state)
  if [ -n "$state" ]; then
    tag=$(query aks show --name "$CLUSTER" --resource-group "$RESOURCE_GROUP" --query 'tags.environment')
    require_tag "cluster $CLUSTER" "$tag"
    show_claims
  fi
{{#if deleteRegistry}}
  state=$(query acr show --name "$REGISTRY" --resource-group "$RESOURCE_GROUP" --query provisioningState)
  if [ -n "$state" ]; then
    tag=$(query acr show --name "$REGISTRY" --resource-group "$RESOURCE_GROUP" --query 'tags.environment')
    require_tag "registry $REGISTRY" "$tag"
  fi
{{/if}}
{{#if deleteGroup}}
  others=$(others_in_group)
  refuse_others "$others"
{{/if}}
  outcome=confirmed
  [ "$CONFIRMED" != --yes ] || return 0
  [ -t 0 ] || fail 2 'stdin is not a terminal, so the deletion cannot be confirmed' 'run the script with --yes'
  printf '        to delete the cluster{{#if deleteRegistry}}, the registry{{/if}}{{#if deleteGroup}}, the resource group{{/if}}, type the name of the cluster (%s): ' "$CLUSTER" >&2
  read -r typed || true
  [ "$typed" = "$CLUSTER" ] || fail 2 'the typed name does not match the cluster; nothing was deleted' "type $CLUSTER"
}

# Lists the volumes in the cluster. Errors are reported but do not stop the script, because Azure can also delete a
# cluster that does not respond or for which the credentials cannot be read.
show_claims() {
  if ! credentials || ! kubectl_ get persistentvolumeclaims --all-namespaces --no-headers --output custom-columns=NAMESPACE:.metadata.namespace,NAME:.metadata.name,SIZE:.spec.resources.requests.storage >"$SCRATCH/claims"; then
    note "cannot list the volumes in the cluster: $(grep -m 1 . "$SCRATCH/error" || true)"
    CONTEXT=''
  elif [ -s "$SCRATCH/claims" ]; then
    note 'these volumes and their data are deleted with the cluster:'
    sed 's/^/          /' "$SCRATCH/claims" >&2
  fi
}

{{#if registry}}
{{#unless deleteRegistry}}
# Deletes the role assignment that allows the cluster to pull images from the registry. This script keeps the registry,
# so the role assignment would otherwise remain after the cluster's identity is deleted.
revoke_pull_right() {
  local identity scope assignments id
  outcome='not found'
  identity=$(query aks show --name "$CLUSTER" --resource-group "$RESOURCE_GROUP" --query identityProfile.kubeletidentity.objectId)
  scope=$(query acr show --name "$REGISTRY" --resource-group "$RESOURCE_GROUP" --query id)
  [ -n "$identity" ] && [ -n "$scope" ] || return 0
  assignments=$(query role assignment list --scope "$scope" --role AcrPull --fill-principal-name false --query "[?principalId=='$identity'].id")
  [ -n "$assignments" ] || return 0
  for id in $assignments; do az_ role assignment delete --ids "$id" --output none; done
  outcome=revoked
}

{{/unless}}
{{/if}}
delete_cluster() {
  local state
  outcome='not found'
  state=$(settled cluster_state)
  [ -n "$state" ] || return 0
  with_progress 'deleting the cluster' az_ aks delete --name "$CLUSTER" --resource-group "$RESOURCE_GROUP" --yes --output none
  outcome=deleted
}

{{#if deleteRegistry}}
delete_registry() {
  local state
  outcome='not found'
  state=$(query acr show --name "$REGISTRY" --resource-group "$RESOURCE_GROUP" --query provisioningState)
  [ -n "$state" ] || return 0
  with_progress 'deleting the registry' az_ acr delete --name "$REGISTRY" --resource-group "$RESOURCE_GROUP" --yes --output none
  outcome=deleted
}

{{/if}}
# others_in_group: prints the resources in the resource group, one per line. Omits the cluster. Also omits the registry
# if this script deletes the registry. These resources are omitted because Azure's list can still contain them after
# their deletion.
others_in_group() {
  local group all
  group=$(query group show --name "$RESOURCE_GROUP" --query name) || return
  [ -n "$group" ] || return 0
  all=$(query resource list --resource-group "$RESOURCE_GROUP" --query "[].join(' ', [type, name])") || return
  printf '%s\n' "$all" | grep -vixF -e "Microsoft.ContainerService/managedClusters $CLUSTER"{{#if deleteRegistry}} -e "Microsoft.ContainerRegistry/registries $REGISTRY"{{/if}} | grep . || true
}

{{#if deleteGroup}}
refuse_others() {
  [ -z "$1" ] || fail 1 "resource group $RESOURCE_GROUP contains resources that do not belong to the environment:
$1" "to delete the resource group and all these resources, run az group delete --name $RESOURCE_GROUP"
}

delete_group() {
  local group others
  outcome='not found'
  group=$(query group show --name "$RESOURCE_GROUP" --query name)
  [ -n "$group" ] || return 0
  others=$(others_in_group)
  refuse_others "$others"
  with_progress 'deleting the resource group' az_ group delete --name "$RESOURCE_GROUP" --yes --output none
  outcome=deleted
}

{{/if}}
show_remaining() {
  local others
  rm -f "$STATE/kubeconfig"
  others=$(others_in_group)
  [ -z "$others" ] || say "resources that remain in resource group $RESOURCE_GROUP and may cost money:
$others"
}
