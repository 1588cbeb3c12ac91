import { render, useInput } from 'ink'
import type { ReactElement, ReactNode } from 'react'
import type { CommandIO } from '../io.ts'

/** A full screen in the terminal. Closing it restores the previous contents. */
export interface FullScreen {
  show(content: ReactNode): void
  close(): void
}

/**
 * Takes over the terminal. Each frame is one synchronized update of the changed lines, so the screen
 * does not flicker. Closing it restores the previous contents.
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

/** Reads the keys. In raw mode, Ctrl-C is an ordinary key. */
function Keys({ onKey, children }: KeysProps): ReactNode {
  useInput((input, key) => {
    onKey((key.ctrl && input === 'c') || key.escape ? 'q' : input)
  })

  return children
}
