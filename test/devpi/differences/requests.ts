/** Requests that are not what HTTP wants. */
import { ABSENT, type RuleSection } from '../rule.ts'

export const REQUESTS: RuleSection = {
  title: 'Requests that are not as they should be',
  rules: [
    {
      about: 'An address with bytes that are no UTF-8',
      devpi: '500',
      airlock: '400',
      why: 'a mistake of the client is no failure of the server',
      covers: [{ steps: 'hostile: bytes that are no UTF-8*', field: 'status', devpi: 500, airlock: 400 }],
    },
    {
      about: 'HTTP/1.1 without a host; a length together with chunks',
      devpi: 'taken',
      airlock: '400',
      why: 'RFC 9112 wants it so: proxies and servers that read such a request differently can be played off against each other',
      covers: [
        { steps: 'hostile: HTTP/1.1 without a host', field: 'status', devpi: 200, airlock: 400 },
        { steps: 'hostile: a length and chunks', field: 'status', devpi: 403, airlock: 400 },
      ],
    },
    {
      about: 'What is no HTTP at all',
      devpi: '400 with a sentence',
      airlock: '400 without a body',
      why: 'nobody reads it',
      covers: [
        {
          steps: ['hostile: no request at all', 'hostile: a header without a colon', 'hostile: two lengths'],
          field: 'headers.content-type',
          devpi: 'text/plain; charset=utf-8',
          airlock: ABSENT,
        },
      ],
    },
  ],
}
