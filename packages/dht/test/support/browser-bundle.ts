import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import { type OutputChunk, rolldown } from 'rolldown'

export interface BrowserBundle {
  readonly chunks: readonly OutputChunk[]

  /** Modules that a browser would have to have. */
  readonly externals: readonly string[]

  /** Bytes of what a page loads at first, compressed. */
  readonly gzipBytes: number
}

/** Bundles a file of test/browser as an application would, from the packages' sources. */
export async function browserBundle(file: string): Promise<BrowserBundle> {
  await using bundler = await rolldown({
    input: fileURLToPath(new URL(`../browser/${file}`, import.meta.url)),
    platform: 'browser',
    resolve: { conditionNames: ['@waggle/source', 'browser', 'import', 'module', 'default'] }
  })
  const { output } = await bundler.generate({ format: 'esm', minify: true })
  const chunks = output.filter((one) => one.type === 'chunk')
  const names = new Map(chunks.map((chunk) => [chunk.fileName, chunk]))
  const imported = chunks.flatMap(({ imports, dynamicImports }) => [...imports, ...dynamicImports])
  return {
    chunks,
    externals: imported.filter((name) => !names.has(name)),
    gzipBytes: [...loadedFirst(chunks, names)].reduce(
      (sum, { code }) => sum + gzipSync(code, { level: 9 }).length,
      0
    )
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
