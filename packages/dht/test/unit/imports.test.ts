import { readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { fileCycle, folderCycle, type ImportGraph, readImports } from '../support/import-graph.ts'

const PACKAGES = fileURLToPath(new URL('../../../', import.meta.url))

/** Source files beside the folders of packages/dht/src. */
const MAX_ROOT_FILES = 14

function graph(imports: Record<string, readonly string[]>): ImportGraph {
  return new Map(Object.entries(imports))
}

describe('imports', () => {
  const packages = readdirSync(PACKAGES)

  it.each(packages)('go one way between the files of %s, type imports included', (name) => {
    expect(fileCycle(readImports(`${PACKAGES}${name}/src`))).toBeUndefined()
  })

  it.each(packages)('go one way between the folders of %s, type imports included', (name) => {
    expect(folderCycle(readImports(`${PACKAGES}${name}/src`))).toBeUndefined()
  })

  it('leave at most 14 files beside the folders of dht', () => {
    const files = [...readImports(`${PACKAGES}dht/src`).keys()]

    expect(files.length).toBeGreaterThan(MAX_ROOT_FILES)
    expect(files.filter((file) => !file.includes('/')).length).toBeLessThanOrEqual(MAX_ROOT_FILES)
  })
})

describe('fileCycle', () => {
  it('finds the way that leads back', () => {
    expect(fileCycle(graph({ 'a.ts': ['b.ts'], 'b.ts': ['c.ts'], 'c.ts': ['b.ts'] }))).toEqual([
      'b.ts',
      'c.ts',
      'b.ts'
    ])
  })

  it('finds none where two ways lead to one file', () => {
    const imports = { 'a.ts': ['b.ts', 'c.ts'], 'b.ts': ['d.ts'], 'c.ts': ['d.ts'], 'd.ts': [] }
    expect(fileCycle(graph(imports))).toBeUndefined()
  })
})

describe('folderCycle', () => {
  it('finds folders that import each other, though their files do not', () => {
    const imports = { 'x/a.ts': ['y/b.ts'], 'y/b.ts': [], 'y/c.ts': ['x/d.ts'], 'x/d.ts': [] }
    expect(folderCycle(graph(imports))).toEqual(['x', 'y', 'x'])
  })

  it('finds a folder inside another that imports its neighbour and is imported by it', () => {
    const imports = {
      'x/y/a.ts': ['x/b.ts'],
      'x/b.ts': ['x/y/c.ts'],
      'x/y/c.ts': []
    }
    expect(folderCycle(graph(imports))).toEqual(['x/y', 'x/b.ts', 'x/y'])
  })

  it('lets a file of a folder import a folder in it', () => {
    expect(folderCycle(graph({ 'x/a.ts': ['x/y/b.ts'], 'x/y/b.ts': [] }))).toBeUndefined()
  })
})
