import { Box, render, Text } from 'ink'
import type { ReactElement } from 'react'
import type { CommandIO } from '../io.ts'
import { shownCount } from '../text/count.ts'
import { isColourful } from '../text/paint.ts'

/** The progress of long work, shown while it runs. */
export interface Progress {
  /** Shows how many are done; `fraction` is from 0 to 1, if it is known. */
  show(done: number, fraction: number | undefined): void
  close(): void
}

/** Shortest time between two frames. */
const REFRESH_MS = 100
const BAR_WIDTH = 30

interface BarProps {
  readonly what: string
  readonly done: number
  readonly fraction: number | undefined
  readonly perSecond: number
  readonly isColourful: boolean
}

function Bar({ what, done, fraction, perSecond, isColourful }: BarProps): ReactElement {
  const filled = Math.round((fraction ?? 0) * BAR_WIDTH)
  const percent = fraction === undefined ? '' : ` ${Math.floor(fraction * 100)} %`
  const bar = `${'█'.repeat(filled)}${'░'.repeat(BAR_WIDTH - filled)}`
  return (
    <Box>
      <Text wrap="truncate">
        {what}{' '}
        {fraction === undefined ? '' : <Text {...(isColourful && { color: 'cyan' })}>{bar}</Text>}
        {percent} {shownCount(done)} ({shownCount(perSecond)} a second)
      </Text>
    </Box>
  )
}

/** Opens a progress bar below all other output. It vanishes when it is closed. */
export function progressBar(io: CommandIO, what: string): Progress {
  const startMs = performance.now()
  const colourful = isColourful(io, 'stderr')
  const app = render(null, {
    stdout: io.stderr as NodeJS.WriteStream,
    exitOnCtrlC: false,
    patchConsole: false
  })
  let shownMs = Number.NEGATIVE_INFINITY

  return {
    show(done, fraction) {
      const nowMs = performance.now()

      if (nowMs - shownMs >= REFRESH_MS) {
        shownMs = nowMs
        const perSecond = Math.round((1000 * done) / Math.max(nowMs - startMs, 1))
        app.rerender(<Bar {...{ what, done, fraction, perSecond }} isColourful={colourful} />)
      }
    },
    close() {
      app.clear()
      app.unmount()
    }
  }
}
