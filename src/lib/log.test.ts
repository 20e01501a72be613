import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openLog, SUBSYSTEMS, withoutUrlSecrets } from './log.ts'

function given(level = 'debug', form: 'json' | 'readable' = 'json') {
  const lines: string[] = []
  return { lines, log: openLog(level, form, (line) => lines.push(line)) }
}

test('openLog() writes one JSON line with time, level, subsystem, message and fields', () => {
  const { log, lines } = given()
  log.mirror.warn({ 'index.name': 'root/pypi', duration_ms: 5 }, 'Served stale')
  assert.equal(lines.length, 1)
  assert.ok(lines[0]!.endsWith('\n'))
  const line = JSON.parse(lines[0]!) as Record<string, unknown>
  assert.equal(line.subsystem, 'mirror')
  assert.equal(line.msg, 'Served stale')
  assert.equal(line['index.name'], 'root/pypi')
  assert.match(String(line.time), /^\d{4}-\d\d-\d\dT/)
})

test('openLog() has a logger for every subsystem', () => {
  const { log, lines } = given()
  for (const name of SUBSYSTEMS) log[name].info('x')
  assert.deepEqual(
    lines.map((line) => (JSON.parse(line) as { subsystem: string }).subsystem),
    [...SUBSYSTEMS],
  )
})

test('openLog() keeps back what is below its level', () => {
  const { log, lines } = given('warn')
  log.http.info('x')
  log.http.debug('x')
  log.http.error('y')
  assert.equal(lines.length, 1)
})

test('openLog() in readable form is a line for people', () => {
  const { log, lines } = given('info', 'readable')
  log.http.info({ duration_ms: 12 }, 'GET / 200')
  log.jobs.error({ err: new Error('broken') }, 'Job failed')
  assert.match(lines[0]!, /^\d\d:\d\d:\d\d http: GET \/ 200 \(12 ms\)\n$/)
  assert.match(lines[1]!, /^\d\d:\d\d:\d\d jobs ERROR: Job failed: Error: broken/)
})

for (const key of ['password', 'secret', 'token', 'authorization', 'cookie', 'x-devpi-auth']) {
  test(`openLog() never writes the value of ${key}, however deep it stands`, () => {
    const { log, lines } = given()
    log.http.info({ [key]: 'hidden-value' }, 'top')
    log.http.info({ headers: { [key]: 'hidden-value' } }, 'one down')
    log.http.info({ request: { headers: { [key]: 'hidden-value' } } }, 'two down')
    log.http.info(
      { err: Object.assign(new Error('x'), { request: { headers: { [key]: 'hidden-value' } } }) },
      'in an error',
    )
    assert.equal(lines.length, 4)
    for (const line of lines) assert.doesNotMatch(line, /hidden-value/)
    assert.match(lines[0]!, /\[redacted\]/)
  })
}

test('openLog() writes no credentials of addresses, in fields, messages and errors', () => {
  for (const form of ['json', 'readable'] as const) {
    const { log, lines } = given('debug', form)
    const url = 'https://user:s3cret@host.example/simple/'
    log.mirror.warn({ url, reason: `refused by ${url}` }, `Cannot reach ${url}`)
    log.mirror.error({ err: new Error(`connect ${url}`) }, 'x')
    for (const line of lines) assert.doesNotMatch(line, /s3cret/)
    assert.match(lines.join(''), /https:\/\/host\.example\/simple\//)
  }
})

for (const [text, expected] of [
  ['http://u:p@host/', 'http://host/'],
  ['HTTPS://u:p@host/', 'HTTPS://host/'],
  ['see http://u:p@host/a and https://token@other/b', 'see http://host/a and https://other/b'],
  ['http://host/a@b', 'http://host/a@b'],
  ['http://host/', 'http://host/'],
  ['mail someone@example.org', 'mail someone@example.org'],
  ['http://u:p%40q@host/', 'http://host/'],
  ['http://u:p@q@host/', 'http://host/'],
] as const) {
  test(`withoutUrlSecrets() of ${text}`, () => {
    assert.equal(withoutUrlSecrets(text), expected)
  })
}
