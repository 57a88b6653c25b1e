# Completion of meshops for bash: source <(meshops completion bash)
_meshops() {
  local value description
  COMPREPLY=()
  while IFS=$'\t' read -r value description; do
    COMPREPLY+=("$value")
  done < <("${COMP_WORDS[0]}" complete -- "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
}
complete -o default -F _meshops meshops
