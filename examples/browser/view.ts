import type { Found } from '@waggle/dht'
import type { Change } from '@waggle/dht/handles'
import { Cell, emptyCell } from './cell.ts'
import { element } from './element.ts'
import type { Member } from './room.ts'

/** Cells of the comb, empty ones included. */
const MIN_CELLS = 14

/** Lines of news. */
const MAX_NEWS = 6

/** The view of the room and of this peer. */
export class View {
  readonly #cells = new Map<string, Cell>()
  #ownId = ''
  #isLoaded = false

  constructor(room: string) {
    element('room').textContent = room
    element<HTMLAnchorElement>('again').href = location.href
    this.#fill()
  }

  showIdentity(id: string, isKept: boolean): void {
    this.#ownId = id
    element('peer').textContent = `${id.slice(0, 8)}…${id.slice(-6)}`
    element('peer').title = id
    element('kept').textContent = isKept
      ? 'is kept across reloads'
      : 'ends with this tab, since another tab has the one that is kept'
  }

  showPeers(count: number): void {
    const network = element('network')
    network.classList.toggle('live', count > 0)
    network.textContent =
      count > 0 ? `Live, ${counted(count, 'server')}` : 'Looking for the network'
  }

  /** Shows an event of the watch. The first one is about all who are here already, which is no news. */
  show(
    members: ReadonlyMap<string, Found<Member>>,
    changes: readonly Change<string, Member>[]
  ): void {
    for (const change of changes) {
      this.#apply(change)
      this.#isLoaded && addNews(sentenceOf(change))
    }

    this.#isLoaded = true
    this.#fill()
    element('title').textContent =
      members.size === 0 ? 'Nobody is here yet' : `${counted(members.size, 'bee')} in the hive`
    document.title = `(${members.size}) Who is here · Waggle`
  }

  #apply(change: Change<string, Member>): void {
    const id = change.subkey

    if (change.type === 'removed') {
      this.#cells.delete(id)
    } else {
      const cell = this.#cells.get(id) ?? new Cell(id, id === this.#ownId)
      cell.show(change.found.value)
      this.#cells.set(id, cell)
    }
  }

  /** Puts this page's cell first, the others in the order of their names, and empty ones behind them. */
  #fill(): void {
    const cells = [...this.#cells.values()].sort(
      (a, b) => Number(b.isOwn) - Number(a.isOwn) || a.name.localeCompare(b.name)
    )
    const empty = Math.max(0, MIN_CELLS - cells.length)
    element('comb').replaceChildren(
      ...cells.map(({ item }) => item),
      ...Array.from({ length: empty }, emptyCell)
    )
  }
}

function sentenceOf(change: Change<string, Member>): string {
  if (change.type === 'removed') {
    const { name } = change.before.value
    return change.reason === 'deleted' ? `${name} has left` : `${name} is gone without a word`
  }

  const { name, mood } = change.found.value
  const before = change.type === 'changed' ? change.before.value.name : name
  return before === name ? `${name} is ${mood}` : `${before} is now called ${name}`
}

function addNews(sentence: string): void {
  const item = document.createElement('li')
  const time = document.createElement('time')
  time.textContent = new Date().toLocaleTimeString([], { timeStyle: 'short' })
  item.append(time, sentence)
  const log = element('log')
  log.prepend(item)
  log.childElementCount > MAX_NEWS && log.lastElementChild?.remove()
}

function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`
}
