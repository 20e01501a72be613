/** The tasks of every publisher of docs/clients.md, on a volatile index and on one that is not. */
import assert from 'node:assert/strict'
import { chmod, mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { sdist, wheel } from '../builders/wheels.ts'
import type { Env } from '../programs/clean-env.ts'
import type { Outcome } from '../programs/run-program.ts'
import { type MatrixGround, ROOT, SENDER } from './matrix-ground.ts'

export interface Publisher {
  /** The project that it sends. */
  readonly name: string
  /** A folder with what it sends: a wheel and an sdist, or what it makes them of. `summary` changes the content. */
  make(name: string, summary: string): Promise<string>
  send: Send
}

/** Must not throw because of an exit code. What `as` leaves out is told to the program in another way, or not at all. */
export type Send = (
  url: string,
  folder: string,
  as: { readonly user?: string; readonly password?: string },
  env?: Env,
) => Promise<Outcome>

export interface Published {
  readonly first: Outcome
  /** The same files again. */
  readonly again: Outcome
  /** Other content under the same names, to an index that keeps its files. */
  readonly other: Outcome
  /** Other content to a volatile index, which had the first. */
  readonly replace: Outcome
  readonly isReplaced: boolean
  readonly wrong: Outcome
  /** With user and password in the address alone. */
  readonly url: Outcome
  /** So, where the password is written with an escape. */
  readonly escaped: Outcome
  readonly netrc: Outcome
}

/** Sends all that; holds the index to what must be there after each, whatever the publisher said. */
export async function publishAll(ground: MatrixGround, publisher: Publisher): Promise<Published> {
  const { name, make } = publisher
  const { clients, upload } = ground
  const send = (index: string, folder: string, password: string) =>
    publisher.send(upload(index), folder, { user: ROOT.user, password })
  const stem = name.replaceAll('-', '_')
  const filenames = [`${stem}-1.0-py3-none-any.whl`, `${stem}-1.0.tar.gz`]
  const one = await make(name, 'One')
  const first = await send('fixed', one, ROOT.password)
  const kept = await ground.listed('fixed', name)
  assert.deepEqual(Object.keys(kept).sort(), filenames, first.output)
  const again = await send('fixed', one, ROOT.password)
  const two = await make(name, 'Two')
  const other = await send('fixed', two, ROOT.password)
  assert.deepEqual(await ground.listed('fixed', name), kept)

  await send('prod', one, ROOT.password)
  const before = await ground.listed('prod', name)
  assert.deepEqual(Object.keys(before).sort(), filenames)
  const replace = await send('prod', two, ROOT.password)
  const now = await ground.listed('prod', name)
  const changed = filenames.filter((each) => now[each] !== before[each])
  assert.ok(changed.length === 0 || changed.length === filenames.length, replace.output)

  const unknown = await make(`${name}-never`, 'One')
  const wrong = await send('fixed', unknown, 'wrong')
  assert.deepEqual(await ground.listed('fixed', `${name}-never`), {})

  const url = await publisher.send(upload('fixed', SENDER), await make(`${name}-url`, 'One'), {})
  assert.equal(Object.keys(await ground.listed('fixed', `${name}-url`)).length, url.code === 0 ? 2 : 0, url.output)
  const escaped = await publisher.send(upload('fixed', ROOT), await make(`${name}-escaped`, 'One'), {})
  assert.equal(Object.keys(await ground.listed('fixed', `${name}-escaped`)).length, escaped.code === 0 ? 2 : 0)
  const home = await clients.folder({ '.netrc': ground.netrc(SENDER) })
  await chmod(join(home, '.netrc'), 0o600)
  const netrc = await publisher.send(upload('fixed'), await make(`${name}-netrc`, 'One'), {}, { HOME: home })
  assert.equal(Object.keys(await ground.listed('fixed', `${name}-netrc`)).length, netrc.code === 0 ? 2 : 0)
  return { first, again, other, replace, isReplaced: changed.length > 0, wrong, url, escaped, netrc }
}

/** A project with its wheel and sdist in `dist/`, made already. */
export async function distFolder(ground: MatrixGround, name: string, summary: string): Promise<string> {
  const pyproject = `[project]\nname = "${name}"\nversion = "1.0"\ndescription = "${summary}"\nrequires-python = ">=3.9"\n`
  const options = { name, version: '1.0', summary, requiresPython: '>=3.9' }
  const folder = await ground.clients.folder({ 'pyproject.toml': pyproject })
  await mkdir(join(folder, 'dist'))
  for (const { filename, bytes } of [wheel(options), sdist(options)])
    await writeFile(join(folder, 'dist', filename), bytes)
  return folder
}
