# --- what goes with Azure ----------------------------------------------------

CONTEXT=''

# What stands in the way of one object does not matter much where the whole cluster goes: the rest of what runs in it is left to that.
could_not() {
  note "could not $1; all of it goes with the cluster: $(grep -m 1 . "$SCRATCH/error" || true)"
  CONTEXT=''
}

# made_by_us <what> <tag>: refuses to delete what bootstrap did not make for this environment.
made_by_us() {
  [ "$2" = "$ENVIRONMENT" ] || fail 1 "$1 was not made by meshops for $ENVIRONMENT: it lacks the tag environment=$ENVIRONMENT" 'nothing was deleted; delete it by hand, or tag it'
}

# The cluster, if it is there, and what goes with it; nothing is changed before the answer.
confirm() {
  local state tag{{#if deleteGroup}} others{{/if}} typed=''
  state=$(settled cluster_state)
  if [ -n "$state" ]; then
    tag=$(query aks show --name "$CLUSTER" --resource-group "$RESOURCE_GROUP" --query 'tags.environment')
    made_by_us "cluster $CLUSTER" "$tag"
    tell_claims
  fi
{{#if deleteRegistry}}
  state=$(query acr show --name "$REGISTRY" --resource-group "$RESOURCE_GROUP" --query provisioningState)
  if [ -n "$state" ]; then
    tag=$(query acr show --name "$REGISTRY" --resource-group "$RESOURCE_GROUP" --query 'tags.environment')
    made_by_us "registry $REGISTRY" "$tag"
  fi
{{/if}}
{{#if deleteGroup}}
  others=$(others_in_group)
  refuse_others "$others"
{{/if}}
  outcome=confirmed
  [ "$CONFIRMED" != --yes ] || return 0
  [ -t 0 ] || fail 2 'nobody is there to confirm it' 'call it with --yes'
  printf '        type the name of the cluster to delete it{{#if deleteRegistry}}, and the registry{{/if}}{{#if deleteGroup}}, and the resource group{{/if}} (%s): ' "$CLUSTER" >&2
  read -r typed || true
  [ "$typed" = "$CLUSTER" ] || fail 2 'that is not its name: nothing was deleted' "its name is $CLUSTER"
}

# A cluster that failed early has no credentials, and one that does not answer tells nothing: neither keeps it from being deleted.
tell_claims() {
  if ! credentials || ! kubectl_ get persistentvolumeclaims --all-namespaces --no-headers --output custom-columns=NAMESPACE:.metadata.namespace,NAME:.metadata.name,SIZE:.spec.resources.requests.storage >"$SCRATCH/claims"; then
    note "the cluster cannot be asked what it holds: $(grep -m 1 . "$SCRATCH/error" || true)"
    CONTEXT=''
  elif [ -s "$SCRATCH/claims" ]; then
    note 'these volumes and the data on them go with the cluster:'
    sed 's/^/          /' "$SCRATCH/claims" >&2
  fi
}

{{#if registry}}
{{#unless deleteRegistry}}
# Where the registry stays, the right to pull from it must not stay behind for an identity that is gone.
revoke_pull_right() {
  local identity scope assignments id
  outcome='not there'
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
  outcome='not there'
  state=$(settled cluster_state)
  [ -n "$state" ] || return 0
  patiently 'deleting the cluster' az_ aks delete --name "$CLUSTER" --resource-group "$RESOURCE_GROUP" --yes --output none
  outcome=gone
}

{{#if deleteRegistry}}
delete_registry() {
  local state
  outcome='not there'
  state=$(query acr show --name "$REGISTRY" --resource-group "$RESOURCE_GROUP" --query provisioningState)
  [ -n "$state" ] || return 0
  patiently 'deleting the registry' az_ acr delete --name "$REGISTRY" --resource-group "$RESOURCE_GROUP" --yes --output none
  outcome=gone
}

{{/if}}
# others_in_group: what the resource group holds besides the cluster and the registry, a line each. Azure's list may name for a while what is gone already.
others_in_group() {
  local group all
  group=$(query group show --name "$RESOURCE_GROUP" --query name) || return
  [ -n "$group" ] || return 0
  all=$(query resource list --resource-group "$RESOURCE_GROUP" --query "[].join(' ', [type, name])") || return
  printf '%s\n' "$all" | grep -vixF -e "Microsoft.ContainerService/managedClusters $CLUSTER"{{#if deleteRegistry}} -e "Microsoft.ContainerRegistry/registries $REGISTRY"{{/if}} | grep . || true
}

{{#if deleteGroup}}
refuse_others() {
  [ -z "$1" ] || fail 1 "resource group $RESOURCE_GROUP holds what is not the environment's:
$1" "if all of that may go: az group delete --name $RESOURCE_GROUP"
}

delete_group() {
  local group others
  outcome='not there'
  group=$(query group show --name "$RESOURCE_GROUP" --query name)
  [ -n "$group" ] || return 0
  others=$(others_in_group)
  refuse_others "$others"
  patiently 'deleting the resource group' az_ group delete --name "$RESOURCE_GROUP" --yes --output none
  outcome=gone
}

{{/if}}
tell_remains() {
  local others
  rm -f "$STATE/kubeconfig"
  others=$(others_in_group)
  [ -z "$others" ] || say "what remains in resource group $RESOURCE_GROUP, and may cost money:
$others"
}
