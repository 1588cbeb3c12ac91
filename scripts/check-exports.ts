// Checks that every name of the packages' entry points has a doc comment where it is declared, that an application
// finds no more names in a package than it can survey, and that a published package has all of its entry points.
import { globSync, readFileSync } from 'node:fs'
import { dirname, join, posix } from 'node:path'
import { fileURLToPath } from 'node:url'

/** One name in `{ … }`: its name there, and the file it comes from; without `from` it is this file. */
interface Specifier {
  name: string
  original: string
  from: string | undefined
}

type Exports = Readonly<Record<string, string | Readonly<Record<string, string>>>>

interface Manifest {
  readonly exports?: Exports
  readonly publishConfig?: { readonly exports?: Exports }
}

const KEYWORDS =
  '(?:declare +)?(?:abstract +)?(?:async +)?(?:function\\*?|class|const|let|interface|type|enum)'
const LISTS = /^(?:import|export)(?: type)? \{([^}]*)\}(?: from '([^']+)')?/gm

/** Names of a package's entry for applications. */
const MAX_NAMES = 59

const root = fileURLToPath(new URL('..', import.meta.url))
const manifests = globSync('packages/*/package.json', { cwd: root }).sort()
const entries = manifests.flatMap(entryPoints)
const errors = [
  ...manifests.flatMap(unpublishedEntries),
  ...entries.flatMap((entry) =>
    exportedNames(read(entry)).flatMap((name) => problemOf(entry, name) ?? [])
  ),
  ...entries.filter((entry) => entry.endsWith('/src/index.ts')).flatMap(excessOf)
]

for (const error of errors) {
  console.error(error)
}

if (errors.length > 0) {
  console.error(`The entry points have ${errors.length} faults.`)
  process.exitCode = 1
}

/** The source files of a package's entry points. */
function entryPoints(manifest: string): string[] {
  const { exports = {} }: Manifest = JSON.parse(read(manifest))

  return Object.values(exports).flatMap((entry) =>
    typeof entry === 'object' && entry['@waggle/source'] !== undefined
      ? posix.join(posix.dirname(manifest), entry['@waggle/source'])
      : []
  )
}

/** Lists the entry points that the published `exports`, if they differ from those in the repository, leave out. */
function unpublishedEntries(manifest: string): string[] {
  const { exports = {}, publishConfig = {} }: Manifest = JSON.parse(read(manifest))
  const published = publishConfig.exports ?? exports

  return Object.keys(exports)
    .filter((entry) => !Object.hasOwn(published, entry))
    .map((entry) => `${manifest}: publishConfig.exports lacks ${entry}`)
}

function excessOf(entry: string): string[] {
  const { length } = exportedNames(read(entry))

  return length > MAX_NAMES ? [`${entry}: exports ${length} names, at most ${MAX_NAMES}`] : []
}

function exportedNames(source: string): string[] {
  const declared = source.matchAll(new RegExp(`^export +${KEYWORDS} +([\\w$]+)`, 'gm'))
  const listed = source.matchAll(/^export(?: type)? \{([^}]*)\}/gm)

  return [
    ...[...declared].map(([, name = '']) => name),
    ...[...listed].flatMap(([, list = '']) => specifiers(list, undefined)).map(({ name }) => name)
  ]
}

/** Follows a name from file to file to its declaration. Names from other packages are not checked. */
function problemOf(file: string, name: string): string | undefined {
  const source = read(file)
  const declaration = new RegExp(
    `^(?:export +)?${KEYWORDS} +${name.replaceAll('$', '\\$')}(?![\\w$])`,
    'm'
  )
  const match = declaration.exec(source)

  if (match !== null) {
    const line = source.slice(0, match.index).split('\n').length

    return isDocumented(source.slice(0, match.index))
      ? undefined
      : `${file}:${line}: ${name} has no doc comment`
  }

  const origin = [...source.matchAll(LISTS)]
    .flatMap(([, list = '', from]) => specifiers(list, from))
    .find((specifier) => specifier.name === name && specifier.from !== undefined)

  if (origin?.from === undefined) {
    return `${file}: ${name} is not declared here`
  }

  const next = join(dirname(file), origin.from)

  return origin.from.startsWith('.') ? problemOf(next, origin.original) : undefined
}

function specifiers(list: string, from: string | undefined): Specifier[] {
  return list
    .replace(/\/\*[\s\S]*?\*\/|\/\/.*/g, '')
    .split(',')
    .map((item) => item.trim().replace(/^type +/, ''))
    .filter((item) => item !== '')
    .map((item) => {
      const [original = '', name = original] = item.split(/ +as +/)

      return { name, original, from }
    })
}

function isDocumented(before: string): boolean {
  const text = before.trimEnd()
  const comment = text.slice(text.lastIndexOf('/*'))

  return text.endsWith('*/') && comment.startsWith('/**') && /\w/.test(comment)
}

function read(file: string): string {
  return readFileSync(join(root, file), 'utf8')
}
