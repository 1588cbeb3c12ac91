/** A fenced block of code. */
export interface Fence {
  /** The first word after the opening fence, in lower case. */
  language: string
  /** The line of the first line of code, counted from one. */
  line: number
  code: string
}

interface OpenFence extends Fence {
  marker: string
  indent: number
}

/** Extracts the fenced blocks of a Markdown text, without the indentation of a list. */
export function fences(text: string): Fence[] {
  return split(text).fences
}

/** Returns the lines of a Markdown text with code blocks and their fences blanked out. */
export function prose(text: string): string[] {
  return split(text).prose
}

/** Lists the anchors of a Markdown text: GitHub's anchors of its headings, and anchors in HTML. */
export function anchors(text: string): Set<string> {
  const lines = prose(text)
  const named = [...lines.join('\n').matchAll(/<[^>]*\b(?:id|name)="([^"]+)"/g)].map(
    ([, id = '']) => id
  )
  const found = new Set(named)

  for (const line of lines) {
    const heading = /^ {0,3}#{1,6}\s+(.*?)(?:\s+#+)?\s*$/.exec(line)?.[1]

    if (heading !== undefined) {
      found.add(unused(slug(heading), found))
    }
  }

  return found
}

function split(text: string): { fences: Fence[]; prose: string[] } {
  const found: Fence[] = []
  const lines: string[] = []
  let open: OpenFence | undefined

  for (const [index, line] of text.split('\n').entries()) {
    if (open === undefined) {
      open = opened(line, index)
      lines.push(open === undefined ? line : '')
    } else {
      lines.push('')

      if (closes(line, open)) {
        found.push(open)
        open = undefined
      } else {
        open.code += `${line.slice(Math.min(open.indent, line.search(/\S|$/)))}\n`
      }
    }
  }

  return { fences: open === undefined ? found : [...found, open], prose: lines }
}

function opened(line: string, index: number): OpenFence | undefined {
  const [, indent, marker, language] = /^(\s*)(`{3,}|~{3,})\s*([^\s`]*)[^`]*$/.exec(line) ?? []

  return indent === undefined || marker === undefined || language === undefined
    ? undefined
    : { language: language.toLowerCase(), line: index + 2, code: '', marker, indent: indent.length }
}

function closes(line: string, { marker }: OpenFence): boolean {
  const closing = line.trim()

  return closing.startsWith(marker) && closing.replaceAll(marker.charAt(0), '') === ''
}

function slug(heading: string): string {
  return heading
    .replace(/\[([^\]]*)\]\([^)]*\)/g, '$1')
    .toLowerCase()
    .replace(/[^\p{L}\p{M}\p{N}_\- ]/gu, '')
    .replaceAll(' ', '-')
}

function unused(name: string, taken: ReadonlySet<string>): string {
  let candidate = name

  for (let count = 1; taken.has(candidate); count++) {
    candidate = `${name}-${count}`
  }

  return candidate
}
