#compdef meshops
# Completion of meshops for zsh: eval "$(meshops completion zsh)", or save the script as file _meshops in a folder of
# $fpath.
_meshops() {
  local value description
  local -a found
  while IFS=$'\t' read -r value description; do
    found+=("${value//:/\\:}:$description")
  done < <("${words[1]}" complete -- "${(@)words[2,CURRENT]}" 2>/dev/null)
  if (( $#found )); then
    _describe -t meshops meshops found
  else
    _files
  fi
}
if [[ "${funcstack[1]}" == _meshops ]]; then
  _meshops "$@"
else
  compdef _meshops meshops
fi
