# --- what goes with Azure ----------------------------------------------------

CONTEXT=''

# What stands in the way of one object does not matter much where the whole cluster goes.
could_not() {
  note "could not $1; it goes with the cluster: $(grep -m 1 . "$SCRATCH/error" || true)"
}

# The cluster, if it is there, and what is in it; nothing is changed before the answer.
confirm() {
  local typed
  if [ -n "$(settled cluster_state)" ]; then
    credentials
    if ! claims >"$SCRATCH/claims"; then
      note "the cluster does not answer: $(grep -m 1 . "$SCRATCH/error" || true)"
      CONTEXT=''
    elif [ -s "$SCRATCH/claims" ]; then
      note 'these volumes and the data on them go with the cluster:'
      sed 's/^/          /' "$SCRATCH/claims" >&2
    fi
  fi
  outcome=confirmed
  [ "$CONFIRMED" != --yes ] || return 0
  [ -t 0 ] || fail 2 'nobody is there to confirm it' 'call it with --yes'
  printf '        type the name of the cluster to delete it{{#if deleteRegistry}}, and the registry{{/if}}{{#if deleteGroup}}, and the resource group{{/if}} (%s): ' "$CLUSTER" >&2
  read -r typed
  [ "$typed" = "$CLUSTER" ] || fail 2 'that is not its name: nothing was deleted' "its name is $CLUSTER"
}

{{#if registry}}
{{#unless deleteRegistry}}
# Where the registry stays, the right to pull from it must not stay behind for an identity that is gone.
revoke_pull_right() {
  local identity scope assignments
  outcome='not there'
  identity=$(query aks show --name "$CLUSTER" --resource-group "$RESOURCE_GROUP" --query identityProfile.kubeletidentity.objectId)
  scope=$(query acr show --name "$REGISTRY" --resource-group "$RESOURCE_GROUP" --query id)
  [ -n "$identity" ] && [ -n "$scope" ] || return 0
  assignments=$(query role assignment list --scope "$scope" --role AcrPull --fill-principal-name false --query "[?principalId=='$identity'].id")
  [ -n "$assignments" ] || return 0
  az_ role assignment delete --ids "$assignments" --output none
  outcome=revoked
}

{{/unless}}
{{/if}}
delete_cluster() {
  outcome='not there'
  [ -n "$(settled cluster_state)" ] || return 0
  patiently 'deleting the cluster' az_ aks delete --name "$CLUSTER" --resource-group "$RESOURCE_GROUP" --yes --output none
  outcome=gone
}

{{#if deleteRegistry}}
delete_registry() {
  outcome='not there'
  [ -n "$(query acr show --name "$REGISTRY" --resource-group "$RESOURCE_GROUP" --query provisioningState)" ] || return 0
  patiently 'deleting the registry' az_ acr delete --name "$REGISTRY" --resource-group "$RESOURCE_GROUP" --yes --output none
  outcome=gone
}

{{/if}}
# in_group: what the resource group holds, a line each.
in_group() {
  query resource list --resource-group "$RESOURCE_GROUP" --query "[].join(' ', [type, name])"
}

{{#if deleteGroup}}
delete_group() {
  local left
  outcome='not there'
  [ -n "$(query group show --name "$RESOURCE_GROUP" --query name)" ] || return 0
  left=$(in_group)
  [ -z "$left" ] || fail 1 "resource group $RESOURCE_GROUP holds what is not the environment's:
$left" "if all of that may go: az group delete --name $RESOURCE_GROUP"
  patiently 'deleting the resource group' az_ group delete --name "$RESOURCE_GROUP" --yes --output none
  outcome=gone
}

{{/if}}
tell_remains() {
  local left=''
  rm -f "$STATE/kubeconfig"
  [ -z "$(query group show --name "$RESOURCE_GROUP" --query name)" ] || left=$(in_group)
  [ -z "$left" ] || say "what remains in resource group $RESOURCE_GROUP, and may cost money:
$left"
}
