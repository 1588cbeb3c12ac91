// Bundles the command and its dependencies into a few files: Node takes a third of a second to find and read the
// hundreds of files of libp2p, and 70 ms for one. The licences of the dependencies are added.
import { existsSync, globSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import process from 'node:process'
import { fileURLToPath } from 'node:url'
import { type OutputChunk, rolldown } from 'rolldown'
import { BundleFolder, inASCII, inParts, licences, type Part } from '../../../scripts/bundling.ts'
import { builtinsByCall, leanModules } from '../../../scripts/lean-modules.ts'

const PACKAGE = fileURLToPath(new URL('..', import.meta.url))
const ROOT = join(PACKAGE, '../..')
const DIST = join(PACKAGE, 'dist')

/** Packages outside the bundle: one has binaries, and Ink loads the other for debugging only. */
const EXTERNAL = ['classic-level', 'react-devtools-core']

/** The files that a short command loads, besides the first one, for which the others must not wait. */
const PARTS: readonly Part[] = [
  ['command', join(PACKAGE, 'src/run.ts')],
  ['dht', join(ROOT, 'packages/dht/src/index.ts')]
]

/** The page of the dashboard: its source, and the files of it that need no bundling. */
const PAGE = join(PACKAGE, 'src/dashboard/page')
const PAGE_FILES = ['index.html', 'page.css', 'panels.css', 'icon.svg']

/** Bundles the source into `dist`. The source needs no build. */
export async function bundle(): Promise<void> {
  await using bundler = await rolldown({
    input: { main: join(PACKAGE, 'src/main.ts') },
    platform: 'node',
    external: EXTERNAL,
    resolve: { conditionNames: ['@waggle/source', 'import', 'node', 'default'] },
    transform: {
      target: 'node22.12',
      define: { 'process.env.NODE_ENV': '"production"', 'process.env.DEV': '"false"' }
    },
    plugins: [leanModules(), builtinsByCall()]
  })
  const { output } = await bundler.generate({
    format: 'esm',
    entryFileNames: '[name].js',
    chunkFileNames: '[name]-[hash].js',
    codeSplitting: inParts(PARTS),
    minify: true
  })
  const page = await pageBundle()
  const modules = [...output, page].flatMap((file) => ('moduleIds' in file ? file.moduleIds : []))
  const target = new BundleFolder(DIST)
  target.write('THIRD-PARTY-LICENSES.txt', licences(modules))
  target.write('page/page.js', page.code)

  for (const name of PAGE_FILES) {
    target.write(join('page', name), readFileSync(join(PAGE, name)))
  }

  // The entry is the first one: it comes last, when all that it imports is there.
  for (const file of output.toReversed()) {
    target.write(file.fileName, 'code' in file ? inASCII(file.code) : file.source)
  }

  target.removeOlder()
}

/** Bundles the script of the dashboard's page, for browsers. */
async function pageBundle(): Promise<OutputChunk> {
  await using bundler = await rolldown({
    input: join(PAGE, 'main.tsx'),
    platform: 'browser',
    transform: { target: 'es2022' }
  })
  const { output } = await bundler.generate({ format: 'esm', minify: true })
  const [script] = output
  return script
}

/** Checks whether the bundle is newer than all sources. */
function isUpToDate(): boolean {
  const main = join(DIST, 'main.js')
  const madeMs = existsSync(main) ? statSync(main).mtimeMs : 0
  const sources = globSync('{packages/*/src/**/*,packages/cli/package.json,pnpm-lock.yaml}', {
    cwd: ROOT
  })
  return sources.every((source) => statSync(join(ROOT, source)).mtimeMs <= madeMs)
}

if (
  process.argv[1] === fileURLToPath(import.meta.url) &&
  !(process.argv.includes('--if-changed') && isUpToDate())
) {
  await bundle()
}
