# --- Flux of others -----------------------------------------------------------

# Flux, its source and the root Kustomization belong to others. This script reads them and does not change them.
check_flux() {
  local version
  version=$(flux_version)
  [ -n "$version" ] || fail 1 "namespace flux-system of this cluster contains no Flux" \
    "install Flux with your own repository, because gitops.root in $SPEC names a Kustomization of this repository; then run the script again"
  ! is_older "$version" "$FLUX_MINIMUM" || fail 1 "Flux $version in this cluster is older than $FLUX_MINIMUM, and rejects the generated HelmReleases" \
    'upgrade Flux, then run the script again'
  kubectl_ get namespace "$NAMESPACE" >/dev/null || fail 1 "namespace $NAMESPACE of the Kustomizations does not exist" \
    "create the namespace, or correct gitops.namespace in $SPEC"
  outcome=$version
}

check_root() {
  local found
  found=$(kubectl_ get kustomization.kustomize.toolkit.fluxcd.io "$ROOT" --namespace "$ROOT_NAMESPACE" --ignore-not-found --output name)
  if [ -z "$found" ]; then
    outcome="does not exist yet; add it to your repository with the path ./$FLUX_PATH, and push"
    return
  fi
  found=$(kubectl_ get kustomization.kustomize.toolkit.fluxcd.io "$FIRST" --namespace "$NAMESPACE" --ignore-not-found --output name)
  outcome="applies $ENVIRONMENT"
  [ -n "$found" ] || outcome="does not apply $ENVIRONMENT yet; push the generated files, and check that its path is ./$FLUX_PATH or a folder above it"
}
