import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { readImports } from '../support/import-graph.ts'

const ROOT = new URL('../../../../', import.meta.url)

/**
 * Returns the rows of the diagram in docs/architecture.md, from the top. Folders end with a slash.
 */
function rowsDrawn(): string[][] {
  const text = readFileSync(new URL('docs/architecture.md', ROOT), 'utf8')
  const [, diagram = ''] =
    /^## Folders of @waggle\/dht\n[\s\S]*?^```\n([\s\S]*?)^```/m.exec(text) ?? []
  return diagram
    .trim()
    .split('\n')
    .map((row) => row.trim().split(/\s+/))
}

/**
 * Returns the folder of packages/dht/src that a file is in, or the file itself beside the folders.
 */
function entryOf(file: string): string {
  const [first = '', ...rest] = file.split('/')
  return rest.length > 0 ? `${first}/` : first
}

describe('the diagram in docs/architecture.md', () => {
  const rows = rowsDrawn()
  const rowOf = new Map(rows.flatMap((entries, row) => entries.map((entry) => [entry, row])))
  const imports = readImports(fileURLToPath(new URL('packages/dht/src', ROOT)))

  it('has each folder and each file beside the folders, once', () => {
    const found = new Set([...imports.keys()].map(entryOf))
    expect(rows.flat().toSorted()).toEqual([...found].toSorted())
  })

  it('has each folder above all that it imports', () => {
    const wrong = [...imports].flatMap(([file, targets]) =>
      targets
        .map((target) => [entryOf(file), entryOf(target)] as const)
        .filter(([from, to]) => from !== to && !isAbove(from, to))
        .map(([from, to]) => `${from} imports ${to}`)
    )
    expect([...new Set(wrong)]).toEqual([])
  })

  /**
   * Whether one row is above another. Files of one row may import each other; a test for cycles checks these.
   */
  function isAbove(from: string, to: string): boolean {
    const [upper = 0, lower = 0] = [rowOf.get(from), rowOf.get(to)]
    return upper < lower || (upper === lower && !from.endsWith('/'))
  }
})
