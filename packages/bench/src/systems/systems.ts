import type { System } from './system.ts'

/** The systems that run in Node. Each is loaded only by the processes that run it. */
const LOADERS: Readonly<Record<string, () => Promise<System>>> = {
  waggle: async () => (await import('./waggle.ts')).waggle
}

/** @throws TypeError when there is no system of this name */
export async function loadSystem(name: string | undefined): Promise<System> {
  const load = LOADERS[name ?? '']

  if (load === undefined) {
    throw new TypeError(`no system is called ${name}: there are ${Object.keys(LOADERS).join(', ')}`)
  }

  return load()
}
