import { type DHTTime, parseRecordKey } from '@waggle/record'
import type { TypedEventEmitter } from 'main-event'
import type { DHTEvents } from './events.ts'
import type { Meter } from './metrics/meter.ts'
import type { StoreObserver } from './store/interface.ts'
import { keyOf } from './store/record-store.ts'

/** Tells of a store's records as events; while nobody listens, that costs one question a write. */
export function recordEvents(
  events: TypedEventEmitter<DHTEvents>,
  meter: Meter | undefined
): StoreObserver {
  const tell = (
    type: 'record:stored' | 'record:expired',
    name: string,
    expirationTime: DHTTime
  ) => {
    if (events.listenerCount(type) > 0) {
      const detail = { key: parseRecordKey(keyOf(name)), expirationTime }
      events.safeDispatchEvent(type, { detail })
    }
  }

  return {
    stored(name, expirationTime) {
      meter?.record('stored')
      tell('record:stored', name, expirationTime)
    },
    expired(name, expirationTime) {
      meter?.record('expired')
      tell('record:expired', name, expirationTime)
    }
  }
}
