import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DHT_OPTIONS } from '../../packages/dht/src/node/settings.ts'
import { DEFAULT_NODE_LIMITS } from '../../packages/dht/src/node-limits.ts'

/** A table between `<!-- options:… -->` markers. Names and defaults come from the code, meanings from doc comments. */
interface Table {
  readonly document: string
  readonly marker: string
  readonly head: string

  /** Defaults by name, in the order of the rows. */
  readonly defaults: Readonly<Record<string, unknown>>

  /** Where the doc comments are: files under packages/dht/src, and interfaces in them. */
  readonly interfaces: readonly (readonly [file: string, name: string])[]
}

interface Comment {
  readonly text: string
  readonly default: string | undefined
  readonly see: string | undefined
}

const TABLES: readonly Table[] = [
  {
    document: 'packages/dht/README.md',
    marker: 'options:DHT.create',
    head: '| name | default | meaning |\n| --- | --- | --- |',
    defaults: Object.fromEntries(
      Object.entries(DHT_OPTIONS).map(([name, option]) => [name, option.default])
    ),
    interfaces: [
      ['persistence/persistence-options.ts', 'PersistenceOptions'],
      ['service/service-options.ts', 'WaggleInit'],
      ['node/options.ts', 'DHTOptions']
    ]
  },
  {
    document: 'docs/running.md',
    marker: 'options:limits',
    head: '| `limits.` | default | meaning |\n| --- | ---: | --- |',
    defaults: { ...DEFAULT_NODE_LIMITS },
    interfaces: [['node-limits.ts', 'NodeLimits']]
  }
]

const MEMBER = /\/\*\*((?:(?!\*\/)[\s\S])*)\*\/\s*(?:readonly )?(\w+)\??:/g
const SOURCES = 'packages/dht/src'

/** Says which tables are not what the code and its comments make of them. */
export function tableErrors(root: string): string[] {
  return TABLES.flatMap((table) => {
    const text = readFileSync(join(root, table.document), 'utf8')
    return withTable(text, table, root) === text
      ? []
      : [
          `${table.document}: the table ${table.marker} differs from the code: run node scripts/check-docs.ts --write`
        ]
  })
}

/** Writes the tables anew. */
export function writeTables(root: string): void {
  for (const table of TABLES) {
    const path = join(root, table.document)
    writeFileSync(path, withTable(readFileSync(path, 'utf8'), table, root))
  }
}

function withTable(text: string, table: Table, root: string): string {
  const [begin, end] = [`<!-- ${table.marker} -->`, `<!-- /${table.marker} -->`]
  const [from, to] = [text.indexOf(begin), text.indexOf(end)]

  if (from === -1 || to < from) {
    throw new Error(`${table.document} has no markers ${begin} and ${end}`)
  }

  return `${text.slice(0, from)}${begin}\n\n${rendered(table, root)}\n\n${text.slice(to)}`
}

function rendered({ head, defaults, interfaces }: Table, root: string): string {
  const comments = new Map(
    interfaces.flatMap(([file, name]) =>
      commentsOf(readFileSync(join(root, SOURCES, file), 'utf8'), name)
    )
  )
  const rows = Object.entries(defaults).map(([name, value]) => {
    const comment = comments.get(name)

    if (comment === undefined) {
      throw new Error(`the option ${name} has no doc comment`)
    }

    const see = comment.see === undefined ? '' : ` See ${comment.see}.`
    return `| \`${name}\` | ${shownDefault(name, value, comment)} | ${comment.text}${see} |`
  })
  return [head, ...rows].join('\n')
}

/** The doc comment of each member of an interface. */
function commentsOf(source: string, name: string): [member: string, comment: Comment][] {
  const from = source.indexOf(`export interface ${name} `)
  const body = source.slice(from, source.indexOf('\n}', from))
  return Array.from(body.matchAll(MEMBER), ([, comment = '', member = '']) => [
    member,
    parsed(comment)
  ])
}

function parsed(comment: string): Comment {
  const [text = '', ...tags] = comment
    .replace(/^\s*\* ?/gm, '')
    .replace(/\s+/g, ' ')
    .trim()
    .split(/ ?(?=@(?:default|see) )/)
  const tag = (name: string): string | undefined =>
    tags.find((one) => one.startsWith(`@${name} `))?.slice(name.length + 2)
  return { text, default: tag('default'), see: tag('see') }
}

/** The comment says a default in words where the code has none, or where it depends. */
function shownDefault(name: string, value: unknown, comment: Comment): string {
  const shown = shownValue(name, value)
  const said = comment.default?.startsWith('DEFAULTS.') ? undefined : comment.default

  if (said === undefined || shown.replaceAll('`', '') === said) {
    return shown
  }

  if (isPlain(value) && !said.includes(shown)) {
    throw new Error(`the comment of ${name} gives the default ${said}, the code ${shown}`)
  }

  return said
}

function isPlain(value: unknown): boolean {
  return ['string', 'number', 'boolean'].includes(typeof value)
}

function shownValue(name: string, value: unknown): string {
  if (typeof value === 'number') {
    return /Bytes/.test(name) ? `${value / 1024 ** 2} MiB` : value.toLocaleString('en-US')
  }

  if (value === undefined) {
    return '–'
  }

  return typeof value === 'string' ? `\`'${value}'\`` : `\`${JSON.stringify(value)}\``
}
