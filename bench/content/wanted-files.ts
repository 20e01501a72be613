/** What all servers serve during the benchmark: projects, their files' names, and the words that they are found by. */
import { wheel } from '../../test/builders/wheels.ts'

export interface WantedFile {
  readonly project: string
  readonly version: string
  /** `{python}-{abi}-{platform}` of the wheel. */
  readonly tag: string
}

/** How much there is of everything; by default what the page of results promises. */
export interface Amounts {
  readonly largeFiles: number
  readonly bigFiles: number
  /** Of all projects together. */
  readonly files: number
  readonly hugeBytes: number
}

export const SMALL = 'bench-small'
export const LARGE = 'bench-large'
export const BIG = 'bench-big'
export const HUGE = 'bench-huge'
/** Of a small project. */
const SMALL_FILES = 12
/** A word in the summary of every twentieth project. */
export const SEARCHED = 'zymurgy'

const FULL: Amounts = { largeFiles: 2_000, bigFiles: 4_200, files: 12_000, hugeBytes: 100_000_000 }
const PYTHONS = ['cp310', 'cp311', 'cp312', 'cp313', 'cp314', 'pp311']
const PLATFORMS = [
  'manylinux_2_17_x86_64',
  'manylinux_2_17_aarch64',
  'musllinux_1_2_x86_64',
  'musllinux_1_2_aarch64',
  'macosx_11_0_arm64',
  'macosx_10_12_x86_64',
  'win_amd64',
]

/** The amounts times `scale`, at least one of each; 1 are the full ones. */
export function amounts(scale: number): Amounts {
  const part = (whole: number) => Math.max(1, Math.round(whole * scale))
  return {
    largeFiles: part(FULL.largeFiles),
    bigFiles: part(FULL.bigFiles),
    files: part(FULL.files),
    hugeBytes: part(FULL.hugeBytes),
  }
}

/** Every file but the huge one, project by project. The same amounts give the same files. */
export function wantedFiles({ largeFiles, bigFiles, files }: Amounts): WantedFile[] {
  const named = [...pure(SMALL, SMALL_FILES), ...compiled(LARGE, largeFiles), ...compiled(BIG, bigFiles)]
  for (let project = 0; named.length < files; project++) {
    const name = `bench-other-${String(project).padStart(6, '0')}`
    named.push(...pure(name, Math.min(SMALL_FILES, files - named.length)))
  }
  return named
}

/** The file itself: a small wheel with a description as long as a short one. The same name gives the same bytes. */
export function build(file: WantedFile) {
  return wheel({ name: file.project, ...file, ...described(file), requiresPython: '>=3.9' })
}

/** What it says of itself, which uploads repeat. */
export function described({ project }: WantedFile): { readonly summary: string; readonly description: string } {
  const number = Number(/\d+$/.exec(project)?.[0] ?? 1)
  const summary = `About ${number % 20 === 0 ? SEARCHED : 'nothing'}, project ${number}`
  return { summary, description: `${summary}. ${'It is made for a benchmark and does nothing. '.repeat(20)}` }
}

/** Releases with one wheel each, for any Python. */
function pure(project: string, count: number): WantedFile[] {
  return Array.from({ length: count }, (_, at) => ({ project, version: `1.${at}`, tag: 'py3-none-any' }))
}

/** Releases as compiled projects have them: a wheel for every Python and platform. */
function compiled(project: string, count: number): WantedFile[] {
  const tags = PYTHONS.flatMap((python) => PLATFORMS.map((platform) => `${python}-${abiOf(python)}-${platform}`))
  return Array.from({ length: count }, (_, at) => ({
    project,
    version: `${Math.floor(at / tags.length / 10)}.${Math.floor(at / tags.length) % 10}.0`,
    tag: tags[at % tags.length]!,
  }))
}

function abiOf(python: string): string {
  return python.startsWith('pp') ? 'pypy311_pp73' : python
}
