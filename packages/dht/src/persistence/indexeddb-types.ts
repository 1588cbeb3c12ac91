/** The used part of IndexedDB. TypeScript declares it only together with the whole DOM. */
export interface Request<T> extends EventTarget {
  readonly result: T
  readonly error: Error | null
}

export interface ObjectStore {
  get(key: string): Request<Uint8Array | undefined>
  getKey(key: string): Request<string | undefined>
  getAll(range: unknown, count: number): Request<Uint8Array[]>
  getAllKeys(range: unknown, count: number): Request<string[]>
  put(value: Uint8Array, key: string): Request<unknown>
  delete(key: string): Request<unknown>
}

export interface Transaction extends EventTarget {
  readonly error: Error | null
  objectStore(name: string): ObjectStore
}

export interface Database extends EventTarget {
  createObjectStore(name: string): unknown
  transaction(store: string, mode: 'readonly' | 'readwrite'): Transaction
  close(): void
}

export interface IndexedDB {
  open(name: string, version: number): Request<Database>
}

/** Makes ranges of keys (IDBKeyRange). */
export interface KeyRange {
  bound(lower: string, upper: string, isLowerOpen: boolean): unknown
}

/** The part of the Web Locks API that is used here. */
export interface Locks {
  request(
    name: string,
    options: { readonly ifAvailable: boolean },
    callback: (lock: object | null) => Promise<void> | undefined
  ): Promise<void>
}

/** Returns a global that only browsers have. */
export function browserGlobal<T>(name: string): T | undefined {
  return Reflect.get(globalThis, name) as T | undefined
}
