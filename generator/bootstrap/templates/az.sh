# --- Azure -------------------------------------------------------------------

# az_ <arguments…>: az on the one subscription, with its complaint kept. What passes by itself is tried again, $TRIES times. 3: not there.
az_() {
  local try status
  for try in 1 2 3 4; do
    status=0
    az "$@" --subscription "$SUBSCRIPTION" --only-show-errors 2>"$SCRATCH/error" || status=$?
    if [ "$status" -eq 0 ] || [ "$status" -eq 3 ] || [ "$try" -ge "${TRIES:-4}" ] || ! passing "$SCRATCH/error"; then return "$status"; fi
    note "az $1 $2: $(grep -m 1 . "$SCRATCH/error"); trying again in $((try * RETRY_SECONDS)) s"
    sleep $((try * RETRY_SECONDS))
  done
}

# passing <file>: whether an error is of the kind that goes away by waiting.
passing() {
  grep -qE 'TooManyRequests|\(429\)|ServiceUnavailable|InternalServerError|GatewayTimeout|ServerTimeout|Read timed out|ConnectTimeout|Connection (aborted|reset|broken)|RemoteDisconnected|connection was forcibly closed|PrincipalNotFound' "$1"
}

# query <arguments…>: what az answers; nothing where the thing is not there. Its answer goes into a variable by an assignment of its own: within a
# test or a loop's head, the shell would take a failure for an empty answer.
query() {
  local status=0
  az_ "$@" --output tsv || status=$?
  [ "$status" -eq 3 ] || return "$status"
}

account() {
  local name
  SUBSCRIPTION=$(az account show ${WANTED_SUBSCRIPTION:+--subscription "$WANTED_SUBSCRIPTION"} --query id --output tsv --only-show-errors 2>"$SCRATCH/error") || exit 3
  name=$(query account show --query name)
  outcome="$name ($SUBSCRIPTION)"
}
