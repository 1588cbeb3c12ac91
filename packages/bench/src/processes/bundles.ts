import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const LIBRARIES = ['record', 'dht']
const COMMAND = ['cli']
const bundled = new Map<readonly string[], Promise<void>>()

/** Bundles the libraries from their current source, once in a run. */
export function bundleLibraries(): Promise<void> {
  return bundledOnce(LIBRARIES)
}

/** Bundles the command `waggle` in the same way. */
export function bundleCommand(): Promise<void> {
  return bundledOnce(COMMAND)
}

function bundledOnce(packages: readonly string[]): Promise<void> {
  const done = bundled.get(packages) ?? bundle(packages)
  bundled.set(packages, done)
  return done
}

async function bundle(packages: readonly string[]): Promise<void> {
  for (const name of packages) {
    const script = new URL(`../../../${name}/scripts/bundle.ts`, import.meta.url)
    await promisify(execFile)(process.execPath, [fileURLToPath(script)])
  }
}
