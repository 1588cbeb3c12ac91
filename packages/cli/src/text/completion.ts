/** A command for shell completion. */
export interface CompletedCommand {
  readonly name: string
  readonly summary: string
  readonly options: readonly CompletedOption[]
}

export interface CompletedOption {
  readonly name: string
  readonly description: string

  /** Whether its argument is a file. */
  readonly takesFile: boolean
}

/** Builds a script for bash 3.2, the version of macOS, and newer. */
export function bashCompletion(commands: readonly CompletedCommand[]): string {
  const names = commands.map(({ name }) => name).join(' ')
  const cases = commands.map(
    ({ name, options }) =>
      `    ${name}) options="${options.map((option) => option.name).join(' ')} --help" ;;`
  )
  const files = [...new Set(fileOptions(commands))].join('|')
  return `_waggle() {
  local current="\${COMP_WORDS[COMP_CWORD]}" options=""
  if [ "$COMP_CWORD" -eq 1 ]; then
    COMPREPLY=($(compgen -W "${names} --help --version" -- "$current"))
    return
  fi
  case "\${COMP_WORDS[COMP_CWORD-1]}" in
    ${files}) COMPREPLY=($(compgen -f -- "$current")); return ;;
  esac
  case "\${COMP_WORDS[1]}" in
${cases.join('\n')}
  esac
  case "$current" in
    -*) COMPREPLY=($(compgen -W "$options" -- "$current")) ;;
    *) COMPREPLY=($(compgen -f -- "$current")) ;;
  esac
}
complete -o filenames -F _waggle waggle`
}

/** Builds a script for zsh that describes each command and option. */
export function zshCompletion(commands: readonly CompletedCommand[]): string {
  const described = (name: string, text: string): string => quoted(`${name}:${text}`)
  const list = commands.map(({ name, summary }) => described(name, summary)).join(' ')
  const cases = commands.map(({ name, options }) => {
    const all = options.map((option) => described(option.name, option.description)).join(' ')
    return `    ${name}) options=(${all} '--help:show the help') ;;`
  })
  const files = [...new Set(fileOptions(commands))].join('|')
  return `#compdef waggle
_waggle() {
  local -a commands options
  commands=(${list})
  if (( CURRENT == 2 )); then
    _describe command commands
    return
  fi
  case $words[2] in
${cases.join('\n')}
  esac
  case $words[CURRENT-1] in
    ${files}) _files; return ;;
  esac
  if [[ $words[CURRENT] == -* ]]; then
    _describe option options
  else
    _files
  fi
}
compdef _waggle waggle`
}

function fileOptions(commands: readonly CompletedCommand[]): string[] {
  return commands
    .flatMap(({ options }) => options)
    .filter(({ takesFile }) => takesFile)
    .map(({ name }) => name)
}

/** Quotes text as one word for the shell. zsh completes the part before the first colon. */
function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`
}
