// Bundles a library and its dependencies into a few files for Node, which otherwise spends most of a program's start
// on finding, reading and compiling the hundreds of files of libp2p, and keeps their text in memory.
import { join } from 'node:path'
import { type OutputOptions, rolldown } from 'rolldown'
import { BundleFolder, inASCII, inParts, licences, type Part } from './bundling.ts'
import { builtinsByCall, leanModules } from './lean-modules.ts'

export interface Library {
  /** The folder of the package. */
  readonly folder: string

  /** Source files of the entry points, by their names. */
  readonly entries: Readonly<Record<string, string>>

  /** Packages that stay outside the bundle, with all their entry points. */
  readonly external?: readonly string[]

  /** Files that contain the modules of most programs, and their entry points. @default as rolldown chooses */
  readonly parts?: readonly Part[]
}

/** Folder of the bundle within a package. */
const BUNDLE = 'dist/bundle'

/** Omits comments, and keeps names and lines, which stack traces show. */
const OUTPUT: OutputOptions = {
  format: 'esm',
  comments: false,
  entryFileNames: '[name].js',
  chunkFileNames: '[name]-[hash].js',
  minify: { compress: true, mangle: false, codegen: { removeWhitespace: false } }
}

/** Bundles the source of a library. The source needs no build. */
export async function bundleLibrary({
  folder,
  entries,
  external = [],
  parts = []
}: Library): Promise<void> {
  await using bundler = await rolldown({
    cwd: folder,
    input: entries,
    platform: 'node',
    external: (id) => external.some((name) => id === name || id.startsWith(`${name}/`)),
    resolve: { conditionNames: ['@waggle/source', 'import', 'node', 'default'] },
    transform: { target: 'node22.12' },
    plugins: [leanModules(), builtinsByCall()],
    checks: { ineffectiveDynamicImport: false }
  })
  const files = parts.map(([name, entry]): Part => [name, join(folder, entry)])
  const { output } = await bundler.generate({
    ...OUTPUT,
    ...(files.length > 0 && { codeSplitting: inParts(files) })
  })
  const target = new BundleFolder(join(folder, BUNDLE))
  const modules = output.flatMap((file) => (file.type === 'chunk' ? file.moduleIds : []))
  target.write('THIRD-PARTY-LICENSES.txt', licences(modules))

  // The entries come first in the output, and are written when all that they import is there.
  for (const file of output.toReversed()) {
    target.write(file.fileName, file.type === 'chunk' ? inASCII(file.code) : file.source)
  }

  target.removeOlder()
}
