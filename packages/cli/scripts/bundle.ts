// Makes of the command and everything that it uses a few files: Node needs a third of a second to find and read
// the hundreds that libp2p consists of, and 70 ms for one. What they are licensed under goes with them.
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { rolldown } from 'rolldown'

const PACKAGE = fileURLToPath(new URL('..', import.meta.url))
const DIST = join(PACKAGE, 'dist')

/** Has binaries, which can't be in a bundle; and what Ink asks for only where somebody debugs it. */
const EXTERNAL = ['classic-level', 'react-devtools-core']

const OUR_LICENCE = 'MIT, see LICENSE'

/** Bundles the source, which needs no build, into `dist`. */
export async function bundle(): Promise<void> {
  await using bundler = await rolldown({
    input: { main: join(PACKAGE, 'src/main.ts') },
    platform: 'node',
    external: EXTERNAL,
    resolve: { conditionNames: ['@waggle/source', 'import', 'node', 'default'] },
    transform: {
      target: 'node22.12',
      define: { 'process.env.NODE_ENV': '"production"', 'process.env.DEV': '"false"' }
    }
  })

  for (const name of existsSync(DIST) ? readdirSync(DIST) : []) {
    if (name.endsWith('.js')) {
      rmSync(join(DIST, name))
    }
  }

  const { output } = await bundler.write({
    dir: DIST,
    format: 'esm',
    entryFileNames: '[name].js',
    chunkFileNames: '[name]-[hash].js',
    minify: true
  })
  const modules = output.flatMap((chunk) => ('moduleIds' in chunk ? chunk.moduleIds : []))
  writeFileSync(join(DIST, 'THIRD-PARTY-LICENSES.txt'), licences(modules))
}

function licences(modules: readonly string[]): string {
  const folders = new Set(modules.flatMap((id) => packageFolder(id) ?? []))
  const texts = [...folders].map(licenceOf).sort()
  return `The files in this folder contain the following packages.\n\n${texts.join(`\n${'-'.repeat(80)}\n`)}`
}

/** Of a module of a dependency; undefined for our own and for what the bundler adds. */
function packageFolder(id: string): string | undefined {
  const [, folder] = /^(.*\/node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(id) ?? []
  return folder
}

function licenceOf(folder: string): string {
  const { name, version, license } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
  const files = readdirSync(folder).filter((file) => /^(licen[cs]e|notice)/i.test(file))
  const texts = files.map((file) => readFileSync(join(folder, file), 'utf8').trim())
  return [`${name} ${version}: ${license ?? OUR_LICENCE}`, ...texts].join('\n\n')
}

if (
  process.argv[1] !== undefined &&
  dirname(process.argv[1]) === dirname(fileURLToPath(import.meta.url))
) {
  await bundle()
}
