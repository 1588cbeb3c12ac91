import { render, useInput } from 'ink'
import type { ReactElement, ReactNode } from 'react'
import type { CommandIO } from '../io.ts'

/** A screen of its own in the terminal, which gives back what was there when it is closed. */
export interface FullScreen {
  show(content: ReactNode): void
  close(): void
}

/**
 * Takes over the terminal. Only lines that have changed are written, each frame in one synchronized
 * update, so that nothing flickers; what was on the screen comes back when it is closed.
 */
export function openFullScreen(io: CommandIO, onKey: (key: string) => void): FullScreen {
  const wrapped = (content: ReactNode): ReactElement => <Keys onKey={onKey}>{content}</Keys>
  const app = render(wrapped(null), {
    stdin: io.stdin as NodeJS.ReadStream,
    stdout: io.stdout as NodeJS.WriteStream,
    alternateScreen: true,
    incrementalRendering: true,
    interactive: true,
    exitOnCtrlC: false,
    patchConsole: false
  })

  return {
    show: (content) => app.rerender(wrapped(content)),
    close: () => app.unmount()
  }
}

interface KeysProps {
  readonly onKey: (key: string) => void
  readonly children: ReactNode
}

/** In raw mode Ctrl-C is a key like others. */
function Keys({ onKey, children }: KeysProps): ReactNode {
  useInput((input, key) => {
    onKey((key.ctrl && input === 'c') || key.escape ? 'q' : input)
  })

  return children
}
