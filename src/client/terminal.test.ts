import assert from 'node:assert/strict'
import { PassThrough, Writable } from 'node:stream'
import { test } from 'node:test'
import { NoAnswer, Terminal } from './terminal.ts'

class Keyboard extends PassThrough {
  readonly isTTY = true
  readonly modes: boolean[] = []
  setRawMode(raw: boolean): this {
    this.modes.push(raw)
    return this
  }
}

function terminal(stdin: PassThrough): { terminal: Terminal; said: () => string } {
  let said = ''
  const stderr = new Writable({
    write(chunk, _encoding, done) {
      said += chunk
      done()
    },
  })
  const context = { env: {}, cwd: '/', stdin, stderr, stdout: stderr }
  return { terminal: new Terminal(context), said: () => said }
}

test('askSecret() reads keys without showing them, and gives the keyboard back', async () => {
  const keyboard = new Keyboard()
  const { terminal: asked, said } = terminal(keyboard)
  const answer = asked.askSecret('password: ')
  keyboard.write('wrong\u0015sex\u007f')
  keyboard.write('crét\r')
  assert.equal(await answer, 'secrét')
  assert.equal(said(), 'password: \n')
  assert.deepEqual(keyboard.modes, [true, false])
})

test('askSecret() takes what was pasted ahead for the next question', async () => {
  const keyboard = new Keyboard()
  const { terminal: asked } = terminal(keyboard)
  const first = asked.askSecret('new: ')
  keyboard.write('one\rtwo\r')
  assert.equal(await first, 'one')
  assert.equal(await asked.askSecret('repeat: '), 'two')
})

test('askSecret() ends with Ctrl-C and Ctrl-D', async () => {
  for (const [keys, check] of [
    ['ab\u0003', (answer: Promise<unknown>) => assert.rejects(answer, NoAnswer)],
    ['\u0004', async (answer: Promise<unknown>) => assert.equal(await answer, undefined)],
  ] as const) {
    const keyboard = new Keyboard()
    const answer = terminal(keyboard).terminal.askSecret('?')
    keyboard.write(keys)
    await check(answer)
    assert.deepEqual(keyboard.modes, [true, false])
  }
})

test('a pipe is read line by line, without questions for secrets', async () => {
  const pipe = new PassThrough()
  const { terminal: asked, said } = terminal(pipe)
  pipe.end('one\r\ntwo\nthree')
  assert.equal(await asked.askSecret('a'), 'one')
  assert.equal(await asked.askSecret('b'), 'two')
  assert.equal(said(), '')
  assert.equal(await asked.ask('c? '), 'three')
  assert.equal(await asked.askSecret('d'), undefined)
  await assert.rejects(asked.ask('e? '), NoAnswer)
})
