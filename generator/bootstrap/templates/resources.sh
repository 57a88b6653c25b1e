# --- resource group, registry, cluster ---------------------------------------

{{#unless existingCluster}}
# unregistered: prints the resource providers that are not registered yet, one per line.
unregistered() {
  local registered
  registered=$(query provider list --query "[?registrationState=='Registered'].namespace") || return 1
  printf '%s\n' Microsoft.Compute Microsoft.ContainerRegistry Microsoft.ContainerService Microsoft.ManagedIdentity Microsoft.Network |
    grep -vixF "${registered:-none}" || true
}

# Requests the registration of all missing resource providers, and then waits for all registrations together, because
# one registration takes one or two minutes.
providers() {
  local missing provider
  missing=$(unregistered)
  outcome='already registered'
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
      with_progress 'waiting until the old resource group is deleted' az_ group wait --name "$RESOURCE_GROUP" --deleted
      found=''
      ;;
  esac
  if [ -z "$found" ]; then
    az_ group create --name "$RESOURCE_GROUP" --location "$LOCATION" --tags "${TAGS[@]}" --output none
    outcome=created
  else
    outcome="already exists in ${found#* }"
  fi
}

{{/unless}}
{{> settled}}

{{#if registry}}
registry_state() {
  query acr show --name "$REGISTRY" --resource-group "$RESOURCE_GROUP" --query provisioningState
}

registry() {
  local state free
  state=$(settled registry_state)
  if [ "$state" = Succeeded ]; then
    outcome='already exists'
    return
  fi
  if [ -z "$state" ]; then
    free=$(query acr check-name --name "$REGISTRY" --query nameAvailable)
    [ "$free" = true ] || fail 1 "registry name $REGISTRY is already in use outside of resource group $RESOURCE_GROUP" \
      "set another azure.registry.name in $SPEC (names are unique in all of Azure), run meshops generate, commit and push"
  fi
  # If the registry exists, but its creation failed, this command repeats the creation with the same name. Azure treats
  # the repeated creation as an update.
  with_progress 'creating the registry' az_ acr create --name "$REGISTRY" --resource-group "$RESOURCE_GROUP" --location "$LOCATION" \
    --sku "$REGISTRY_SKU" --tags "${TAGS[@]}" --output none
  outcome=created
}
{{/if}}

{{> cluster}}

{{#if existingCluster}}
# Checks the cluster, which another tool created. Does not change the cluster.
check_cluster() {
  local state facts policy version
  state=$(settled cluster_state)
  [ -n "$state" ] || fail 1 "cluster $CLUSTER does not exist in resource group $RESOURCE_GROUP, and azure.cluster.lifecycle is existing" \
    "correct azure.cluster.name and azure.resourceGroup in $SPEC, or create the cluster with the tool that manages it"
  [ "$state" = Succeeded ] || fail 1 "the state of cluster $CLUSTER is $state" 'repair the cluster with the tool that manages it'
  facts=$(query aks show --name "$CLUSTER" --resource-group "$RESOURCE_GROUP" --query "join(' ', [networkProfile.networkPolicy || 'none', powerState.code || 'Running', currentKubernetesVersion || kubernetesVersion])")
  policy=${facts%% *}
  version=${facts##* }
  [ "$policy" = "$NETWORK_POLICY" ] || fail 1 "the cluster has network policy $policy, but the spec specifies $NETWORK_POLICY" \
    "set azure.cluster.networkPolicy to $policy in $SPEC"
  case $facts in *' Stopped '*) fail 1 'the cluster is stopped' "run az aks start --name $CLUSTER --resource-group $RESOURCE_GROUP" ;; esac
{{#if kubernetesVersion}}
  case $version in
    "$KUBERNETES_VERSION" | "$KUBERNETES_VERSION".*) ;;
    *) fail 1 "the cluster runs Kubernetes $version, but the spec specifies $KUBERNETES_VERSION" "set azure.cluster.kubernetesVersion in $SPEC to the version of the cluster" ;;
  esac
{{else}}
  local minor=${version#1.}
  [ "${minor%%.*}" -ge "${LEAST_KUBERNETES#1.}" ] || fail 1 "the cluster runs Kubernetes $version, but the Linkerd release needs $LEAST_KUBERNETES or later" \
    "upgrade the cluster, or set an older linkerd.version in $SPEC"
{{/if}}
{{#if zones}}
  local zone zones
  zones=$(query aks show --name "$CLUSTER" --resource-group "$RESOURCE_GROUP" --query 'agentPoolProfiles[].availabilityZones[]')
  for zone in{{#each zones}} {{this}}{{/each}}; do
    case " ${zones//$'\n'/ } " in
      *" $zone "*) ;;
      *) fail 1 "no node pool of the cluster is in zone $zone" "correct azure.cluster.zones in $SPEC" ;;
    esac
  done
{{/if}}
  outcome="Kubernetes $version, network policy $policy"
}

{{else}}
{{#unless kubernetesVersion}}
# Selects a Kubernetes version that the Linkerd release supports. Selects Azure's default version in the location if
# Linkerd supports it. Otherwise selects the first supported version in Azure's list.
choose_kubernetes_version() {
  local version versions wanted=${LEAST_KUBERNETES#1.}
  versions=$(query aks get-versions --location "$LOCATION" --query '[values[?isDefault].version, values[?!isPreview].version][]') || return
  for version in $versions; do
    if [ "${version#1.}" -ge "$wanted" ]; then
      KUBERNETES_VERSION=$version
      return
    fi
  done
  fail 1 "Azure does not offer Kubernetes $LEAST_KUBERNETES or later in $LOCATION" "set another azure.location or an older linkerd.version in $SPEC"
}

{{/unless}}
cluster() {
  local state facts policy
  state=$(settled cluster_state)
  case "$state" in
    Succeeded) outcome='already exists' ;;
    '')
      create_cluster || cp "$SCRATCH/error" "$SCRATCH/refusal"
      # Check the cluster's state instead of the exit code of az. If Azure created the cluster but its reply was lost,
      # az fails although the cluster exists.
      state=$(settled cluster_state)
      if [ "$state" != Succeeded ]; then
        [ ! -f "$SCRATCH/refusal" ] || cp "$SCRATCH/refusal" "$SCRATCH/error"
        exit 1
      fi
      outcome="created, Kubernetes $KUBERNETES_VERSION"
      ;;
    *)
      note "the state of the cluster is $state; running az aks update to repair the cluster"
      with_progress 'repairing the cluster' az_ aks update --name "$CLUSTER" --resource-group "$RESOURCE_GROUP" --yes --output none
      outcome=repaired
      ;;
  esac
  facts=$(query aks show --name "$CLUSTER" --resource-group "$RESOURCE_GROUP" --query "join(' ', [networkProfile.networkPolicy || 'none', powerState.code || 'Running'])")
  policy=${facts% *}
  [ "$policy" = "$NETWORK_POLICY" ] || fail 1 "the cluster has network policy $policy, but the spec specifies $NETWORK_POLICY" \
    "set azure.cluster.networkPolicy to $policy in $SPEC; or recreate the cluster with meshops teardown and meshops bootstrap: meshops cannot change the network policy of an existing cluster"
  [ "${facts#* }" != Stopped ] || fail 1 'the cluster is stopped' "run az aks start --name $CLUSTER --resource-group $RESOURCE_GROUP"
}

create_cluster() {
{{#unless kubernetesVersion}}
  choose_kubernetes_version || return
{{/unless}}
  TRIES=1 with_progress 'creating the cluster' az_ aks create \
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

{{/if}}
{{#if registry}}
# Assigns the role AcrPull to the kubelet's identity, which the nodes use to pull images. `az aks create` can also
# assign this role. If the user does not have the permission to assign roles, however, `az aks create` would leave a
# partly created cluster.
pull_right() {
  local identity scope found
  identity=$(query aks show --name "$CLUSTER" --resource-group "$RESOURCE_GROUP" --query identityProfile.kubeletidentity.objectId)
  scope=$(query acr show --name "$REGISTRY" --resource-group "$RESOURCE_GROUP" --query id)
  if [ -z "$identity" ] || [ -z "$scope" ]; then
    fail 1 "not found: the kubelet's identity of cluster $CLUSTER, or registry $REGISTRY" 'run bootstrap again in a minute'
  fi
  found=$(query role assignment list --scope "$scope" --role AcrPull --fill-principal-name false --query "length([?principalId=='$identity'])")
  if [ "${found:-0}" != 0 ]; then
    outcome='already granted'
    return
  fi
  az_ role assignment create --assignee-object-id "$identity" --assignee-principal-type ServicePrincipal \
    --role AcrPull --scope "$scope" --output none
  outcome=granted
}
{{/if}}
