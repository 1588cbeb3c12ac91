import { describe, expect, it } from 'vitest'
import { CommandError, UsageError } from '../../src/errors.ts'
import { failure } from '../../src/failure.ts'
import { Stop } from '../../src/io.ts'

function errorCalled(name: string, message = 'wrong'): Error {
  return Object.assign(new Error(message), { name })
}

describe('failure', () => {
  it.each<[NodeJS.Signals, number]>([
    ['SIGHUP', 129],
    ['SIGINT', 130],
    ['SIGTERM', 143]
  ])('ends a command that %s stopped with exit code %i, and says nothing', (signal, exitCode) => {
    const stop = new Stop(signal)

    expect(failure(stop)).toEqual({ message: '', exitCode })
    expect(failure(new Error('aborted', { cause: stop }))).toEqual({ message: '', exitCode })
  })

  it.each([
    new UsageError('wrong'),
    ...['TypeError', 'InvalidKeyError', 'InvalidExpirationError', 'RecordTooLargeError'].map(
      (name) => errorCalled(name)
    )
  ])('takes a $name for wrong usage', (error) => {
    expect(failure(error)).toEqual({ message: 'wrong', exitCode: 2 })
  })

  it.each([new CommandError('wrong'), errorCalled('Error'), errorCalled('StoreError')])(
    'takes a $name for a failure',
    (error) => {
      expect(failure(error)).toEqual({ message: 'wrong', exitCode: 1 })
    }
  )

  it('tells what is unknown from what is not there by exit code 3 (N11a)', () => {
    expect(failure(errorCalled('UnreachableError')).exitCode).toBe(3)
  })
})
