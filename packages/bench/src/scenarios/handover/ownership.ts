import { comparePoints, distanceOf, type Point } from '../../simulation/points.ts'

/** Nodes that should hold each record: those whose points are nearest to the record's. */
export class Ownership {
  /** Those of the records. */
  readonly #points: readonly Point[]

  /** Nodes that should hold each record. */
  readonly #count: number
  #owners: readonly (readonly Point[])[]

  constructor(points: readonly Point[], count: number) {
    this.#points = points
    this.#count = count
    this.#owners = points.map(() => [])
  }

  /** Adds nodes; returns the number of records that become theirs, each of which has to be sent to them. */
  add(nodes: readonly Point[]): number {
    let owed = 0
    this.#owners = this.#points.map((point, i) => {
      const before = this.#owners[i] ?? []
      const after = [...before, ...nodes]
        .sort((a, b) => distanceOf(point, a) - distanceOf(point, b))
        .slice(0, this.#count)
      owed += after.filter((node) => !before.includes(node)).length
      return after
    })
    return owed
  }

  /** Whether a node should hold a record, by its number. */
  isOwner(record: number, node: Point): boolean {
    return this.#owners[record]?.some((owner) => comparePoints(owner, node) === 0) ?? false
  }
}
