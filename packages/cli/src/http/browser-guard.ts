import type { IncomingMessage, ServerResponse } from 'node:http'
import { isIP } from 'node:net'
import { HttpError } from './http-error.ts'

/** Sites that a browser names when the request comes from the page itself, or from the address bar. */
const OWN_SITES = ['same-origin', 'none']

/** Headers of a page that runs its own scripts only, and shows nothing inside others. */
const HEADERS: Readonly<Record<string, string>> = {
  'content-security-policy': [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self'",
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
    "require-trusted-types-for 'script'",
    "trusted-types 'none'"
  ].join('; '),
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY'
}

export function setBrowserHeaders(response: ServerResponse): void {
  for (const [name, value] of Object.entries(HEADERS)) {
    response.setHeader(name, value)
  }
}

/**
 * Checks that a request does not come through a page of somebody else. A name in `Host` may have been pointed to
 * this machine by its owner (DNS rebinding), so only IP addresses, `localhost` and the node's own name are taken.
 *
 * @throws HttpError
 */
export function assertOwnSite({ headers }: IncomingMessage, ownHost: string): void {
  const name = hostname(headers.host ?? '')

  if (isIP(name) === 0 && name !== 'localhost' && name !== ownHost.toLowerCase()) {
    throw new HttpError(403, 'other-host', 'nothing is served under this name')
  }

  const site = headers['sec-fetch-site']

  if (site !== undefined && !OWN_SITES.includes(String(site))) {
    throw new HttpError(403, 'other-site', 'another page asked for it: open the address by hand')
  }
}

/** Whether only this machine can connect to an address. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127\.\d+\.\d+\.\d+$/.test(host)
}

/** Reads the name in `Host`, without the port and the brackets of IPv6. */
function hostname(host: string): string {
  const [, bracketed, plain = ''] = /^(?:\[([^\]]+)\]|([^:]+))(?::\d+)?$/.exec(host) ?? []
  return (bracketed ?? plain).toLowerCase()
}
