import { fileURLToPath } from 'node:url'

/** How a file of this package is run: from its source, and that of the packages beside it. */
export function nodeCommand(file: URL, ...args: readonly string[]): string[] {
  return [process.execPath, '--conditions=@waggle/source', fileURLToPath(file), ...args]
}
