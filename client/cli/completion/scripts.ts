// The scripts that `kvctl completion` prints, one for each shell. They only carry: what was typed
// to `kvctl __complete`, and its answer to the shell (answer.ts tells the records).

export const SHELLS = ["bash", "zsh", "fish"] as const;
export type ShellName = (typeof SHELLS)[number];

/** Where each shell finds such a script by itself. */
export const INSTALL: Readonly<Record<ShellName, string>> = {
  bash: "source <(kvctl completion bash)    # in ~/.bashrc",
  zsh: "source <(kvctl completion zsh)    # in ~/.zshrc, below compinit",
  fish: "kvctl completion fish > ~/.config/fish/completions/kvctl.fish",
};

const BASH = `# kvctl completion for bash: ${INSTALL.bash}
_kvctl() {
  local record how=
  COMPREPLY=()
  while IFS= read -r -d '' record; do
    if [ -z "$how" ]; then how=$record; else COMPREPLY+=("$record"); fi
  done < <(command kvctl __complete bash "\${COMP_LINE:0:COMP_POINT}" "$2" 2>/dev/null)
  case $how in
    nospace) compopt -o nospace 2>/dev/null ;;
    files) compopt -o default 2>/dev/null ;;
    folders) compopt -o dirnames 2>/dev/null ;;
  esac
}
complete -F _kvctl kvctl
`;

const ZSH = `#compdef kvctl
# kvctl completion for zsh: ${INSTALL.zsh}
_kvctl() {
  local -a before answer whole whole_shown partial partial_shown
  local current="\${(Q)\${:-\${compstate[quote]}\${PREFIX}\${compstate[quote]}}}"
  local how text says shown
  (( CURRENT > 2 )) && before=("\${(@Q)words[2,CURRENT-1]}")
  answer=("\${(@0)$(command kvctl __complete zsh "\${(@)before}" "$current" 2>/dev/null)}")
  case $answer[1] in
    files|folders)
      [[ -n $answer[2] ]] && compset -P '--[^=]##='
      if [[ $answer[1] == files ]]; then _files; else _files -/; fi
      return ;;
    words) ;;
    *) return 1 ;;
  esac
  for how text says in "\${(@)answer[2,-1]}"; do
    [[ -z $how ]] && continue
    shown=\${(V)text}
    [[ -n $says ]] && shown="$shown  -- $says"
    if [[ $how == partial ]]; then
      partial+=("$text") partial_shown+=("$shown")
    else
      whole+=("$text") whole_shown+=("$shown")
    fi
  done
  local -a list
  [[ -n "\${(M)whole_shown:#*  -- *}" ]] && list=(-l)
  local found=1
  (( $#partial )) && compadd -S '' -d partial_shown -a -- partial && found=0
  (( $#whole )) && compadd $list -d whole_shown -a -- whole && found=0
  return found
}
if [[ "\${funcstack[1]-}" == _kvctl ]]; then _kvctl "$@"; else compdef _kvctl kvctl; fi
`;

const FISH = `# kvctl completion for fish: ${INSTALL.fish}
function __kvctl_complete
    set -l before (commandline -opc)
    set -l typed (commandline -ct)
    set -l current (string unescape -- "$typed" 2>/dev/null)
    or set current (string unescape -- "$typed'" 2>/dev/null)
    or set current (string unescape -- "$typed\\"" 2>/dev/null)
    or set current "$typed"
    set -l asked __complete fish $before[2..] "$current"
    set -l answer (command kvctl $asked 2>/dev/null | string split0)
    switch "$answer[1]"
        case files folders
            set -l behind "$answer[2]"
            set -l part (string sub -s (math (string length -- "$behind") + 1) -- "$current")
            for path in (__fish_complete_path "$part")
                printf '%s\\0' "$behind$path"
            end
        case words
            set -l count (count $answer)
            test $count -ge 4; or return
            for at in (seq 2 3 (math $count - 2))
                set -l text $answer[(math $at + 1)]
                # A tab would end the word.
                string match -q '*'\\t'*' -- "$text"; and continue
                printf '%s\\t%s\\0' "$text" $answer[(math $at + 2)]
            end
    end
end
complete -c kvctl -f -a '(__kvctl_complete | string split0)'
`;

export const SCRIPTS: Readonly<Record<ShellName, string>> = { bash: BASH, zsh: ZSH, fish: FISH };
