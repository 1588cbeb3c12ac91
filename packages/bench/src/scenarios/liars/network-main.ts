// A network of real nodes in one process, a growing share of which lies.
import { randomUUID } from 'node:crypto'
import { type DHT, type DHTOptions, getDHTTime } from '@waggle/dht'
import { memoryNodes } from '../../nodes/memory-node.ts'
import { lookUp } from '../../nodes/settle.ts'
import { serve } from '../../processes/serve.ts'
import { atOnce } from '../../workload/drive.ts'
import { sample, seededRandom } from '../../workload/random.ts'
import { type Lie, lieAs } from './lies.ts'

const TTL = 3600
const REQUEST_TIMEOUT_MS = 1000

/** Records that are stored and read at the same time. */
const AT_ONCE = 32

type Start = { count: number; connections: DHTOptions['connections'] }

const random = seededRandom(7)
const liars: DHT[] = []
let honest: readonly DHT[] = []

const handlers = {
  async start({ count, connections }: Start): Promise<void> {
    honest = await memoryNodes(count, random, {
      connections,
      requestTimeoutMs: REQUEST_TIMEOUT_MS,
      cache: false
    })

    for (const node of honest) {
      await lookUp(node, randomUUID())
    }
  },

  /** Makes more nodes lie until there are `count` liars; resolves with counts of the results of honest readers. */
  async measure({ lie, count, reads }: { lie: Lie; count: number; reads: number }) {
    const chosen = sample(honest, count - liars.length, random)
    honest = honest.filter((node) => !chosen.includes(node))
    liars.push(...chosen)

    for (const liar of liars) {
      await lieAs(lie, liar, liars)
    }

    const readings = { reads, right: 0, older: 0, missing: 0, forged: 0 }
    let left = reads
    await atOnce(AT_ONCE, async () => {
      if (left-- <= 0) {
        return false
      }

      readings[await readOne()]++
      return true
    })
    return readings
  }
}

export type LiarsHandlers = typeof handlers

serve(handlers)

/** Stores an owned record twice, and reads it from another node. */
async function readOne(): Promise<'right' | 'older' | 'missing' | 'forged'> {
  const [writer, reader] = sample(honest, 2, random) as [DHT, DHT]
  const key = `${randomUUID()} [owner:${writer.peerId}]`
  await writer.store(key, 'old', { ttl: TTL })
  const expirationTime = getDHTTime() + TTL + 1
  await writer.store(key, 'new', { expirationTime })
  const found = await reader.get(key, { latest: true })

  if (found === undefined) {
    return 'missing'
  }

  // Its owner never stored this value.
  const isLast = found.expirationTime === expirationTime
  return found.value === 'old' ? 'older' : isLast ? 'right' : 'forged'
}
