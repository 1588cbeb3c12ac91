/**
 * Machines that train one model together, in the manner of Hivemind: each tells how many samples it
 * has worked through in this epoch, each sees what all have done, and when that is enough all go on to the
 * next epoch. Nobody is in charge; a machine that vanishes stops counting when its entry expires.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { DHT } from '@waggle/dht'

const PROGRESS = 'my-run/progress'

/** Samples that make an epoch, whoever works through them. */
const EPOCH_SAMPLES = 96
const EPOCHS = 3

/** Seconds that a machine may be silent before it counts as gone. */
const TTL = 5

interface Progress {
  readonly epoch: number
  readonly samples: number
}

/** The state of all machines that are alive. */
async function everybody(dht: DHT): Promise<Progress[]> {
  const found = await dht.get(PROGRESS, { latest: true })
  return found?.value instanceof Map
    ? [...found.value.values()].map(({ value }) => value as unknown as Progress)
    : []
}

async function train(name: string, samplesPerStep: number, initialPeers: string[]): Promise<void> {
  const dht = await DHT.create({ initialPeers })
  let mine: Progress = { epoch: 0, samples: 0 }

  while (mine.epoch < EPOCHS) {
    await sleep(20) // the step of training
    mine = { ...mine, samples: mine.samples + samplesPerStep }
    await dht.store(PROGRESS, { ...mine }, { subkey: name, ttl: TTL })
    const all = await everybody(dht)
    const epoch = Math.max(...all.map((one) => one.epoch))
    const done = all
      .filter((one) => one.epoch === mine.epoch)
      .reduce((sum, { samples }) => sum + samples, 0)

    // Enough has been done, or others have seen it first: here peers would average their gradients.
    if (epoch > mine.epoch || done >= EPOCH_SAMPLES) {
      mine = { epoch: Math.max(epoch, mine.epoch + 1), samples: 0 }
      await dht.store(PROGRESS, { ...mine }, { subkey: name, ttl: TTL })
      console.log(`${name} is in epoch ${mine.epoch}`)
    }
  }

  await dht.stop()
}

const bootstrap = await DHT.create()
const initialPeers = bootstrap.multiaddrs.map(String)

await Promise.all([
  train('fast', 8, initialPeers),
  train('slow', 2, initialPeers),
  train('steady', 4, initialPeers)
])
console.log(`all have finished epoch ${EPOCHS}`)
await bootstrap.stop()
