# --- resource group, registry, cluster ---------------------------------------

# unregistered: the providers that are not registered yet, a line each.
unregistered() {
  local registered
  registered=$(query provider list --query "[?registrationState=='Registered'].namespace") || return 1
  printf '%s\n' Microsoft.Compute Microsoft.ContainerRegistry Microsoft.ContainerService Microsoft.ManagedIdentity Microsoft.Network |
    grep -vixF "${registered:-none}" || true
}

# All are asked first, then waited for: a registration takes a minute or two.
providers() {
  local missing provider
  missing=$(unregistered)
  outcome='already there'
  [ -n "$missing" ] || return 0
  for provider in $missing; do az_ provider register --namespace "$provider" --output none; done
  outcome="registered ${missing//$'\n'/, }"
  while :; do
    missing=$(unregistered)
    [ -n "$missing" ] || break
    note "waiting for ${missing//$'\n'/, }"
    sleep "$POLL_SECONDS"
  done
}

resource_group() {
  local found
  found=$(query group show --name "$RESOURCE_GROUP" --query "join(' ', [properties.provisioningState, location])")
  case "$found" in
    Deleting*)
      patiently 'waiting until the old one is gone' az_ group wait --name "$RESOURCE_GROUP" --deleted
      found=''
      ;;
  esac
  if [ -z "$found" ]; then
    az_ group create --name "$RESOURCE_GROUP" --location "$LOCATION" --tags "${TAGS[@]}" --output none
    outcome=created
  else
    outcome="already there, in ${found#* }"
  fi
}

{{> settled}}

{{#if registry}}
registry_state() {
  query acr show --name "$REGISTRY" --resource-group "$RESOURCE_GROUP" --query provisioningState
}

registry() {
  local state free
  state=$(settled registry_state)
  if [ "$state" = Succeeded ]; then
    outcome='already there'
    return
  fi
  if [ -z "$state" ]; then
    free=$(query acr check-name --name "$REGISTRY" --query nameAvailable)
    [ "$free" = true ] || fail 1 "the registry name $REGISTRY is taken, and not by resource group $RESOURCE_GROUP" \
      "such names are unique in the whole of Azure: choose another azure.registry.name in $SPEC, run meshops generate, commit and push"
  fi
  # A registry that failed is made again under its name: Azure takes a repeated creation as an update.
  patiently 'creating the registry' az_ acr create --name "$REGISTRY" --resource-group "$RESOURCE_GROUP" --location "$LOCATION" \
    --sku "$REGISTRY_SKU" --tags "${TAGS[@]}" --output none
  outcome=created
}
{{/if}}

{{> cluster}}

{{#unless kubernetesVersion}}
# The version that Azure takes by default there, or the next that Linkerd takes.
choose_kubernetes_version() {
  local version versions wanted=${LEAST_KUBERNETES#1.}
  versions=$(query aks get-versions --location "$LOCATION" --query '[values[?isDefault].version, values[?!isPreview].version][]') || return
  for version in $versions; do
    if [ "${version#1.}" -ge "$wanted" ]; then
      KUBERNETES_VERSION=$version
      return
    fi
  done
  fail 1 "Azure offers no Kubernetes from $LEAST_KUBERNETES on in $LOCATION" "choose another azure.location, or an older linkerd.version, in $SPEC"
}

{{/unless}}
cluster() {
  local state facts policy
  state=$(settled cluster_state)
  case "$state" in
    Succeeded) outcome='already there' ;;
    '')
      create_cluster || cp "$SCRATCH/error" "$SCRATCH/refusal"
      # An answer that was lost on the way is no failure: what counts is what is there.
      state=$(settled cluster_state)
      if [ "$state" != Succeeded ]; then
        [ ! -f "$SCRATCH/refusal" ] || cp "$SCRATCH/refusal" "$SCRATCH/error"
        exit 1
      fi
      outcome="created, Kubernetes $KUBERNETES_VERSION"
      ;;
    *)
      note "it is $state: asking Azure to bring it to what it should be"
      patiently 'repairing the cluster' az_ aks update --name "$CLUSTER" --resource-group "$RESOURCE_GROUP" --yes --output none
      outcome=repaired
      ;;
  esac
  facts=$(query aks show --name "$CLUSTER" --resource-group "$RESOURCE_GROUP" --query "join(' ', [networkProfile.networkPolicy || 'none', powerState.code || 'Running'])")
  policy=${facts% *}
  [ "$policy" = "$NETWORK_POLICY" ] || fail 1 "the cluster has network policy $policy, and the spec says $NETWORK_POLICY" \
    "it is chosen when a cluster is made: put $policy into $SPEC, or make the cluster anew with meshops teardown and bootstrap"
  [ "${facts#* }" != Stopped ] || fail 1 'the cluster is stopped' "az aks start --name $CLUSTER --resource-group $RESOURCE_GROUP"
}

create_cluster() {
{{#unless kubernetesVersion}}
  choose_kubernetes_version || return
{{/unless}}
  TRIES=1 patiently 'creating the cluster' az_ aks create \
    --name "$CLUSTER" --resource-group "$RESOURCE_GROUP" --location "$LOCATION" \
    --kubernetes-version "$KUBERNETES_VERSION" \
    --node-count "$NODE_COUNT" --node-vm-size "$VM_SIZE"{{#if zones}} --zones{{#each zones}} {{this}}{{/each}}{{/if}} \
    --network-plugin azure --network-plugin-mode overlay --network-policy "$NETWORK_POLICY" \
{{#if cilium}}
    --network-dataplane cilium \
{{/if}}
    --ip-families "$IP_FAMILIES" \
{{#if autoProvisioning}}
    --node-provisioning-mode Auto \
{{/if}}
    --enable-managed-identity --no-ssh-key --tags "${TAGS[@]}" --output none
}

{{#if registry}}
# The nodes pull with the kubelet's identity. Done apart from the cluster's creation, which a missing right would leave half made.
pull_right() {
  local identity scope found
  identity=$(query aks show --name "$CLUSTER" --resource-group "$RESOURCE_GROUP" --query identityProfile.kubeletidentity.objectId)
  scope=$(query acr show --name "$REGISTRY" --resource-group "$RESOURCE_GROUP" --query id)
  if [ -z "$identity" ] || [ -z "$scope" ]; then
    fail 1 "the kubelet's identity of $CLUSTER, or registry $REGISTRY, cannot be seen" 'run bootstrap again in a minute'
  fi
  found=$(query role assignment list --scope "$scope" --role AcrPull --fill-principal-name false --query "length([?principalId=='$identity'])")
  if [ "${found:-0}" != 0 ]; then
    outcome='already there'
    return
  fi
  az_ role assignment create --assignee-object-id "$identity" --assignee-principal-type ServicePrincipal \
    --role AcrPull --scope "$scope" --output none
  outcome=granted
}
{{/if}}
