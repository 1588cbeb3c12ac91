import { overviewAt } from '../control/control-client.ts'
import type { Overview } from '../control/overview.ts'
import { CommandError } from '../errors.ts'
import type { CommandIO } from '../io.ts'
import { isColourful } from '../text/paint.ts'
import { openFullScreen } from './full-screen.tsx'
import { ratesBetween } from './rates.ts'
import { Sized } from './sized.tsx'
import { Colourful } from './styled.tsx'
import { TopScreen } from './top-screen.tsx'

const REFRESH_MS = 1000

/** Records to fetch: more than the lines of a screen, and enough to show their density on the ring. */
const RECORDS = 500

/** Shows a node until the user quits or the node stops. */
export async function showTop(io: CommandIO, path: string): Promise<void> {
  const quit = Promise.withResolvers<void>()
  const screen = openFullScreen(io, (key) => key === 'q' && quit.resolve())
  let before: Overview | undefined

  const look = async (): Promise<void> => {
    const overview = await overviewAt(path, RECORDS)
    const rates = ratesBetween(before, overview)
    before = overview
    screen.show(
      <Colourful.Provider value={isColourful(io, 'stdout')}>
        <Sized>
          {(size) => (
            <TopScreen {...size} overview={overview} rates={rates} now={Date.now() / 1000} />
          )}
        </Sized>
      </Colourful.Provider>
    )
  }
  const fail = (): void => quit.reject(new CommandError('the node has stopped'))
  const looking = setInterval(() => look().catch(fail), REFRESH_MS)
  io.signal.addEventListener('abort', () => quit.resolve(), { once: true })

  try {
    look().catch(fail)
    await quit.promise
  } finally {
    clearInterval(looking)
    screen.close()
  }
}
