# --- what runs in the cluster -------------------------------------------------

# delete_ <what…>: deletes objects, waits until they are gone, and notes in $SCRATCH/gone which there were.
delete_() {
  kubectl_ delete "$@" --ignore-not-found --timeout="$PATIENCE" >>"$SCRATCH/gone"
}

# Without this the root Kustomization would bring back what is deleted. A root that follows something else is not ours to take down.
suspend_flux() {
  local other root
  outcome='not there'
  [ -n "$CONTEXT" ] || return 0
  list_kinds || could_not 'ask which kinds there are'
  there kustomizations.kustomize.toolkit.fluxcd.io || return 0
  other=$(other_root) || could_not 'ask what Flux follows'
  [ -z "$other" ] || fail 1 "Flux in this cluster follows something else: $other" "this environment is $GIT_URL, ./$FLUX_PATH: is it the right cluster?"
  root=$(kubectl_ get kustomization.kustomize.toolkit.fluxcd.io flux-system --namespace flux-system --ignore-not-found --output name) || could_not 'find the root'
  [ -n "$root" ] || return 0
  kubectl_ patch "$root" --namespace flux-system --type merge --patch '{"spec":{"suspend":true}}' >/dev/null || could_not 'suspend the root'
  outcome='suspended'
}

# take_down <component> <namespace> <release> <label>: its Kustomization, which deletes what it applied, and the release where that outlives it.
# First what the API server asks of the component (webhooks and aggregated APIs, by label): once its pods are gone, such questions
# would refuse pods and keep namespaces from ending.
take_down() {
  : >"$SCRATCH/gone"
  if [ -n "$CONTEXT" ]; then remove_component "$@" || could_not "remove $1"; fi
  outcome=$(if [ -s "$SCRATCH/gone" ]; then echo gone; else echo 'not there'; fi)
}

remove_component() {
  if [ -n "$4" ]; then
    delete_ mutatingwebhookconfigurations,validatingwebhookconfigurations,apiservices --selector "$4" || return 1
  fi
  if there kustomizations.kustomize.toolkit.fluxcd.io; then
    delete_ kustomization.kustomize.toolkit.fluxcd.io "$1" --namespace flux-system || return 1
  fi
  if [ -n "$3" ] && there helmreleases.helm.toolkit.fluxcd.io; then
    delete_ helmrelease "$3" --namespace "$2" || return 1
  fi
}

# Namespaces that carry our label, and in which nothing runs or waits any more. A volume is somebody's data: it stays, and so does its namespace.
remove_namespaces() {
  local name left kept=''
  : >"$SCRATCH/gone"
  for name in "$@"; do
    [ -n "$CONTEXT" ] || continue
    left=$(kubectl_ get pods,persistentvolumeclaims,deployments,statefulsets,daemonsets,jobs,cronjobs,services --namespace "$name" --output name) ||
      could_not "look into namespace $name"
    if [ -n "$left" ]; then
      kept="$kept $name"
    else
      delete_ namespace --field-selector "metadata.name=$name" --selector app.kubernetes.io/managed-by=meshops || could_not "remove namespace $name"
    fi
  done
  outcome=$(if [ -s "$SCRATCH/gone" ]; then echo gone; else echo 'not there'; fi)
  [ -z "$kept" ] || outcome="$outcome; not empty, so kept:$kept"
}

# What bootstrap brought. Flux's controllers stay: others may use them.
remove_root() {
  : >"$SCRATCH/gone"
  if there kustomizations.kustomize.toolkit.fluxcd.io; then
    delete_ kustomization.kustomize.toolkit.fluxcd.io flux-system --namespace flux-system || could_not 'remove the root Kustomization'
    delete_ gitrepository flux-system --namespace flux-system || could_not 'remove the source'
    delete_ helmrepository --namespace flux-system --selector app.kubernetes.io/managed-by=meshops || could_not 'remove the chart repositories'
  fi
  [ -z "$CONTEXT" ] || delete_ secret sops-age flux-system --namespace flux-system || could_not 'remove the keys of Flux'
  outcome=$(if [ -s "$SCRATCH/gone" ]; then echo gone; else echo 'not there'; fi)
}

# claims <namespace…>: the volumes that they hold, a line each.
claims() {
  local name
  for name in "$@"; do
    kubectl_ get persistentvolumeclaims --namespace "$name" --no-headers \
      --output custom-columns=NAMESPACE:.metadata.namespace,NAME:.metadata.name,SIZE:.spec.resources.requests.storage || return
  done
}

{{#unless azure}}
could_not() {
  sed -i.before "1s/^/could not $1: /" "$SCRATCH/error"
  exit 1
}

tell_remains() {
  claims{{#each namespaces}} {{this}}{{/each}} >"$SCRATCH/claims" || return 0
  say 'the cluster and the controllers of Flux stay (flux uninstall removes them)'
  [ -s "$SCRATCH/claims" ] || return 0
  say 'these volumes stay, and the data on them; to delete them: kubectl delete persistentvolumeclaim NAME --namespace NAMESPACE'
  sed 's/^/  /' "$SCRATCH/claims" >&2
}
{{/unless}}
