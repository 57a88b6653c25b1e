# kubectl_ <arguments…>: kubectl on the one cluster, with its complaint kept. An empty name would mean the current context: never that.
kubectl_() {
  kubectl --context "${CONTEXT:?}" "$@" 2>"$SCRATCH/error"
}

# The kinds that the cluster knows by CRDs.
kinds=''

list_kinds() {
  kinds=$(kubectl_ get crd --output name)
}

# there <kind>: whether the cluster knew it when the list was made.
there() {
  printf '%s\n' "$kinds" | grep -xF "customresourcedefinition.apiextensions.k8s.io/$1" >/dev/null
}

# other_root: what the root of Flux follows there, if that is not this environment; nothing where it is, or where there is no root.
other_root() {
  local url='' path=''
  if there gitrepositories.source.toolkit.fluxcd.io; then
    url=$(kubectl_ get gitrepository flux-system --namespace flux-system --ignore-not-found --output 'jsonpath={.spec.url}') || return
  fi
  if there kustomizations.kustomize.toolkit.fluxcd.io; then
    path=$(kubectl_ get kustomization.kustomize.toolkit.fluxcd.io flux-system --namespace flux-system --ignore-not-found --output 'jsonpath={.spec.path}') || return
  fi
  if [ "${url:-$GIT_URL}" != "$GIT_URL" ] || [ "${path:-./$FLUX_PATH}" != "./$FLUX_PATH" ]; then printf '%s, %s' "${url:-no repository}" "${path:-no path}"; fi
}
