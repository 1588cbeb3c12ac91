import { describe, expect, it } from 'vitest'
import { PeerRotation } from '../../src/admission/peer-rotation.ts'

describe('PeerRotation', () => {
  function taken(rotation: PeerRotation<string>): (string | undefined)[] {
    const items: (string | undefined)[] = []

    for (
      let peer = rotation.next(() => true);
      peer !== undefined;
      peer = rotation.next(() => true)
    ) {
      items.push(rotation.take(peer))
    }

    return items
  }

  it('serves one item of each peer after the other', () => {
    const rotation = new PeerRotation<string>()

    for (const item of ['a1', 'a2', 'a3', 'b1', 'c1', 'c2']) {
      rotation.add(item.slice(0, 1), item)
    }

    expect(rotation.size).toBe(3)
    expect(taken(rotation)).toEqual(['a1', 'b1', 'c1', 'a2', 'c2', 'a3'])
    expect(rotation.size).toBe(0)
  })

  it('serves an item that was put back before the other items of its peer, after the other peers', () => {
    const rotation = new PeerRotation<string>()
    rotation.add('a', 'a1')
    rotation.add('a', 'a2')
    rotation.add('b', 'b1')
    rotation.putBack('a', rotation.take('a') as string)

    expect(taken(rotation)).toEqual(['b1', 'a1', 'a2'])
  })

  it('keeps an item that its peer adds while its last one is taken', () => {
    const rotation = new PeerRotation<string>()
    rotation.add('a', 'a1')
    const item = rotation.take('a') as string
    rotation.add('a', 'a2')
    rotation.putBack('a', item)

    expect(taken(rotation)).toEqual(['a1', 'a2'])
  })

  it('passes over peers that may not be served', () => {
    const rotation = new PeerRotation<string>()
    rotation.add('a', 'a1')
    rotation.add('b', 'b1')

    expect(rotation.next((peer) => peer !== 'a')).toBe('b')
    expect(rotation.next(() => false)).toBeUndefined()
    expect(rotation.take('c')).toBeUndefined()
    expect(rotation.has('a')).toBe(true)
  })
})
