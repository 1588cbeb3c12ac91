import type { Contact } from '../interface.ts'

/** So many questions of one turn go to one peer before it counts as busy. */
const FULL_TURN = 32

export interface TurnInit {
  /** Whether a peer can be asked without connecting first. */
  readonly isReady: (contact: Contact) => boolean

  /** Whether a peer is slower than others just now. */
  readonly isLate: (contact: Contact) => boolean
}

/**
 * Whom the lookups of one turn ask. Any of a key's nearest peers will do for the next question, so
 * those already asked in this turn are preferred: ten keys can often be had of two peers, in two
 * messages.
 */
export class Turn {
  readonly #init: TurnInit
  readonly #questions = new Map<string, number>()

  constructor(init: TurnInit) {
    this.#init = init
  }

  /** Chooses among peers of which the nearest comes first, and counts the question. */
  choose(contacts: readonly Contact[]): Contact | undefined {
    const [first] = contacts
    const contact = contacts.length > 1 ? this.#best(contacts) : first

    if (contact !== undefined) {
      const name = contact.id.toString()
      this.#questions.set(name, (this.#questions.get(name) ?? 0) + 1)
    }

    return contact
  }

  #best(contacts: readonly Contact[]): Contact | undefined {
    const prompt = contacts.filter((contact) => !this.#init.isLate(contact))
    const eligible = prompt.length > 0 ? prompt : contacts

    return (
      eligible.find((contact) => this.#isShared(contact)) ??
      eligible.find((contact) => this.#init.isReady(contact)) ??
      eligible[0]
    )
  }

  #isShared(contact: Contact): boolean {
    const questions = this.#questions.get(contact.id.toString())
    return questions !== undefined && questions < FULL_TURN
  }
}
