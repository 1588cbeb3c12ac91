import { recordKey } from '@waggle/record'
import { describe, expect, it } from 'vitest'
import { Republisher } from '../../src/operations/republisher.ts'
import { silentLog } from '../support/silent-log.ts'
import { operations } from '../support/simulated-operations.ts'
import { Simulation } from '../support/simulated-replicas.ts'

const REPUBLISHED = { ttl: 60, republish: true }

function publisher(): { net: Simulation; republisher: Republisher } {
  const net = new Simulation(recordKey('key'), { size: 6 })
  return { net, republisher: new Republisher({ clock: net.clock, log: silentLog }) }
}

describe('a value stored with republish', () => {
  it('is no longer stored again once its key is deleted, nor are its subkeys (N7)', async () => {
    const { net, republisher } = publisher()
    const dht = operations(net, { republisher })
    await dht.store('key', 1, { ...REPUBLISHED, subkey: 'a' })
    await dht.store('key', 2, { ...REPUBLISHED, subkey: 'b' })
    await dht.store('key of another', 3, REPUBLISHED)
    expect(republisher.size).toBe(3)

    await dht.delete('key', { ttl: 120 })
    expect(republisher.size).toBe(1)
    net.clock.time += 40
    await republisher.runDue()
    republisher.stop()
    expect(await dht.get('key')).toBeUndefined()
    expect((await dht.get('key of another'))?.value).toBe(3)
  })

  it('is no longer stored again once the DHT that stored it has stopped (N7)', async () => {
    const { net, republisher } = publisher()
    const stopping = new AbortController()
    const stopped = operations(net, { republisher, lifetime: stopping.signal })
    const other = operations(net, { republisher })
    await stopped.store('key', 1, REPUBLISHED)
    await other.store('key of another', 2, REPUBLISHED)
    stopping.abort(new Error('stopped'))

    expect(republisher.size).toBe(1)
    net.requests.length = 0
    net.clock.time += 40
    await republisher.runDue()
    republisher.stop()
    expect((await other.get('key of another'))?.expirationTime).toBe(net.clock.time + 60)
    net.clock.time += 30
    expect(await other.get('key')).toBeUndefined()
  })
})
