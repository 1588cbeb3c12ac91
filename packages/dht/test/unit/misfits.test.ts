import { recordKey } from '@waggle/record'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { handlesOf } from '../../src/handles/handles.ts'
import type { Misfit } from '../../src/handles/misfit.ts'
import { sealedView } from '../../src/sealed/sealed-view.ts'
import { owner } from '../support/owners.ts'
import { operations } from '../support/simulated-operations.ts'
import { Simulation } from '../support/simulated-replicas.ts'

const alice = await owner(1)
const TTL = { ttl: 600 }

describe('the owner of a misfit', () => {
  const net = new Simulation(recordKey('key'), { size: 6 })
  const dht = operations(net, { peerId: alice.peerId, privateKey: alice.privateKey })

  it('is the peer that has signed it, also where it owns the key', async () => {
    const misfits: Misfit[] = []
    const onMisfit = (misfit: Misfit): unknown => misfits.push(misfit)
    const profile = handlesOf(dht).value(alice.tag, z.number(), { onMisfit })
    await dht.store(alice.tag, 'no number', TTL)
    await profile.get({ latest: true })

    expect(misfits).toMatchObject([{ subkey: undefined, owner: String(alice.peerId) }])
  })

  it('is nobody where members share a key, whatever the subkey looks like', async () => {
    const misfits: Misfit[] = []
    const onMisfit = (misfit: Misfit): unknown => misfits.push(misfit)
    const team = sealedView(dht, new Uint8Array(32))
    const room = team.dictionary('room', { subkey: z.string(), value: z.number() }, { onMisfit })
    await team.store('room', 'no number', { ...TTL, subkey: alice.tag })
    await room.entries({ latest: true })

    expect(misfits).toMatchObject([{ subkey: alice.tag, owner: undefined }])
  })
})
