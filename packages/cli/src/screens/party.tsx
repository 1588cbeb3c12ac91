import type { CommandIO } from '../io.ts'
import type { Guest, PartyEvent } from '../party/guests.ts'
import type { Party } from '../party/party.ts'
import { isColourful } from '../text/paint.ts'
import { openFullScreen } from './full-screen.tsx'
import { PartyScreen } from './party-screen.tsx'
import { Sized } from './sized.tsx'
import { Colourful } from './styled.tsx'

/** The keys that change the answer. */
const ANSWERS: ReadonlyMap<string, string> = new Map([
  ['y', 'yes'],
  ['n', 'no'],
  ['m', 'maybe']
])

/** Time between updates of the remaining lifetimes, in ms. */
const REFRESH_MS = 1000

/** Events kept: as many as the largest screen has lines. */
const MAX_EVENTS = 200

/** Shows the party until the guest leaves. */
export async function showParty(
  io: CommandIO,
  party: Party,
  self: { readonly name: string; readonly address: string }
): Promise<void> {
  const leaving = new AbortController()
  const signal = AbortSignal.any([io.signal, leaving.signal])
  const events: PartyEvent[] = []
  let guests: readonly Guest[] = []

  const screen = openFullScreen(io, (key) => {
    const answer = ANSWERS.get(key)

    if (key === 'q') {
      leaving.abort()
    } else if (answer !== undefined) {
      party.say(answer)
    }
  })
  const show = (): void =>
    screen.show(
      <Colourful.Provider value={isColourful(io, 'stdout')}>
        <Sized>
          {(size) => (
            <PartyScreen
              {...self}
              {...size}
              guests={guests}
              events={[...events]}
              now={Date.now() / 1000}
            />
          )}
        </Sized>
      </Colourful.Provider>
    )
  const showing = setInterval(show, REFRESH_MS)

  try {
    for await (const view of party.views(signal)) {
      guests = view.guests
      events.push(...view.events)
      events.splice(0, events.length - MAX_EVENTS)
      show()
    }
  } finally {
    clearInterval(showing)
    screen.close()
  }
}
