import { afterAll } from 'vitest'
import { clearLeftTimers } from './left-timers.ts'

afterAll(clearLeftTimers)
