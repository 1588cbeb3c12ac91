import type { Json } from '../text/json.ts'

const TIME = { type: 'number', description: 'Unix time in seconds' }

const VALUE = {
  description:
    'Any JSON value. The strings base64:…, bigint:… and number:… stand for bytes, large integers, and numbers that JSON lacks; text:… escapes text that begins like one of these.'
}

const KEY = {
  description: 'As a value, without objects',
  anyOf: [
    { type: 'string' },
    { type: 'number' },
    { type: 'boolean' },
    { type: 'null' },
    { type: 'array' }
  ]
}

const FOUND = {
  description: 'A single value, or with `entries` a dictionary',
  type: 'object',
  properties: {
    key: { $ref: '#/components/schemas/Key' },
    subkey: { $ref: '#/components/schemas/Key' },
    value: { $ref: '#/components/schemas/Value' },
    entries: {
      type: 'array',
      items: {
        type: 'object',
        properties: {
          subkey: { $ref: '#/components/schemas/Key' },
          value: { $ref: '#/components/schemas/Value' },
          expirationTime: { $ref: '#/components/schemas/Time' }
        },
        required: ['subkey', 'value', 'expirationTime'],
        additionalProperties: false
      }
    },
    expirationTime: { $ref: '#/components/schemas/Time' }
  },
  required: ['key', 'expirationTime'],
  additionalProperties: false
}

const GONE = {
  description: 'Nothing is there (any more)',
  type: 'object',
  properties: {
    key: { $ref: '#/components/schemas/Key' },
    subkey: { $ref: '#/components/schemas/Key' },
    gone: { const: true }
  },
  required: ['key', 'gone'],
  additionalProperties: false
}

const STORED = {
  type: 'object',
  properties: {
    stored: { const: true },
    key: { $ref: '#/components/schemas/Key' },
    subkey: { $ref: '#/components/schemas/Key' },
    expirationTime: { $ref: '#/components/schemas/Time' }
  },
  required: ['stored', 'key', 'expirationTime'],
  additionalProperties: false
}

const DELETED = {
  type: 'object',
  properties: {
    deleted: { const: true },
    key: { $ref: '#/components/schemas/Key' },
    subkey: { $ref: '#/components/schemas/Key' }
  },
  required: ['deleted', 'key'],
  additionalProperties: false
}

const ERROR = {
  type: 'object',
  properties: {
    error: { type: 'string', description: 'What happened and what to do, for people' },
    code: { type: 'string', description: 'The same for programs; codes do not change' }
  },
  required: ['error', 'code'],
  additionalProperties: false
}

const KEY_PARAMETER = {
  name: 'key',
  in: 'path',
  required: true,
  description: 'Percent-encoded; JSON, or text',
  schema: { type: 'string' }
}

const SUBKEY = {
  name: 'subkey',
  in: 'query',
  description: 'One place of a dictionary: JSON, or text',
  schema: { type: 'string' }
}

const LATEST = {
  name: 'latest',
  in: 'query',
  description: 'Whether to ask all replicas, instead of taking the first answer',
  schema: { type: 'boolean', default: false }
}

const TTL = {
  name: 'ttl',
  in: 'query',
  description:
    'Lifetime: seconds, or 90s, 10m, 2h, 7d. Without it and expiration-time: 1h for a value',
  schema: { type: 'string' }
}

const EXPIRATION = {
  name: 'expiration-time',
  in: 'query',
  description: 'The end of the lifetime, instead of ttl: Unix seconds or a date',
  schema: { type: 'string' }
}

const TIMEOUT = {
  name: 'timeout',
  in: 'query',
  description: 'Time limit of the call: seconds, or 500ms, 10s',
  schema: { type: 'string', default: '30s' }
}

const REFUSALS = {
  400: 'The request is not valid (bad-request, expired)',
  401: 'The token is missing or wrong (no-token)',
  500: 'The node failed (failed): the error says why',
  503: 'Too few servers answer (unreachable), or all are busy (busy): try again',
  504: 'The call took longer than its timeout (timeout)'
} as const

const WRITE_REFUSALS = {
  ...REFUSALS,
  403: 'All replicas refuse the write (refused)',
  409: 'What is stored there wins (beaten)',
  507: 'All replicas are full (full)'
} as const

/** The HTTP interface as an OpenAPI 3.1 document. */
export const OPENAPI: Json = {
  openapi: '3.1.0',
  info: {
    title: 'Waggle over HTTP',
    version: '1',
    description:
      'A node of a Waggle network for programs in any language: waggle serve --http. Every value expires, and the later expiration wins.'
  },
  servers: [{ url: 'http://127.0.0.1:8337' }],
  security: [{ token: [] }],
  paths: {
    '/v1/keys/{key}': {
      parameters: [KEY_PARAMETER, SUBKEY, TIMEOUT],
      get: {
        operationId: 'get',
        summary: 'Read a value, a dictionary, or one subkey of it',
        parameters: [LATEST],
        responses: {
          200: answer('The value', 'Found'),
          ...refusals({ ...REFUSALS, 404: 'No value is stored there, or it has expired (absent)' })
        }
      },
      put: {
        operationId: 'store',
        summary: 'Store a value until it expires',
        parameters: [TTL, EXPIRATION],
        requestBody: {
          required: true,
          content: {
            'application/json': { schema: { $ref: '#/components/schemas/Value' } },
            'text/plain': { schema: { type: 'string' } },
            'application/octet-stream': { schema: { type: 'string', format: 'binary' } }
          }
        },
        responses: {
          200: answer('At least one replica holds it', 'Stored'),
          ...refusals({
            ...WRITE_REFUSALS,
            413: 'The value is too large (too-large)',
            422: 'A validator of this node refuses it (invalid)'
          })
        }
      },
      delete: {
        operationId: 'delete',
        summary: 'Delete a key, or one subkey of a dictionary',
        parameters: [TTL, EXPIRATION],
        responses: {
          200: answer('Nothing is there any more', 'Deleted'),
          ...refusals(WRITE_REFUSALS)
        }
      }
    },
    '/v1/watch/{key}': {
      parameters: [KEY_PARAMETER, SUBKEY],
      get: {
        operationId: 'watch',
        summary: 'Receive the value now and after each change, as server-sent events',
        responses: {
          200: {
            description:
              'Events whose data are Found or Gone, until the client ends the connection',
            content: {
              'text/event-stream': {
                schema: {
                  anyOf: [
                    { $ref: '#/components/schemas/Found' },
                    { $ref: '#/components/schemas/Gone' }
                  ]
                }
              }
            }
          },
          ...refusals({ 400: REFUSALS[400], 401: REFUSALS[401] })
        }
      }
    },
    '/v1/openapi.json': {
      get: {
        operationId: 'openapi',
        summary: 'Read this document',
        security: [],
        responses: { 200: { description: 'This document', content: { 'application/json': {} } } }
      }
    }
  },
  components: {
    securitySchemes: { token: { type: 'http', scheme: 'bearer' } },
    schemas: {
      Time: TIME,
      Value: VALUE,
      Key: KEY,
      Found: FOUND,
      Gone: GONE,
      Stored: STORED,
      Deleted: DELETED,
      Error: ERROR
    }
  }
}

function answer(description: string, schema: string): Json {
  return {
    description,
    content: { 'application/json': { schema: { $ref: `#/components/schemas/${schema}` } } }
  }
}

function refusals(descriptions: Readonly<Record<number, string>>): {
  readonly [status: string]: Json
} {
  return Object.fromEntries(
    Object.entries(descriptions).map(([status, description]) => [
      status,
      answer(description, 'Error')
    ])
  )
}
