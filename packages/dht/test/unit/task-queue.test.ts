import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { CpuShares } from '../../src/admission/cpu-shares.ts'
import { TaskQueue } from '../../src/admission/task-queue.ts'

/** Makes tasks that end when the test says so. */
function manualTasks() {
  const running: (() => void)[] = []
  let most = 0
  const task = (): Promise<void> =>
    new Promise((resolve) => {
      running.push(resolve)
      most = Math.max(most, running.length)
    })
  return {
    task,
    running,
    get most() {
      return most
    },

    /** Ends all tasks in the order of their start. */
    async endAll(): Promise<void> {
      while (running.length > 0) {
        running.shift()?.()
        await new Promise((resolve) => setImmediate(resolve))
      }
    }
  }
}

describe('TaskQueue', () => {
  it('runs all tasks, so many at once at most, and of each peer in their order (N13i)', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.constantFrom('a', 'b', 'c'), { maxLength: 40 }),
        fc.integer({ min: 1, max: 4 }),
        async (peers, maxRunning) => {
          const queue = new TaskQueue({ maxRunning, costMs: () => 0 })
          const tasks = manualTasks()
          const begun: number[] = []
          const all = peers.map((peer, i) =>
            queue.run(peer, () => {
              begun.push(i)
              return tasks.task()
            })
          )
          await tasks.endAll()
          await Promise.all(all)

          expect(tasks.most).toBeLessThanOrEqual(maxRunning)
          expect(begun.toSorted((a, b) => a - b)).toEqual(peers.map((_, i) => i))

          for (const peer of new Set(peers)) {
            const own = begun.filter((i) => peers[i] === peer)
            expect(own).toEqual(own.toSorted((a, b) => a - b))
          }
        }
      )
    )
  })

  it("lets no peer wait behind another one's flood (N13i)", async () => {
    const queue = new TaskQueue({ maxRunning: 2, costMs: () => 0 })
    const tasks = manualTasks()
    const ended: string[] = []
    const run = (peer: string): Promise<void> =>
      queue.run(peer, tasks.task).then(() => void ended.push(peer))
    const flood = Array.from({ length: 1000 }, () => run('flood'))
    const honest = run('honest')
    await tasks.endAll()
    await Promise.all([...flood, honest])

    expect(ended.indexOf('honest')).toBeLessThanOrEqual(4)
  })

  it('runs no more tasks of one peer at once than it may, and those of others meanwhile (N14)', async () => {
    const queue = new TaskQueue({ maxRunning: 5, maxRunningPerPeer: 2, costMs: () => 0 })
    const tasks = manualTasks()
    const begun: string[] = []
    const run = (peer: string): Promise<void> =>
      queue.run(peer, () => {
        begun.push(peer)
        return tasks.task()
      })
    const all = ['a', 'a', 'a', 'a', 'b'].map(run)
    expect(begun.toSorted()).toEqual(['a', 'a', 'b'])
    await tasks.endAll()
    await Promise.all(all)
    expect(begun).toHaveLength(5)
  })

  it('charges a peer for its tasks, and lets it wait for light clients (N13i, N9f)', async () => {
    const shares = new CpuShares()
    const queue = new TaskQueue({ maxRunning: 2, costMs: () => 2, shares })
    const flood = Array.from({ length: 20 }, () => queue.run('flood', async () => {}))
    await Promise.all(flood.slice(0, 5))

    shares.noteRequest('light', performance.now())
    expect(shares.isExhausted('flood', performance.now())).toBe(true)
    expect(shares.isExhausted('light', performance.now())).toBe(false)
    await Promise.all(flood)
  })

  it('rejects as the task does, and goes on', async () => {
    const queue = new TaskQueue({ maxRunning: 1, costMs: () => 0 })
    const failed = queue.run('a', () => Promise.reject(new Error('no')))
    const next = queue.run('a', async () => 7)

    await expect(failed).rejects.toThrow('no')
    expect(await next).toBe(7)
  })
})
