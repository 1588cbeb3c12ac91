import * as v from 'valibot'
import { element } from './element.ts'
import { type Member, MemberSchema } from './room.ts'

/** Where a tab remembers what its user has said, so that a reload enters the room again. */
const PLACE = 'member'

/** The form in which the user enters the room, says something else, and leaves. */
export class MemberForm {
  readonly #form = element<HTMLFormElement>('form')
  readonly #onMember: (member: Member) => void
  #isEntered = false

  constructor(onMember: (member: Member) => void, onLeave: () => void) {
    this.#onMember = onMember
    this.#form.addEventListener('submit', (event) => {
      event.preventDefault()
      this.#setEntered(true)
      this.#say()
    })
    this.#form.addEventListener('change', () => {
      this.#isEntered && this.#form.reportValidity() && this.#say()
    })
    element('leave').addEventListener('click', () => {
      this.#setEntered(false)
      sessionStorage.removeItem(PLACE)
      onLeave()
      element('name').focus()
    })
  }

  /** Enters with what this tab said before it was reloaded, if it did. */
  restore(): void {
    const { success, output } = v.safeParse(
      MemberSchema,
      JSON.parse(sessionStorage.getItem(PLACE) ?? 'null')
    )

    if (success) {
      element<HTMLInputElement>('name').value = output.name
      element<HTMLInputElement>(output.mood).checked = true
      this.#form.requestSubmit()
    }
  }

  #say(): void {
    const { success, output } = v.safeParse(
      MemberSchema,
      Object.fromEntries(new FormData(this.#form))
    )

    if (success) {
      sessionStorage.setItem(PLACE, JSON.stringify(output))
      this.#onMember(output)
    }
  }

  #setEntered(isEntered: boolean): void {
    this.#isEntered = isEntered
    element('enter').hidden = isEntered
    element('leave').hidden = !isEntered
  }
}
