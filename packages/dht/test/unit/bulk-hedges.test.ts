import { describe, expect, it } from 'vitest'
import { BulkHedges, FIRST_BULK_HEDGES } from '../../src/lookup/bulk-hedges.ts'
import type { Request, Run } from '../../src/lookup/lookup-run.ts'

/** Asks others for many keys, as far as that is allowed. */
class Scene {
  readonly scheduled: Run[] = []
  readonly hedges: BulkHedges = new BulkHedges((run) => this.scheduled.push(run))

  /** Asks for as many keys as may be asked for now. */
  askAll(): Request[] {
    const requests: Request[] = []

    for (let run = {} as Run; this.hedges.admits(run, false); run = {} as Run) {
      const request = { run } as Request
      this.hedges.add(request)
      requests.push(request)
    }

    return requests
  }
}

describe('bulk that others are asked for in the place of suspects', () => {
  it('is more with each response, even a late one (N12)', () => {
    const { askAll, hedges } = bound()
    const [first, second, ...others] = askAll() as [Request, Request, ...Request[]]
    expect(others).toHaveLength(FIRST_BULK_HEDGES - 2)
    hedges.settle(first, true)
    expect(askAll()).toHaveLength(2)
    hedges.release(second)
    expect(askAll()).toHaveLength(0)
    hedges.settle(second, true)

    expect(askAll()).toHaveLength(1)
  })

  it('is as little as at first when those are suspects, too (N8n)', () => {
    const { askAll, hedges, scheduled } = bound()

    for (let left = 4 * FIRST_BULK_HEDGES; left > 0; ) {
      for (const request of askAll()) {
        hedges.settle(request, left-- > 0)
      }
    }

    const many = askAll()
    expect(many.length).toBeGreaterThan(4 * FIRST_BULK_HEDGES)
    scheduled.length = 0
    many.forEach((request) => {
      hedges.release(request)
    })

    expect(scheduled).toHaveLength(1)
    expect(askAll()).toHaveLength(FIRST_BULK_HEDGES)
  })
})

function bound(): Pick<Scene, 'askAll' | 'hedges' | 'scheduled'> {
  const scene = new Scene()
  const { hedges, scheduled } = scene
  return { hedges, scheduled, askAll: () => scene.askAll() }
}
