/**
 * The names on the command line of the libraries' options. Messages of the libraries name options as
 * programs give them.
 */
export const FLAGS: Readonly<Record<string, string>> = {
  announce: '--announce',
  clientMode: '--client',
  count: '--count',
  dataDir: '--data-dir',
  durability: '--durability',
  expirationTime: '--expiration-time',
  identityPath: '--identity',
  initialPeers: '--initial-peers',
  latest: '--latest',
  listenOn: '--listen-on',
  numReplicas: '--num-replicas',
  privateKey: '--identity',
  protocol: '--protocol',
  relay: '--relay',
  renewals: '--renewals',
  requireBootstrap: '--require-bootstrap',
  serveRelay: '--serve-relay',
  strictClock: '--strict-clock',
  subkey: '--subkey',
  swarmKey: '--swarm-key',
  timeoutMs: '--timeout',
  ttl: '--ttl'
}

/** Words for names of the libraries that have no flag. */
const WORDS: Readonly<Record<string, string>> = {
  bootstrapTimeoutMs: 'time limit',
  ownerTag: 'owner tag',
  requestTimeoutMs: 'the time limit of a request'
}

/** Names that are no words of English: they are options wherever they stand. */
const NAMES = [...Object.keys(FLAGS), ...Object.keys(WORDS)].filter((name) => /[A-Z]/.test(name))

/** Names that are words, too: they are options at the beginning, and where options are listed. */
const NAMES_OR_WORDS = Object.keys(FLAGS).filter((name) => !NAMES.includes(name))

const NAMED = new RegExp(
  `(?<![-./\\w])(?:${NAMES.join('|')}|(?<=^|combined with |leave out |, or )(?:${NAMES_OR_WORDS.join('|')}))(?!-|\\.?\\w)`,
  'g'
)

/** Advice that a command can't follow. */
const FOR_PROGRAMS = /, (?:or )?(?:pass )?strict: false to join all the same/g

/** Replaces the libraries' option names in a message by those of the command line. */
export function withFlags(message: string): string {
  return message
    .replace(FOR_PROGRAMS, '')
    .replace(NAMED, (name) => FLAGS[name] ?? WORDS[name] ?? name)
}
