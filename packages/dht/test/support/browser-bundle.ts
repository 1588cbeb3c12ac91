import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import { type OutputChunk, type Plugin, rolldown } from 'rolldown'

export interface BrowserBundle {
  readonly chunks: readonly OutputChunk[]

  /** Code of the chunks, by the paths of their imports. */
  readonly scripts: ReadonlyMap<string, string>

  /** The path of the entry. */
  readonly entry: string

  /** Imported modules that are not in the bundle. */
  readonly externals: readonly string[]

  /** Compressed bytes that a page loads at first. */
  readonly gzipBytes: number
}

/** Returns the path of a file in test/browser. */
export function browserFile(name: string): string {
  return fileURLToPath(new URL(`../browser/${name}`, import.meta.url))
}

/**
 * Bundles a file of test/browser from the packages' sources, as an application would. `modules` replace files, each
 * by the specifier of its import.
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

/** Replaces files by modules. Modules of tests have side effects, whatever their package says. */
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

/** Lists the entry chunk and all chunks that it imports. */
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
