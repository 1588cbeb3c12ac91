import { describe, expect, it } from 'vitest'
import { Subscriptions } from '../../src/watch/subscriptions.ts'

describe('Subscriptions', () => {
  it('lets pass what was in flight when the key was unwatched, until that is answered', () => {
    const subscriptions = new Subscriptions()
    subscriptions.request('key', true)
    subscriptions.reply('key', 'watched')
    expect(subscriptions.notify('key')).toBe('wanted')

    subscriptions.request('key', false)
    expect(subscriptions.notify('key')).toBe('late')
    subscriptions.reply('key', 'ended')
    expect(subscriptions.notify('key')).toBe('never asked for')
    expect(subscriptions.size).toBe(0)
  })

  it('waits for every reply of overlapping requests: an honest peer may notify until the last (N9c)', () => {
    const subscriptions = new Subscriptions()

    for (const isWanted of [true, false, true, false]) {
      subscriptions.request('key', isWanted)
    }

    subscriptions.reply('key', 'watched')
    subscriptions.reply('key', 'ended')
    expect(subscriptions.notify('key')).toBe('late')
    subscriptions.reply('key', 'watched')
    expect(subscriptions.notify('key')).toBe('late')
    subscriptions.reply('key', 'ended')
    expect(subscriptions.notify('key')).toBe('never asked for')
  })

  it('expects nothing of a key that was refused', () => {
    const subscriptions = new Subscriptions()
    subscriptions.request('key', true)
    subscriptions.reply('key', 'refused')

    expect(subscriptions.notify('key')).toBe('never asked for')
  })
})
