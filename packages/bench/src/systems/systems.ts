import type { System } from './system.ts'

/** kad-dht as it is tuned for few replicas and low cost. */
const SMALL = { kBucketSize: 5, alpha: 3, disjointPaths: 1 }

/** The systems that run in Node. Each is loaded only by the processes that run it. */
const LOADERS: Readonly<Record<string, () => Promise<System>>> = {
  hyperdht: async () => (await import('./hyperdht.ts')).mutable,
  'hyperdht-immutable': async () => (await import('./hyperdht.ts')).immutable,
  kad: async () => (await import('./kad.ts')).kad(),
  'kad-small': async () => (await import('./kad.ts')).kad(SMALL),
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
