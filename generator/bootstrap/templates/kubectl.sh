# kubectl_ <arguments…>: runs kubectl in the context $CONTEXT and saves its stderr in $SCRATCH/error. Fails if $CONTEXT
# is empty, because kubectl would then use the current context.
kubectl_() {
  kubectl --context "${CONTEXT:?}" "$@" 2>"$SCRATCH/error"
}

# managers_of <namespace> <secret>: prints the field managers of a Secret; prints nothing if the Secret does not exist.
managers_of() {
  kubectl_ get secret "$2" --namespace "$1" --ignore-not-found --show-managed-fields --output 'jsonpath={.metadata.managedFields[*].manager}'
}

# Names of the CRDs in the cluster, set by list_kinds.
kinds=''

list_kinds() {
  kinds=$(kubectl_ get crd --output name)
}

# has_kind <name of a CRD>: succeeds if the CRD existed in the cluster when list_kinds ran.
has_kind() {
  printf '%s\n' "$kinds" | grep -xF "customresourcedefinition.apiextensions.k8s.io/$1" >/dev/null
}

{{#if placement.managesRoot}}
# other_root: prints the repository and path of the root Kustomization in the cluster if they differ from the repository
# and path of this environment. Prints nothing if they are equal, or if the cluster has no root Kustomization.
other_root() {
  local url='' path=''
  if has_kind gitrepositories.source.toolkit.fluxcd.io; then
    url=$(kubectl_ get gitrepository flux-system --namespace flux-system --ignore-not-found --output 'jsonpath={.spec.url}') || return
  fi
  if has_kind kustomizations.kustomize.toolkit.fluxcd.io; then
    path=$(kubectl_ get kustomization.kustomize.toolkit.fluxcd.io flux-system --namespace flux-system --ignore-not-found --output 'jsonpath={.spec.path}') || return
  fi
  if [ "${url:-$GIT_URL}" != "$GIT_URL" ] || [ "${path:-./$FLUX_PATH}" != "./$FLUX_PATH" ]; then printf '%s, %s' "${url:-no repository}" "${path:-no path}"; fi
}
{{/if}}
