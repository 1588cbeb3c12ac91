import { existsSync, readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { anchors, prose } from './markdown.ts'

interface Link {
  /** Counted from one. */
  line: number
  target: string
}

const LINKS = [
  /\]\(\s*<?([^)\s>]+)>?(?:\s+"[^"]*")?\s*\)/g,
  /^ {0,3}\[[^\]^][^\]]*\]:\s*<?([^\s>]+)/g,
  /<[^>]*\b(?:href|src)="([^"]+)"/g
]

/** Finds broken links between documents of the repository. */
export function linkErrors(root: string, documents: readonly string[]): string[] {
  return documents.flatMap((file) =>
    linksIn(readFileSync(join(root, file), 'utf8'))
      .filter(({ target }) => !/^([a-z][a-z\d+.-]*:|\/\/)/i.test(target))
      .flatMap(({ line, target }) => {
        const problem = problemOf(root, file, target)

        return problem === undefined ? [] : [`${file}:${line}: ${target}: ${problem}`]
      })
  )
}

function linksIn(text: string): Link[] {
  return prose(text).flatMap((line, index) => {
    const visible = line.replace(/`[^`]*`/g, '')

    return LINKS.flatMap((pattern) => [...visible.matchAll(pattern)]).map(([, target = '']) => ({
      line: index + 1,
      target
    }))
  })
}

function problemOf(root: string, file: string, target: string): string | undefined {
  const [path = '', anchor] = decodeURI(target).split('#')
  const from = path.startsWith('/') ? root : join(root, dirname(file))
  const found = path === '' ? join(root, file) : join(from, path)

  if (relative(root, found).startsWith('..')) {
    return 'leads out of the repository'
  }

  if (!existsSync(found)) {
    return 'no such file'
  }

  return anchor && found.endsWith('.md') && !anchors(readFileSync(found, 'utf8')).has(anchor)
    ? 'no such heading'
    : undefined
}
