# --- Flux that meshops does not manage ------------------------------------------

# Other tools manage Flux, its source and the root Kustomization. This script reads these objects and does not change
# them.
check_flux() {
  local version
  version=$(flux_version)
  [ -n "$version" ] || fail 1 "Flux is not installed in namespace flux-system of this cluster" \
    "install Flux from your own repository, which contains the Kustomization in gitops.root of $SPEC; then run the script again"
  ! is_older "$version" "$FLUX_MINIMUM" || fail 1 "Flux $version in this cluster is older than $FLUX_MINIMUM, and rejects the generated HelmReleases" \
    'upgrade Flux, then run the script again'
  kubectl_ get namespace "$NAMESPACE" >/dev/null || fail 1 "namespace $NAMESPACE does not exist, but the Kustomizations need this namespace" \
    "create the namespace, or correct gitops.namespace in $SPEC"
  outcome=$version
}

{{#if placement.serviceAccount}}
# Checks the service account that kustomize-controller impersonates. The service account needs the role cluster-admin,
# because the Kustomizations apply ClusterRoles, webhook configurations, namespaces, and ClusterRoleBindings for the
# service accounts of the HelmReleases.
check_account() {
  local user=system:serviceaccount:$NAMESPACE:$ACCOUNT answer
  kubectl_ get serviceaccount "$ACCOUNT" --namespace "$NAMESPACE" >/dev/null || fail 1 "service account $ACCOUNT does not exist in namespace $NAMESPACE" \
    "ask a cluster administrator to run: kubectl create serviceaccount $ACCOUNT --namespace $NAMESPACE && kubectl create clusterrolebinding $ACCOUNT-$NAMESPACE --clusterrole=cluster-admin --serviceaccount=$NAMESPACE:$ACCOUNT"
  # kubectl exits with code 1 if the service account does not have the rights, and also if the user cannot impersonate
  # the service account. The script therefore ignores the exit code, and reads the output.
  answer=$(kubectl_ auth can-i '*' '*' --all-namespaces --as="$user") || true
  case $answer in
  yes) outcome='has the role cluster-admin' ;;
  no*) fail 1 "service account $ACCOUNT in namespace $NAMESPACE does not have the role cluster-admin" \
    "ask a cluster administrator to run: kubectl create clusterrolebinding $ACCOUNT-$NAMESPACE --clusterrole=cluster-admin --serviceaccount=$NAMESPACE:$ACCOUNT" ;;
  *) outcome='exists; its rights were not checked, because you are not allowed to impersonate this service account' ;;
  esac
}

{{/if}}
check_root() {
  local found
  found=$(kubectl_ get kustomization.kustomize.toolkit.fluxcd.io "$ROOT" --namespace "$ROOT_NAMESPACE" --ignore-not-found --output name)
  if [ -z "$found" ]; then
    outcome="does not exist yet; add it to your repository with the path ./$FLUX_PATH, and push"
    return
  fi
  found=$(kubectl_ get kustomization.kustomize.toolkit.fluxcd.io "$FIRST" --namespace "$NAMESPACE" --ignore-not-found --output name)
  outcome="applies $ENVIRONMENT"
  [ -n "$found" ] || outcome="does not apply $ENVIRONMENT yet; push the generated files, and check that the path of this Kustomization is ./$FLUX_PATH or a parent folder"
}
