import { fileURLToPath } from 'node:url'

const FLAGS = ['--conditions=@waggle/source']

/** How a file of this package is run: from its source, and that of the packages beside it. */
export function nodeCommand(file: URL, ...args: readonly string[]): string[] {
  return [process.execPath, ...FLAGS, fileURLToPath(file), ...args]
}

/** The same, in a process that can collect its garbage when it is told to. */
export function collecting([node = '', ...rest]: readonly string[]): string[] {
  return [node, '--expose-gc', ...rest]
}
