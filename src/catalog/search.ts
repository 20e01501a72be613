/**
 * Full-text search over the projects that are held, one entry per project of an index. What is searched, and for which words, is
 * decided here; each engine finds it in its own way (`sqlite/search.ts`).
 */
import type { IndexName } from '../model/names.ts'
import type { ProjectName } from '../pep/name.ts'
import type { ProjectStatus } from '../pep/simple.ts'

export interface SearchHit {
  readonly index: IndexName
  readonly name: ProjectName
  readonly version?: string
  readonly summary?: string
  /** PEP 792, where its owner set it. */
  readonly status?: ProjectStatus
}

export interface Searchable {
  readonly name: ProjectName
  readonly summary: string
  readonly description: string
}

export interface SearchQuestion {
  /** Letters and digits only; at least one. */
  readonly words: readonly string[]
  readonly most: number
  /** Ids of indexes that nothing is to be found in, and that take no hit away from others. */
  readonly hidden: readonly number[]
}

export interface SearchFinder {
  /** Projects with every word at the beginning of a word of theirs, or with the words as part of their name; best first. */
  find(question: SearchQuestion): Promise<SearchHit[]>
}

export interface SearchKeeper extends SearchFinder {
  /** Replaces what is searchable of a project. A project that is deleted leaves by itself. */
  keep(projectId: number, what: Searchable): Promise<void>
  /** The same for its documentation; nothing is kept of an empty text. */
  keepDocumentation(projectId: number, text: string): Promise<void>
}

/** More of a description than this adds noise, not hits. */
const DESCRIPTION_CHARACTERS = 20_000
/** Words looked at in one search. */
const WORDS_MAX = 8

/** Replaces what is searchable of a project. */
export async function indexForSearch(
  { search }: { readonly search: SearchKeeper },
  projectId: number,
  { name, summary, description }: Searchable,
): Promise<void> {
  await search.keep(projectId, { name, summary, description: description.slice(0, DESCRIPTION_CHARACTERS) })
}

/** Replaces what is searchable of a project's documentation; nothing is, for an empty text. */
export async function indexDocumentationForSearch(
  { search }: { readonly search: SearchKeeper },
  projectId: number,
  text: string,
): Promise<void> {
  await search.keepDocumentation(projectId, text)
}

/**
 * Projects in whose name, summary or description, or in whose documentation, every word of `query` begins a word, best first, and those whose
 * name contains the query. At most `most`; an empty list for a query without words. Nothing of the indexes whose ids
 * are `hidden`, which take no hit away from others either.
 */
export async function searchProjects(
  { search }: { readonly search: SearchFinder },
  query: string,
  most: number,
  hidden: readonly number[],
): Promise<SearchHit[]> {
  const words = query.match(/[\p{L}\p{N}]+/gu)?.slice(0, WORDS_MAX) ?? []
  return words.length === 0 ? [] : await search.find({ words, most, hidden })
}

/** A project's status as its columns have it. */
export function asStatus(status: ProjectStatus['status'] | null, reason: string | null): ProjectStatus | undefined {
  if (status === null) return undefined
  return { status, ...(reason !== null && { reason }) }
}
