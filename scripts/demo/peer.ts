/** Runs one peer of the demo: a process with a DHT that executes the narrator's commands. */
import process from 'node:process'
import { DHT, type DHTOptions, type StoreOptions, type Value } from '@waggle/dht'
import type { Answer, Question } from './messages.ts'

let dht: DHT | undefined

process.on('message', async ({ id, ask }: Question) => {
  const answer = await answered(id, ask)
  process.send?.(answer)

  if (ask.name === 'leave') {
    process.disconnect()
  }
})

// The narrator has ended.
process.on('disconnect', () => dht?.stop())

async function answered(id: number, ask: Question['ask']): Promise<Answer> {
  try {
    return { id, result: await done(ask) }
  } catch (error) {
    return { id, error: String(error) }
  }
}

async function done(ask: Question['ask']): Promise<unknown> {
  switch (ask.name) {
    case 'join':
      return join(ask.options)
    case 'store':
      return joined().store(ask.key, ask.value as Value, ask.options as StoreOptions)
    case 'get':
      return joined().get(ask.key, { latest: true })
    case 'leave':
      return joined().stop()
  }
}

async function join(options: DHTOptions): Promise<string> {
  dht = await DHT.create(options)
  return String(dht.multiaddrs[0])
}

function joined(): DHT {
  if (dht === undefined) {
    throw new Error('this peer has not joined yet')
  }

  return dht
}
