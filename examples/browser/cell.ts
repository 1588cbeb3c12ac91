import type { Member } from './room.ts'

/** A waggle run, in which bees tell each other of something new. */
const DANCE: Keyframe[] = [0, -1, 1, -1, 1, -1, 1, 0].map((side, i) => ({
  transform: `translateX(${(i - 3.5) * side * side * 2}px) rotate(${side * 16}deg)`
}))

/** A cell of the comb, in which one member lives. */
export class Cell {
  readonly item: HTMLLIElement = document.createElement('li')
  readonly isOwn: boolean
  #name = ''

  constructor(id: string, isOwn: boolean) {
    this.isOwn = isOwn
    this.item.className = isOwn ? 'cell own' : 'cell'
    this.item.title = id
    this.item.style.setProperty('--hue', String(hueOf(id)))
  }

  get name(): string {
    return this.#name
  }

  show({ name, mood }: Member): void {
    this.#name = name
    this.item.setAttribute('data-mood', mood)
    const bee = beePicture()
    this.item.replaceChildren(
      bee,
      text('name', name),
      text('mood', this.isOwn ? `${mood} (you)` : mood)
    )

    if (!matchMedia('(prefers-reduced-motion: reduce)').matches) {
      bee.animate(DANCE, 700)
    }
  }
}

/** Makes a cell in which nobody lives. */
export function emptyCell(): HTMLLIElement {
  const item = document.createElement('li')
  item.className = 'cell empty'
  item.ariaHidden = 'true'
  return item
}

/** Chooses a colour that only depends on the peer, so that a member looks the same in all tabs. */
function hueOf(id: string): number {
  return [...id].reduce((hue, character) => (hue * 31 + character.charCodeAt(0)) % 360, 0)
}

function beePicture(): SVGSVGElement {
  const picture = document.createElementNS('http://www.w3.org/2000/svg', 'svg')
  const use = document.createElementNS('http://www.w3.org/2000/svg', 'use')
  use.setAttribute('href', '#bee')
  picture.setAttribute('class', 'bee')
  picture.setAttribute('viewBox', '0 0 64 48')
  picture.ariaHidden = 'true'
  picture.append(use)
  return picture
}

function text(className: string, content: string): HTMLSpanElement {
  const span = document.createElement('span')
  span.className = className
  span.textContent = content
  return span
}
