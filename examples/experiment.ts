/**
 * Trains one model on several machines, in the manner of Hivemind. Each machine reports the samples it
 * has processed in this epoch and reads the reports of all. When the sum is large enough, all move on to
 * the next epoch. There is no coordinator: the report of a machine that vanishes expires.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { DHT } from '@waggle/dht'

const PROGRESS = 'my-run/progress'

/** Samples per epoch, summed over all machines. */
const EPOCH_SAMPLES = 96
const EPOCHS = 3

/** Seconds of silence after which a machine counts as gone. */
const TTL = 5

interface Progress {
  readonly epoch: number
  readonly samples: number
}

/** Returns the progress of every machine that is alive. */
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
    await sleep(20) // stands for one training step
    mine = { ...mine, samples: mine.samples + samplesPerStep }
    await dht.store(PROGRESS, { ...mine }, { subkey: name, ttl: TTL })
    const all = await everybody(dht)
    const epoch = Math.max(...all.map((one) => one.epoch))
    const done = all
      .filter((one) => one.epoch === mine.epoch)
      .reduce((sum, { samples }) => sum + samples, 0)

    // The epoch is complete, or another machine saw that first. Peers would average gradients here.
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
