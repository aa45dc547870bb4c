/**
 * What shells load. Each asks the program itself at every press of Tab, so that an upgrade brings no stale words, and
 * shows nothing where that fails. `/` alone: a file or directory belongs there.
 */
export const SCRIPTS = {
  bash: `# bash completion for jc-integrations
_jc_integrations() {
  local words=("\${COMP_WORDS[@]:1:COMP_CWORD}") line
  # Bash breaks --org=acme into three words.
  local i joined=()
  for ((i = 0; i < \${#words[@]}; i++)); do
    if [[ \${words[i]} == "=" && \${#joined[@]} -gt 0 ]]; then
      joined[-1]+="=\${words[i + 1]-}"
      i=$((i + 1))
    else
      joined+=("\${words[i]}")
    fi
  done
  COMPREPLY=()
  while IFS= read -r line; do
    if [[ $line == / ]]; then
      compopt -o default 2>/dev/null
      return
    fi
    # Of key=value the value alone is the word at hand, and a key that wants one is not done.
    if [[ \${joined[-1]} == *=* ]]; then line=\${line#"\${joined[-1]%=*}="}; fi
    if [[ $line == *= ]]; then compopt -o nospace 2>/dev/null; fi
    COMPREPLY+=("$line")
  done < <("\${COMP_WORDS[0]}" completion bash -- "\${joined[@]}" 2>/dev/null)
  if declare -F __ltrim_colon_completions >/dev/null; then
    __ltrim_colon_completions "\${COMP_WORDS[COMP_CWORD]}"
  fi
}
complete -F _jc_integrations jc-integrations
`,
  zsh: `#compdef jc-integrations
# zsh completion for jc-integrations
_jc_integrations() {
  local -a values open found
  local line value
  found=("\${(@f)$("\${words[1]}" completion zsh -- "\${(@)words[2,CURRENT]}" 2>/dev/null)}")
  if [[ "\${found[1]}" == / ]]; then
    [[ $PREFIX == --*=* ]] && compset -P '*='
    _files
    return
  fi
  for line in "\${found[@]}"; do
    [[ -n $line ]] || continue
    value="\${\${line%%$'\\t'*}//:/\\\\:}"
    [[ $line == *$'\\t'* ]] && value+=":\${line#*$'\\t'}"
    if [[ "\${line%%$'\t'*}" == *= ]]; then open+=("$value"); else values+=("$value"); fi
  done
  local isNone=1
  (( \${#values} )) && _describe 'jc-integrations' values && isNone=0
  (( \${#open} )) && _describe 'jc-integrations' open -S '' && isNone=0
  return $isNone
}
if [[ "\${funcstack[1]}" == _jc-integrations ]]; then
  _jc_integrations "$@"
else
  compdef _jc_integrations jc-integrations
fi
`,
  fish: `# fish completion for jc-integrations
function __jc_integrations_complete
    set -l words (commandline --tokenize --cut-at-cursor --current-process)
    set -l typed (commandline --current-token --cut-at-cursor)
    set -l found (command $words[1] completion fish -- $words[2..-1] "$typed" 2>/dev/null)
    if test "$found" = /
        __fish_complete_path (string replace --regex '^--[^=]*=' '' -- "$typed")
        return
    end
    printf '%s\\n' $found
end
complete --command jc-integrations --no-files --arguments '(__jc_integrations_complete)'
`,
} as const;
