import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const ROOT = fileURLToPath(new URL('../../../../', import.meta.url))
const ENTRY = 'packages/dht/src/index.ts'

/** Entry file of `@waggle/dht` in this checkout. */
export const HERE: string = join(ROOT, ENTRY)

/**
 * Exports a commit to a folder and installs the dependencies of `@waggle/dht` from its lockfile, offline if
 * possible. Returns the entry file of `@waggle/dht`; disposing of it removes the folder. The export leaves no
 * trace in the repository, even if this process is killed.
 */
export function checkOut(commit: string): Disposable & { readonly entry: string } {
  const folder = mkdtempSync(join(tmpdir(), 'waggle-guard-'))
  const remove = (): void => rmSync(folder, { recursive: true, force: true })

  try {
    const archive = join(folder, 'source.tar')
    run(ROOT, 'git', 'archive', '--output', archive, commit)
    run(folder, 'tar', '-xf', archive)
    const args = ['install', '--frozen-lockfile', '--ignore-scripts', '--filter', '@waggle/dht...']
    run(folder, 'pnpm', ...args, '--prefer-offline')
    return { entry: join(folder, ENTRY), [Symbol.dispose]: remove }
  } catch (error) {
    remove()
    throw error
  }
}

function run(cwd: string, file: string, ...args: readonly string[]): void {
  const { status, stdout, stderr, error } = spawnSync(file, args, { cwd, encoding: 'utf8' })

  if (status !== 0) {
    throw new Error(`${file} ${args.join(' ')}: ${error?.message ?? `${stdout}${stderr}`.trim()}`)
  }
}
