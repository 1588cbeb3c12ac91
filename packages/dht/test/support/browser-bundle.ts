import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import { type OutputChunk, type Plugin, rolldown } from 'rolldown'

export interface BrowserBundle {
  readonly chunks: readonly OutputChunk[]

  /** The chunks' code by the paths at which they find each other. */
  readonly scripts: ReadonlyMap<string, string>

  /** The path of the entry. */
  readonly entry: string

  /** Modules that a browser would have to have. */
  readonly externals: readonly string[]

  /** Bytes of what a page loads at first, compressed. */
  readonly gzipBytes: number
}

/** The path of a file of test/browser. */
export function browserFile(name: string): string {
  return fileURLToPath(new URL(`../browser/${name}`, import.meta.url))
}

/**
 * Bundles a file of test/browser as an application would, from the packages' sources. `modules` take the place of
 * files, each by the specifier that imports it.
 */
export async function browserBundle(
  file: string,
  modules: Readonly<Record<string, string>> = {}
): Promise<BrowserBundle> {
  await using bundler = await rolldown({
    input: browserFile(file),
    platform: 'browser',
    plugins: [inPlaceOfFiles(modules)],
    resolve: { conditionNames: ['@waggle/source', 'browser', 'import', 'module', 'default'] }
  })
  // Tests see the names of classes, which would be shortened.
  const minify = Object.keys(modules).length === 0
  const { output } = await bundler.generate({ format: 'esm', minify })
  const chunks = output.filter((one) => one.type === 'chunk')
  const names = new Map(chunks.map((chunk) => [chunk.fileName, chunk]))
  const imported = chunks.flatMap(({ imports, dynamicImports }) => [...imports, ...dynamicImports])
  return {
    chunks,
    scripts: new Map(chunks.map(({ fileName, code }) => [`/${fileName}`, code])),
    entry: `/${chunks[0]?.fileName}`,
    externals: imported.filter((name) => !names.has(name)),
    gzipBytes: [...loadedFirst(chunks, names)].reduce(
      (sum, { code }) => sum + gzipSync(code, { level: 9 }).length,
      0
    )
  }
}

/** Has modules loaded in place of files. Modules of tests have effects, whatever their package says. */
function inPlaceOfFiles(modules: Readonly<Record<string, string>>): Plugin {
  return {
    name: 'in-place-of-files',
    resolveId: (source) =>
      source in modules || source.endsWith('.test.ts')
        ? { id: source, moduleSideEffects: true }
        : undefined,
    load: (id) => modules[id]
  }
}

/** The entry, and what it imports in turn. */
function loadedFirst(
  chunks: readonly OutputChunk[],
  names: ReadonlyMap<string, OutputChunk>
): Set<OutputChunk> {
  const loaded = new Set(chunks.filter(({ isEntry }) => isEntry))

  for (const { imports } of loaded) {
    for (const name of imports) {
      const chunk = names.get(name)
      chunk && loaded.add(chunk)
    }
  }

  return loaded
}
