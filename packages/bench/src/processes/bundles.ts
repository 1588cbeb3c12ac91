import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const PACKAGES = ['record', 'dht']
let bundled: Promise<void> | undefined

/** Bundles the libraries from their current source, once in a run. */
export function bundleLibraries(): Promise<void> {
  bundled ??= bundleAll()
  return bundled
}

async function bundleAll(): Promise<void> {
  for (const name of PACKAGES) {
    const script = new URL(`../../../${name}/scripts/bundle.ts`, import.meta.url)
    await promisify(execFile)(process.execPath, [fileURLToPath(script)])
  }
}
