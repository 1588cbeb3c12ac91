import { getDHTTime } from '@waggle/dht'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { HivemindDHT } from '../../src/index.ts'
import { type PeerProcess, startPeerProcess } from '../support/peer-process.ts'
import { PythonPeers } from '../support/python-peers.ts'

const { WAGGLE_HIVEMIND_PYTHON: PYTHON = '' } = process.env

/** Peers of each kind: sixteen in all. */
const COUNT = 8
const KEYS = 24

let python: PythonPeers
let doomed: PeerProcess | undefined
const javaScript: HivemindDHT[] = []

beforeAll(async () => {
  python = await PythonPeers.start(PYTHON)
})

afterAll(async () => {
  await Promise.all(javaScript.map((dht) => dht.stop()))
  await doomed?.kill()
  await python?.[Symbol.asyncDispose]()
})

/** Starts eight Python peers and eight JavaScript ones, one of which has a process of its own. */
async function swarm(): Promise<void> {
  const { maddrs } = await python.startPeer('0')

  for (let i = 1; i < COUNT; i++) {
    await python.startPeer(String(i), { initial_peers: maddrs })
    javaScript.push(await HivemindDHT.create({ initialPeers: maddrs }))
  }

  doomed = await startPeerProcess(maddrs)
}

/** Whether a JavaScript peer stores under a key. The two kinds take turns. */
function isJavaScript(i: number): boolean {
  return i % 2 === 0
}

function subkeyOf(i: number): string {
  return isJavaScript(i) ? 'by JavaScript' : 'by Python'
}

function storeOne(i: number, expirationTime: number): Promise<boolean> | undefined {
  const options = { subkey: subkeyOf(i), expirationTime }
  return isJavaScript(i)
    ? javaScript[i % javaScript.length]?.store(`key ${i}`, i, options)
    : python.store(String(i % COUNT), `key ${i}`, i, options)
}

describe('sixteen mixed peers', () => {
  it('keep what was stored when a Python and a JavaScript peer are killed', async () => {
    await swarm()
    const expirationTime = getDHTTime() + 300

    for (let i = 0; i < KEYS; i++) {
      expect(await storeOne(i, expirationTime)).toBe(true)
    }

    await python.kill(String(COUNT - 1))
    await doomed?.kill()
    doomed = undefined

    for (let i = 0; i < KEYS; i++) {
      const here = await javaScript[0]?.get(`key ${i}`, { latest: true })
      const there = await python.get(String(i % (COUNT - 1)), `key ${i}`)
      expect(here?.value).toEqual(new Map([[subkeyOf(i), { value: i, expirationTime }]]))
      expect(there?.entries).toEqual([[subkeyOf(i), i, expirationTime]])
    }

    // Both kinds write on, around the dead.
    expect(await javaScript[1]?.store('after', 'js', { expirationTime })).toBe(true)
    expect((await python.get('1', 'after'))?.value).toBe('js')
    expect(await python.store('2', 'later', 'python', { expirationTime })).toBe(true)
    expect((await javaScript[2]?.get('later', { latest: true }))?.value).toBe('python')
  })
})
