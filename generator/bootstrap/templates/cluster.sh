cluster_state() {
  query aks show --name "$CLUSTER" --resource-group "$RESOURCE_GROUP" --query provisioningState
}

credentials() {
  KUBECONFIG="$STATE/kubeconfig"
  export KUBECONFIG
  az_ aks get-credentials --name "$CLUSTER" --resource-group "$RESOURCE_GROUP" --file "$KUBECONFIG" --overwrite-existing --output none || return
  chmod 600 "$KUBECONFIG" || return
  CONTEXT=$CLUSTER
  outcome=$KUBECONFIG
}
