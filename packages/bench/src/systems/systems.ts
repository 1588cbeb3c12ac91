import type { System } from './system.ts'

/** kad-dht tuned for few replicas and low cost. */
const SMALL = { kBucketSize: 5, alpha: 3, disjointPaths: 1 }

/** Loaders of the systems that run in Node: a process loads only the one that it runs. */
const LOADERS: Readonly<Record<string, (entry?: string) => Promise<System>>> = {
  hyperdht: async () => (await import('./hyperdht.ts')).mutable,
  'hyperdht-immutable': async () => (await import('./hyperdht.ts')).immutable,
  kad: async () => (await import('./kad.ts')).kad(),
  'kad-small': async () => (await import('./kad.ts')).kad(SMALL),
  waggle: async (entry) => (await import('./waggle.ts')).waggle(entry)
}

/** Loads a system by the arguments of its process: a name, and for Waggle the entry file of another checkout. */
export async function loadSystem([, , name = '', entry]: readonly string[]): Promise<System> {
  const load = LOADERS[name]

  if (load === undefined) {
    throw new TypeError(`no system is called ${name}: there are ${Object.keys(LOADERS).join(', ')}`)
  }

  return load(entry)
}
