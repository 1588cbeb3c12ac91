import type { Stats } from '@waggle/dht'
import { shownDuration } from '../text/time.ts'
import type { Sample } from './history.ts'

/** A sentence about a node's health, with advice. */
export interface Remark {
  readonly tone: 'good' | 'bad' | 'warn' | 'info'
  readonly text: string
  readonly remedy?: string
}

export interface HealthInit {
  readonly stats: Stats
  readonly uptimeSeconds: number
  readonly addresses: readonly string[]

  /** The node's figures so far, oldest first. */
  readonly samples: readonly Sample[]
}

/** Seconds over which refusals count: those of the alerts in docs/running.md. */
const RECENT_SECONDS = 600

/** Seconds without any known peer after which a node counts as alone. */
const LONELY_SECONDS = 30

/** Differences of clocks, in ms, from which one is wrong and from which records suffer. */
const WRONG_CLOCK_MS = 1000
const HARMFUL_CLOCK_MS = 3000

const CHECKS: readonly ((init: HealthInit) => Remark | undefined)[] = [
  disk,
  damage,
  clock,
  alone,
  ownRoom,
  othersRoom,
  overload,
  reach,
  memory
]

/** Describes a node's health, the worst first. The alerts are those of docs/running.md. */
export function healthOf(init: HealthInit): Remark[] {
  const order = ['bad', 'warn', 'good', 'info']
  const remarks = CHECKS.flatMap((check) => check(init) ?? [])
  const isWell = remarks.every(({ tone }) => tone === 'info')
  const all = isWell ? [...remarks, wellbeing(init)] : remarks
  return all.sort((a, b) => order.indexOf(a.tone) - order.indexOf(b.tone))
}

function wellbeing({ stats: { knownPeers, peers } }: HealthInit): Remark {
  const servers = `${knownPeers} other ${knownPeers === 1 ? 'server' : 'servers'}`
  return {
    tone: 'good',
    text:
      knownPeers === 0
        ? 'The node works.'
        : `The node works: it knows ${servers} and is connected to ${peers} ${peers === 1 ? 'peer' : 'peers'}.`
  }
}

function disk({ stats: { persistence } }: HealthInit): Remark | undefined {
  if (persistence?.state !== 'failing') {
    return undefined
  }

  return {
    tone: 'bad',
    text: `The disk takes no writes: ${persistence.error ?? 'no reason is known'}.`,
    remedy:
      persistence.durability === 'relaxed'
        ? 'Free space, or repair the disk. The node serves from memory and tries again by itself; what it acknowledges meanwhile is lost if it stops.'
        : 'Free space, or repair the disk. The node serves from memory, refuses writes as full, and tries again by itself.'
  }
}

function damage({ stats: { persistence } }: HealthInit): Remark | undefined {
  return persistence?.damagedFiles === undefined
    ? undefined
    : {
        tone: 'warn',
        text: `The database was damaged when the node started: ${persistence.damaged} records could not be read.`,
        remedy: `Other replicas have copies of them. Delete ${persistence.damagedFiles} when you need it no more.`
      }
}

function clock({ stats: { clockSkewMs = 0 } }: HealthInit): Remark | undefined {
  const skewMs = Math.abs(clockSkewMs)

  if (skewMs <= WRONG_CLOCK_MS) {
    return undefined
  }

  const way = clockSkewMs < 0 ? 'ahead of' : 'behind'
  return {
    tone: skewMs > HARMFUL_CLOCK_MS ? 'bad' : 'warn',
    text: `The clock of this machine is ${shownDuration(skewMs / 1000)} ${way} the clocks of its peers.`,
    remedy:
      'Synchronise the clock with NTP. Beyond 3 seconds, records expire too early or are refused.'
  }
}

function alone({ stats, uptimeSeconds }: HealthInit): Remark | undefined {
  return stats.knownPeers > 0 || uptimeSeconds < LONELY_SECONDS
    ? undefined
    : {
        tone: 'warn',
        text: 'The node knows no other server.',
        remedy:
          'If it is the first of a network, let others join. If not, check the addresses of --initial-peers with: waggle ping ADDRESS'
      }
}

function ownRoom({ samples }: HealthInit): Remark | undefined {
  const count = recent(samples, 'full')
  return count === 0
    ? undefined
    : {
        tone: 'warn',
        text: `The node is full: it refused ${count} records within ten minutes.`,
        remedy: 'Raise maxStoredRecords and maxStoredBytes, or add nodes to the network.'
      }
}

function othersRoom({ samples }: HealthInit): Remark | undefined {
  const count = recent(samples, 'replicasFull')
  return count === 0
    ? undefined
    : {
        tone: 'warn',
        text: `The network is full for what this node writes: ${count} replies of replicas within ten minutes said so.`,
        remedy: 'Add nodes to the network.'
      }
}

function overload({ samples }: HealthInit): Remark | undefined {
  const count = recent(samples, 'busy')
  return count === 0
    ? undefined
    : {
        tone: 'warn',
        text: `The node had too much to do: it put off ${count} requests within ten minutes.`,
        remedy: 'Peers turn to other replicas. If it lasts, add nodes or a faster processor.'
      }
}

function reach({ addresses }: HealthInit): Remark | undefined {
  const isOpen = addresses.some((address) => !/^\/ip[46]\/(127\.|::1\/)/.test(address))
  return isOpen || addresses.length === 0
    ? undefined
    : {
        tone: 'info',
        text: 'The node listens on this machine only.',
        remedy: 'To accept other machines, start it with: waggle serve --listen-on :1337'
      }
}

function memory({ stats: { persistence } }: HealthInit): Remark | undefined {
  return persistence === undefined
    ? {
        tone: 'info',
        text: 'The node keeps its records in memory only.',
        remedy: 'To keep records and identity across restarts, start it with: --data-dir DIRECTORY'
      }
    : undefined
}

/** The recent growth of a count. */
function recent(samples: readonly Sample[], name: 'busy' | 'full' | 'replicasFull'): number {
  const last = samples.at(-1)
  const from = samples.find(({ time }) => time >= (last?.time ?? 0) - RECENT_SECONDS)
  return (last?.[name] ?? 0) - (from?.[name] ?? 0)
}
