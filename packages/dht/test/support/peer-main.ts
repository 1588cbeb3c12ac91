/** A DHT in a process of its own, which does what the process that spawned it asks for. */
import process from 'node:process'
import { multiaddr } from '@multiformats/multiaddr'
import { DHT } from '@waggle/dht'
import type { Answer, Question } from './peer-process.ts'
import { type StockNode, stockNode } from './stock-node.ts'
import { TurnWatch } from './turn-watch.ts'

let dht: DHT | undefined
let plain: StockNode | undefined
const events: string[] = []
const { CLOCK_AHEAD_MS = '0' } = process.env
let aheadMs = Number(CLOCK_AHEAD_MS)
const systemNow = Date.now
Date.now = () => systemNow() + aheadMs
const turns = new TurnWatch()

process.on('message', async (question: Question) => {
  const answer = await answerTo(question)
  process.send?.(answer)

  if (question.call === 'stop') {
    process.disconnect()
  }
})

// The parent process has ended.
process.on('disconnect', async () => {
  await dht?.stop()
  await plain?.stop()
})

async function answerTo(question: Question): Promise<Answer> {
  try {
    return { id: question.id, result: await resultOf(question) }
  } catch (error) {
    return { id: question.id, error: String(error) }
  }
}

async function resultOf(question: Question): Promise<unknown> {
  if (question.call === 'create') {
    dht = await DHT.create(question.options)
    dht.addEventListener('node:wake', ({ type }) => events.push(type))
    dht.addEventListener('peer:disconnect', ({ type }) => events.push(type))
    return dht.multiaddrs.map(String)
  }

  if (question.call === 'createPlain') {
    plain = await stockNode()
    await plain.dial(question.initialPeers.map((address) => multiaddr(address)))
    return plain.getMultiaddrs().map(String)
  }

  if (dht === undefined) {
    throw new Error('create comes first')
  }

  switch (question.call) {
    case 'store':
      return dht.store(question.key, question.value, question.options)
    case 'get':
      return dht.get(question.key, question.options)
    case 'protocols':
      return dht.libp2p.getProtocols()
    case 'events':
      return events
    case 'moveClock':
      aheadMs += question.byMs
      return undefined
    case 'longestTurn':
      return turns.takeLongestMs()
    case 'stats':
      return dht.stats()
    case 'stop':
      return dht.stop()
  }
}
