/** The events at an upstream in a day: releases, yanks, removals, and faults that come and go. */
import { type Behaviour, type FakeUpstream, startFakeUpstream } from '../upstream/fake-upstream.ts'
import type { Chance } from './chance.ts'
import { bake, metadataOf, type Recipe } from './recipe.ts'

export interface UpstreamFile {
  readonly filename: string
  readonly sha256: string
  readonly recipe: Recipe
  readonly addedMs: number
  yankedMs?: number
  removedMs?: number
}

export interface UpstreamProject {
  readonly name: string
  readonly addedMs: number
  readonly files: Map<string, UpstreamFile>
  goneMs?: number
}

export interface Weather {
  readonly name: string
  readonly sinceMs: number
}

const FAULTS: readonly Behaviour[] = [
  { kind: 'hang' },
  { kind: 'hang-body', afterBytes: 300 },
  { kind: 'cut', afterBytes: 300 },
  { kind: 'cut' },
  { kind: 'short' },
  { kind: 'status', status: 500 },
  { kind: 'status', status: 503, retryAfterSeconds: 90 },
  { kind: 'status', status: 429, retryAfterSeconds: 120 },
  { kind: 'status', status: 403 },
  { kind: 'slow', ms: 150 },
  { kind: 'wrong-bytes' },
  { kind: 'wrong-length' },
  { kind: 'login-page' },
  { kind: 'redirect-loop' },
  { kind: 'wrong-encoding' },
  { kind: 'trickle', bytesPerSecond: 200 },
  { kind: 'endless' },
]
const PLACES = ['*', '/simple/*', '/simple/', '/packages/*'] as const
const MINUTE_MS = 60_000
/** Names in its list besides those of its projects. */
const OTHER_NAMES = 3000

/** Private names that upstream has as well, with files that nobody may get through a stage. */
export const TAKEN_NAMES = ['keeper-0', 'keeper-1', 'keeper-2'] as const
const FIRST_PROJECTS = 150
const PROJECTS_MOST = 250
/** Of these most is installed, as everywhere; the others are met for the first time at any hour, also in a storm. */
const POPULAR = 30
const FILES_MOST = 12

export class UpstreamLife {
  readonly fake: FakeUpstream
  readonly projects = new Map<string, UpstreamProject>()
  weather: Weather
  /** How often each weather came. */
  readonly seen = new Map<string, number>()
  #changesMs: number
  #isPaused = false
  #count = 0
  readonly #chance: Chance

  private constructor(fake: FakeUpstream, chance: Chance, nowMs: number) {
    this.fake = fake
    this.#chance = chance
    // It was so for ever before the day began.
    this.weather = { name: 'calm', sinceMs: nowMs }
    this.#changesMs = nowMs + 5 * MINUTE_MS
  }

  static async start(chance: Chance, nowMs: number): Promise<UpstreamLife> {
    const fake = await startFakeUpstream({ generatedNames: OTHER_NAMES })
    const life = new UpstreamLife(fake, chance, nowMs)
    const before = nowMs - 24 * 60 * MINUTE_MS
    for (let each = 0; each < FIRST_PROJECTS; each++) life.#newProject(before)
    for (const name of TAKEN_NAMES) {
      const evil = bake({ project: name, version: '99.0', kind: 'wheel', edition: 666, sizeBytes: 500 })
      fake.add(name, evil)
    }
    return life
  }

  /** A project that somebody asks for. */
  wanted(chance: Chance): UpstreamProject {
    const all = [...this.projects.values()]
    return chance.pick(chance.is(0.6) ? all.slice(0, POPULAR) : all)
  }

  /** Without faults since, so long that everybody has noticed. */
  isCalmFor(ms: number, nowMs: number): boolean {
    return this.weather.name === 'calm' && nowMs - this.weather.sinceMs >= ms
  }

  /** Files that upstream offers now. */
  offered(project: UpstreamProject): UpstreamFile[] {
    return [...project.files.values()].filter((file) => file.removedMs === undefined)
  }

  /** Goes on to `nowMs`: news, and other weather when it is time. */
  async advance(nowMs: number): Promise<void> {
    if (nowMs >= this.#changesMs) await this.#changeWeather(nowMs)
    const chance = this.#chance
    const there = [...this.projects.values()].filter((project) => project.goneMs === undefined)
    if (chance.is(0.5)) this.#newRelease(chance.pick(there), nowMs)
    if (chance.is(0.08) && this.projects.size < PROJECTS_MOST) this.#newProject(nowMs)
    if (chance.is(0.08)) this.#yank(chance.pick(there), nowMs)
    if (chance.is(0.06)) this.#removeFile(chance.pick(there), nowMs)
    if (chance.is(0.01)) this.#removeProject(chance.pick(there), nowMs)
  }

  async endFaults(nowMs: number): Promise<void> {
    this.fake.behave()
    if (this.#isPaused) await this.fake.resume()
    this.#isPaused = false
    if (this.weather.name !== 'calm') this.weather = { name: 'calm', sinceMs: nowMs }
  }

  /** Breaks every connection, and takes new ones at once where it took them before. */
  async dropConnections(): Promise<void> {
    if (this.#isPaused) return
    await this.fake.pause()
    await this.fake.resume()
  }

  async #changeWeather(nowMs: number): Promise<void> {
    const chance = this.#chance
    const wasCalm = this.weather.name === 'calm'
    await this.endFaults(nowMs)
    // Storms follow each other now and then.
    if (!wasCalm && !chance.is(0.25)) {
      this.#changesMs = nowMs + chance.int(10, 55) * MINUTE_MS
      return
    }
    this.#changesMs = nowMs + chance.int(3, 15) * MINUTE_MS
    if (chance.is(0.2)) {
      await this.fake.pause()
      this.#isPaused = true
      return this.#begin('refused', nowMs)
    }
    const fault = chance.pick(FAULTS)
    const place = chance.pick(PLACES)
    // A fault now and then is worse to tell from news than one at all times.
    if (chance.is(0.4)) for (let each = 0; each < 40; each++) this.fake.misbehave(place, fault, { times: 1 })
    else this.fake.misbehave(place, fault)
    const said = fault.kind === 'status' ? `status ${fault.status}` : fault.kind
    this.#begin(`${said} ${place}`, nowMs)
  }

  #begin(name: string, nowMs: number): void {
    this.weather = { name, sinceMs: nowMs }
    this.seen.set(name, (this.seen.get(name) ?? 0) + 1)
  }

  #newProject(nowMs: number): void {
    const name = `public-${this.#count++}`
    const project: UpstreamProject = { name, addedMs: nowMs, files: new Map() }
    this.projects.set(name, project)
    this.#newRelease(project, nowMs)
    this.#newRelease(project, nowMs)
  }

  #newRelease(project: UpstreamProject, nowMs: number): void {
    if (project.files.size >= FILES_MOST) return
    const chance = this.#chance
    const version = `1.${project.files.size}`
    const kind = chance.is(0.3) ? 'sdist' : 'wheel'
    const sizeBytes = chance.is(0.1) ? chance.int(300_000, 900_000) : chance.int(500, 60_000)
    const recipe: Recipe = { project: project.name, version, kind, edition: 0, sizeBytes }
    const { filename, bytes } = bake(recipe)
    const more = kind === 'wheel' ? { metadata: metadataOf(recipe) } : {}
    const { sha256 } = this.fake.add(project.name, { filename, bytes, ...more })
    project.files.set(filename, { filename, sha256, recipe, addedMs: nowMs })
  }

  #yank(project: UpstreamProject, nowMs: number): void {
    const found = this.offered(project).find((file) => file.yankedMs === undefined)
    if (found === undefined) return
    this.fake.yank(project.name, found.filename, 'withdrawn')
    found.yankedMs = nowMs
  }

  #removeFile(project: UpstreamProject, nowMs: number): void {
    const [found, ...others] = this.offered(project)
    if (found === undefined || others.length === 0) return
    this.fake.remove(project.name, found.filename)
    found.removedMs = nowMs
  }

  #removeProject(project: UpstreamProject, nowMs: number): void {
    this.fake.remove(project.name)
    for (const file of this.offered(project)) file.removedMs = nowMs
    project.goneMs = nowMs
  }
}
