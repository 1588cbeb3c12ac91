import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative, resolve, sep } from 'node:path'

/** All imports of other source files, type imports included. */
export type ImportGraph = ReadonlyMap<string, readonly string[]>

const SPECIFIER = /(?:\bfrom|\bimport)\s*\(?\s*'([.#][^']+)'/g

/** Files that a name of `imports` in package.json stands for, by the platform. */
type Names = ReadonlyMap<string, readonly string[]>

/** Reads the imports of all TypeScript files in a folder; paths are relative to it. */
export function readImports(folder: string): ImportGraph {
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' })
  const names = namesIn(folder)
  return new Map(
    files
      .filter((file) => /\.tsx?$/.test(file))
      .map((file) => [
        file,
        [...readFileSync(join(folder, file), 'utf8').matchAll(SPECIFIER)].flatMap(
          ([, specifier = '']) =>
            names.get(specifier) ?? relative(folder, resolve(folder, dirname(file), specifier))
        )
      ])
  )
}

function namesIn(folder: string): Names {
  const manifest = JSON.parse(readFileSync(join(folder, '../package.json'), 'utf8'))
  const imports: Record<string, { readonly '@waggle/source': Record<string, string> }> =
    manifest.imports ?? {}
  return new Map(
    Object.entries(imports).map(([name, conditions]) => [
      name,
      Object.values(conditions['@waggle/source']).map((file) =>
        relative(folder, join(folder, '..', file))
      )
    ])
  )
}

/** Finds a cycle between files, as a path back to its start. */
export function fileCycle(graph: ImportGraph): string[] | undefined {
  return findCycle(graph)
}

/**
 * Finds a cycle between the entries of one folder, at any depth: its files, and its folders as wholes.
 */
export function folderCycle(graph: ImportGraph): string[] | undefined {
  const folders = new Set([...graph.keys()].flatMap(ancestors))

  for (const folder of folders) {
    const cycle = findCycle(entriesOf(graph, folder))

    if (cycle !== undefined) {
      return cycle.map((entry) => join(folder, entry))
    }
  }

  return undefined
}

/** Lists the folders that contain a file, from the root ('') down. */
function ancestors(file: string): string[] {
  const parts = file.split(sep).slice(0, -1)
  return ['', ...parts.map((_, depth) => parts.slice(0, depth + 1).join(sep))]
}

/** Makes the graph of imports between the entries of one folder. */
function entriesOf(graph: ImportGraph, folder: string): ImportGraph {
  const prefix = folder === '' ? '' : folder + sep
  const entryOf = (file: string): string | undefined =>
    file.startsWith(prefix) ? file.slice(prefix.length).split(sep)[0] : undefined
  const entries = new Map<string, string[]>()

  for (const [file, imports] of graph) {
    const from = entryOf(file)

    if (from !== undefined) {
      const others = imports.map(entryOf).filter((to) => to !== undefined && to !== from)
      entries.set(from, [...(entries.get(from) ?? []), ...(others as string[])])
    }
  }

  return entries
}

function findCycle(graph: ImportGraph): string[] | undefined {
  const done = new Set<string>()
  const path: string[] = []

  const visit = (node: string): string[] | undefined => {
    if (path.includes(node)) {
      return [...path.slice(path.indexOf(node)), node]
    }

    if (done.has(node)) {
      return undefined
    }

    path.push(node)

    for (const next of graph.get(node) ?? []) {
      const cycle = visit(next)

      if (cycle !== undefined) {
        return cycle
      }
    }

    path.pop()
    done.add(node)
    return undefined
  }

  for (const node of graph.keys()) {
    const cycle = visit(node)

    if (cycle !== undefined) {
      return cycle
    }
  }

  return undefined
}
