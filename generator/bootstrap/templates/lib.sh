# --- output and exit ---------------------------------------------------------
# All output goes to stderr. $SCRATCH/error contains the last error.

umask 077
SCRATCH=$(mktemp -d)
STATE="{{> state-folder}}/$ENVIRONMENT"
mkdir -p "$STATE"

step_number=0
step_title='start'
outcome=''
ticker=''

say() { printf '%s\n' "$*" >&2; }
note() { printf '        %s\n' "$*" >&2; }

# step <title> <function> <arguments…>: runs one step. The function sets $outcome to a short description of its result.
step() {
  local began=$SECONDS
  step_number=$((step_number + 1))
  step_title=$1
  outcome='done'
  printf '[%2d/%d] %s\n' "$step_number" "$STEPS" "$step_title" >&2
  : >"$SCRATCH/error"
  shift
  "$@"
  note "$outcome ($(elapsed $((SECONDS - began))))"
}

elapsed() {
  if [ "$1" -lt 60 ]; then printf '%d s' "$1"; else printf '%d min %02d s' $(($1 / 60)) $(($1 % 60)); fi
}

# fail <exit code> <error> <fix>: exits with the exit code. The function `finish`, which runs at every exit, prints the
# error and the fix.
fail() {
  printf '%s\nfix: %s\n' "$2" "$3" >"$SCRATCH/error"
  exit "$1"
}

# need <tool> <URL>: fails if the tool is not on the PATH. <URL> is the address of the tool's install instructions.
need() {
  command -v "$1" >/dev/null 2>&1 || fail 3 "$1 is not on the PATH" "install $1: $2"
}

# with_progress <task> <command…>: runs a command. Prints the elapsed time every 30 seconds until the command ends.
with_progress() {
  local task=$1 status=0
  shift
  (
    began=$SECONDS
    # If the loop is killed, its `sleep` can continue. Redirect the output of `sleep`, so that it does not keep the
    # terminal or a pipe open.
    while sleep 30 >/dev/null 2>&1; do note "$task, $(elapsed $((SECONDS - began))) elapsed"; done
  ) &
  ticker=$!
  "$@" || status=$?
  stop_ticker
  return "$status"
}

stop_ticker() {
  [ -n "$ticker" ] || return 0
  kill "$ticker" 2>/dev/null || true
  wait "$ticker" 2>/dev/null || true
  ticker=''
}

finish() {
  local status=$?
  trap - EXIT
  set +e
  stop_ticker
  # shellcheck disable=SC2046 # one word per process id
  kill $(jobs -p) 2>/dev/null
  if [ "$status" -ne 0 ]; then
    say ''
    say "$TASK of $ENVIRONMENT stopped at step $step_number of $STEPS: $step_title"
    sed 's/^/  /' "$SCRATCH/error" >&2
    fix_for "$SCRATCH/error"
    say "$REMAINS"
    say "to continue: $RESUME"
  fi
  rm -rf "$SCRATCH"
  exit "$status"
}
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

# fix_for <file>: prints a fix if the file contains a common Azure error.
fix_for() {
  local fix=''
  grep -q '^fix:' "$1" && return 0
  if grep -qE 'AuthorizationFailed|does not have authorization' "$1"; then
    fix='get the Azure role Contributor; to assign roles, you also need User Access Administrator or Owner'
  elif grep -qiE 'toomanyrequests:|pull rate limit' "$1"; then
    fix='set DOCKERHUB_USERNAME and DOCKERHUB_TOKEN: Docker Hub limits downloads without an account'
  elif grep -qiE 'quota|exceeding approved' "$1"; then
    fix="run az vm list-usage --location ${LOCATION:-REGION} --output table to see the quota; request a higher quota, or change vmSize, nodeCount or location in $SPEC"
  elif grep -qE 'SkuNotAvailable|not allowed in your subscription|NotAvailableForSubscription' "$1"; then
    fix="run az vm list-skus --location ${LOCATION:-REGION} --output table to see the available sizes; change vmSize, zones or location in $SPEC"
  elif grep -qE 'az login|AADSTS|InteractionRequired' "$1"; then
    fix='run az login'
  elif grep -qE 'SubscriptionNotFound|subscription .* (doesn.t exist|not found)' "$1"; then
    fix="run az account list --output table to see your subscriptions; set azure.subscription in $SPEC"
  fi
  [ -z "$fix" ] || say "  fix: $fix"
}

# Runs meshops from $MESHOPS_CLI (set by `meshops bootstrap --run`), or else from the PATH, or else from the project's
# node_modules.
meshops() {
  if [ -n "${MESHOPS_CLI:-}" ]; then
    node "$MESHOPS_CLI" "$@"
  elif type -P meshops >/dev/null; then
    command meshops "$@"
  else
    npx --no-install meshops "$@"
  fi
}
