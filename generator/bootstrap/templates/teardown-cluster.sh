# --- objects in the cluster ---------------------------------------------------

# delete_ <arguments…>: deletes objects, waits until they no longer exist, and appends their names to $SCRATCH/deleted.
delete_() {
  # On Azure, could_not sets $CONTEXT to an empty string, so that all further deletions in the cluster are skipped.
  [ -n "$CONTEXT" ] || return 0
  kubectl_ delete "$@" --ignore-not-found --timeout="$PATIENCE" >>"$SCRATCH/deleted"
}

# delete_own <resource> <namespace> <name>: deletes the object if it has meshops's label. Keeps an object with this name
# that does not have the label.
delete_own() {
  delete_ "$1" --namespace "$2" --field-selector "metadata.name=$3" --selector app.kubernetes.io/managed-by=meshops
}

{{#if placement.managesRoot}}
# Suspends the root Kustomization, which would otherwise apply deleted objects again. Stops if the root Kustomization
# uses another repository or path.
suspend_flux() {
  local other root
  outcome='not found'
  [ -n "$CONTEXT" ] || return 0
  list_kinds || could_not 'list the CRDs'
  has_kind kustomizations.kustomize.toolkit.fluxcd.io || return 0
  other=$(other_root) || could_not 'read the repository and path of the root Kustomization'
  [ -z "$other" ] || fail 1 "Flux in this cluster syncs another repository or path: $other" "check the context; this environment uses $GIT_URL, ./$FLUX_PATH"
  root=$(kubectl_ get kustomization.kustomize.toolkit.fluxcd.io flux-system --namespace flux-system --ignore-not-found --output name) || could_not 'read the root Kustomization'
  [ -n "$root" ] || return 0
  kubectl_ patch "$root" --namespace flux-system --type merge --patch '{"spec":{"suspend":true}}' >/dev/null || could_not 'suspend the root Kustomization'
  outcome='suspended'
}

{{else}}
# Another tool manages the root Kustomization, so this script does not suspend it. Stops if the root Kustomization is
# not suspended, because Flux would then apply the deleted objects again.
check_suspended() {
  local root
  outcome='not found'
  [ -n "$CONTEXT" ] || return 0
  list_kinds || could_not 'list the CRDs'
  has_kind kustomizations.kustomize.toolkit.fluxcd.io || return 0
  root=$(kubectl_ get kustomization.kustomize.toolkit.fluxcd.io "$ROOT" --namespace "$ROOT_NAMESPACE" --ignore-not-found \
    --output 'jsonpath={.metadata.name} {.spec.suspend}') || could_not 'read the root Kustomization'
  case $root in
    '') ;;
    *' true') outcome='is suspended' ;;
    *) fail 1 "Kustomization $ROOT in namespace $ROOT_NAMESPACE is not suspended; if this Kustomization applies $ENVIRONMENT, Flux would create the deleted objects again" \
      "run flux suspend kustomization $ROOT --namespace $ROOT_NAMESPACE; do not resume this Kustomization while its path includes ./$FLUX_PATH" ;;
  esac
}

{{/if}}
# take_down <kustomization> <namespace> <HelmRelease> <label> [suspended]: deletes a component. First deletes the
# webhook configurations and APIServices that have the label. Without the component's pods, the webhooks would make the
# API server reject new pods, and the APIServices would block the deletion of namespaces. Then deletes the component's
# Kustomization, so that Flux deletes the objects that the Kustomization applied. Last, deletes the component's
# HelmRelease if it still exists.
take_down() {
  : >"$SCRATCH/deleted"
  if [ -n "$CONTEXT" ]; then remove_component "$@" || could_not "delete $1"; fi
  outcome=$(if [ -s "$SCRATCH/deleted" ]; then echo deleted; else echo 'not found'; fi)
}

# resume <kustomization> <namespace> <HelmRelease>: resumes a suspended component before it is deleted. If a suspended
# Kustomization is deleted, Flux keeps the objects that the Kustomization applied. If a suspended HelmRelease is
# deleted, Flux keeps the Helm release.
resume() {
  local resource=kustomizations.kustomize.toolkit.fluxcd.io namespace=$NAMESPACE name=$1 found
  if [ -n "$3" ]; then resource=helmreleases.helm.toolkit.fluxcd.io namespace=$2 name=$3; fi
  has_kind "$resource" || return 0
  found=$(kubectl_ get "$resource" --namespace "$namespace" --field-selector "metadata.name=$name" --selector app.kubernetes.io/managed-by=meshops --output name) || return 1
  [ -z "$found" ] || kubectl_ patch "$found" --namespace "$namespace" --type merge --patch '{"spec":{"suspend":false}}' >/dev/null
}

remove_component() {
  if [ -n "$4" ]; then
    delete_ mutatingwebhookconfigurations,validatingwebhookconfigurations,apiservices --selector "$4" || return 1
  fi
  if [ "${5:-}" = suspended ]; then resume "$1" "$2" "$3" || return 1; fi
  if has_kind kustomizations.kustomize.toolkit.fluxcd.io; then
    delete_own kustomizations.kustomize.toolkit.fluxcd.io "$NAMESPACE" "$1" || return 1
  fi
  if [ -n "$3" ] && has_kind helmreleases.helm.toolkit.fluxcd.io; then
    delete_ helmrelease "$3" --namespace "$2" || return 1
  fi
}

# Deletes the namespaces that have meshops's label and contain no workloads, Services or volumes. Volumes contain user
# data, so volumes and their namespaces are kept.
remove_namespaces() {
  local name left kept=''
  : >"$SCRATCH/deleted"
  for name in "$@"; do
    [ -n "$CONTEXT" ] || continue
    left=$(kubectl_ get pods,persistentvolumeclaims,deployments,statefulsets,daemonsets,jobs,cronjobs,services --namespace "$name" --output name) ||
      could_not "list the objects in namespace $name"
    if [ -n "$left" ]; then
      kept="$kept $name"
    else
      delete_ namespace --field-selector "metadata.name=$name" --selector app.kubernetes.io/managed-by=meshops || could_not "delete namespace $name"
    fi
  done
  outcome=$(if [ -s "$SCRATCH/deleted" ]; then echo deleted; else echo 'not found'; fi)
  [ -z "$kept" ] || outcome="$outcome; kept because they are not empty:$kept"
}

# remove_secret <namespace> <name>: deletes a Secret that bootstrap applied. Keeps a Secret that meshops did not apply.
remove_secret() {
  local managers
  [ -n "$CONTEXT" ] || return 0
  managers=$(managers_of "$1" "$2") || could_not "read Secret $2"
  case $managers in *meshops*) delete_ secret "$2" --namespace "$1" || could_not "delete Secret $2" ;; esac
}

{{#if bindings}}
# Deletes the ClusterRoleBindings of the service accounts that the HelmReleases use. Does not delete the service
# accounts themselves, which are in the namespaces of the HelmReleases.
remove_bindings() {
  : >"$SCRATCH/deleted"
{{#each bindings}}
  delete_ clusterrolebinding --field-selector metadata.name={{this}} --selector app.kubernetes.io/managed-by=meshops || could_not 'delete the ClusterRoleBindings'
{{/each}}
  outcome=$(if [ -s "$SCRATCH/deleted" ]; then echo deleted; else echo 'not found'; fi)
}

{{/if}}
# Deletes the objects that bootstrap applied. Keeps Flux's controllers, because other tools may use them.
remove_root() {
  : >"$SCRATCH/deleted"
{{#if placement.managesRoot}}
  if has_kind kustomizations.kustomize.toolkit.fluxcd.io; then
    delete_ kustomization.kustomize.toolkit.fluxcd.io flux-system --namespace flux-system || could_not 'delete the root Kustomization'
    delete_ gitrepository flux-system --namespace flux-system || could_not 'delete the GitRepository'
  fi
{{/if}}
  remove_secret "$NAMESPACE" {{ageSecret}}
{{#if placement.managesRoot}}
  remove_secret flux-system flux-system
{{/if}}
  outcome=$(if [ -s "$SCRATCH/deleted" ]; then echo deleted; else echo 'not found'; fi)
}

# claims <namespace…>: prints the PersistentVolumeClaims in the namespaces, one per line.
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

show_remaining() {
  claims{{#each namespaces}} {{this}}{{/each}} >"$SCRATCH/claims" || return 0
{{#if placement.managesRoot}}
  say "the cluster and Flux's controllers are kept; to remove the controllers, run flux uninstall"
{{else}}
  say 'the cluster and Flux are kept'
{{/if}}
  [ -s "$SCRATCH/claims" ] || return 0
  say 'these volumes and their data are kept; to delete one, run kubectl delete persistentvolumeclaim NAME --namespace NAMESPACE:'
  sed 's/^/  /' "$SCRATCH/claims" >&2
}
{{/unless}}
