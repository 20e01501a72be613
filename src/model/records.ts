/** The records of the catalog, as values. Times are UTC in RFC 3339 with a final Z, sizes are bytes. */
import type { Brand } from '../lib/brand.ts'
import type { Digest } from '../lib/digest.ts'
import type { ProjectName } from '../pep/name.ts'
import type { IndexOptions, MirrorOptions, StageOptions } from './index-options.ts'
import type { IndexName, UserName } from './names.ts'

/** A position in the journal; 0 is before the first change. */
export type Serial = Brand<number, 'Serial'>

export interface User {
  readonly name: UserName
  /** PHC string (`$argon2id$…`). Absent: nobody can log in with a password. */
  readonly passwordHash?: string
  readonly email?: string
  readonly title?: string
  readonly description?: string
  readonly customData?: unknown
  readonly created: string
  readonly modified?: string
}

export interface IndexRecord<Options extends IndexOptions = IndexOptions> {
  readonly id: number
  readonly name: IndexName
  readonly user: UserName
  readonly options: Options
}
export type StageRecord = IndexRecord<StageOptions>
export type MirrorRecord = IndexRecord<MirrorOptions>

export function isMirror(record: IndexRecord): record is MirrorRecord {
  return record.options.type === 'mirror'
}

/** A snapshot of a project, with the core metadata that was registered for it. */
export interface Release {
  readonly project: ProjectName
  /** As its first upload wrote it. */
  readonly version: string
  /** devpi's keys: lower case with underscores; text or list of texts. */
  readonly metadata: Readonly<Record<string, string | readonly string[]>>
}

/** A distribution archive whose bytes are here. */
export interface File {
  readonly id: number
  readonly index: IndexName
  readonly project: ProjectName
  readonly version: string
  readonly filename: string
  readonly digest: Digest
  readonly sizeBytes: number
  /** Upload to a stage, or upstream's own upload time for a mirror's file where upstream tells it. */
  readonly uploadTime: string
  /** Where its address starts: hex digits of the hash its address was made from (upstream's for a mirror). */
  readonly addressHash: string
  readonly requiresPython?: string
  readonly yanked?: true | string
  /** The METADATA of a wheel, kept as a blob of its own. */
  readonly coreMetadata?: { readonly digest: Digest; readonly sizeBytes: number }
  /** Where a mirror's file came from. */
  readonly origin?: string
  /** Upstream has taken it back: gone from its page since that time (RFC 3339), or its project is quarantined (PEP 792). */
  readonly upstream?: { readonly removed: string } | 'quarantined'
  readonly log: readonly LogEntry[]
}

/** What belongs to a release beside its archives: a zip of its documentation, or the result of testing one archive. */
export interface Attachment {
  readonly id: number
  /** devpi's word for it in `+links`. */
  readonly kind: 'doczip' | 'toxresult'
  readonly index: IndexName
  readonly project: ProjectName
  readonly version: string
  readonly filename: string
  readonly digest: Digest
  readonly sizeBytes: number
  readonly created: string
  /** Where its address starts: its own digest, or for a test result that of the archive it tells of. */
  readonly addressHash: string
  /** The archive a test result tells of; it goes when that goes. */
  readonly ofFile?: Pick<File, 'id' | 'filename'>
  readonly log: readonly LogEntry[]
}

/** devpi's file history. */
export interface LogEntry {
  readonly what: 'upload' | 'push' | 'overwrite'
  readonly who?: string
  /** `[year, month, day, hour, minute, second]` in UTC, as devpi 6 writes it. */
  readonly when: readonly number[]
  readonly dst?: string
  readonly src?: string
  readonly count?: number
}

/** One line of the journal. `serial` is shared by the changes of one write. */
export type Change =
  | { readonly what: 'user'; readonly how: 'created' | 'modified' | 'deleted'; readonly user: UserName }
  | { readonly what: 'index'; readonly how: 'created' | 'modified' | 'deleted'; readonly index: IndexName }
  | {
      readonly what: 'release'
      readonly how: 'registered' | 'deleted'
      readonly index: IndexName
      readonly project: ProjectName
      readonly version: string
    }
  | {
      readonly what: 'project'
      readonly how: 'deleted'
      readonly index: IndexName
      readonly project: ProjectName
    }
  | {
      readonly what: 'project'
      readonly how: 'restated'
      readonly index: IndexName
      readonly project: ProjectName
      readonly status: string
    }
  | {
      readonly what: 'attachment'
      readonly how: 'stored' | 'deleted'
      readonly index: IndexName
      readonly project: ProjectName
      readonly filename: string
    }
  | {
      /** A mirror's upstream took something back or changed its mind: the first of them, one a line. */
      readonly what: 'upstream'
      readonly how: 'changed'
      readonly index: IndexName
      readonly project: ProjectName
      readonly changes: readonly string[]
    }
  | { readonly what: 'token'; readonly how: 'created' | 'revoked'; readonly user: UserName; readonly id: number }
  | { readonly what: 'publisher'; readonly how: 'added' | 'removed'; readonly index: IndexName; readonly id: number }
  | { readonly what: 'group'; readonly how: 'modified' | 'deleted'; readonly group: string }
  | {
      readonly what: 'file'
      readonly how: 'uploaded' | 'replaced' | 'mirrored' | 'described' | 'restated' | 'yanked' | 'unyanked' | 'deleted'
      readonly index: IndexName
      readonly project: ProjectName
      readonly filename: string
    }

/** Work to do later, as a row. `key` makes asking twice one job. */
export type Job =
  | {
      readonly kind: 'describe-file'
      readonly key: string
      readonly index: IndexName
      readonly project: ProjectName
      readonly filename: string
    }
  | {
      readonly kind: 'index-documentation'
      readonly key: string
      readonly index: IndexName
      readonly project: ProjectName
    }

/** `2026-11-22T16:00:00Z`: whole seconds, as devpi writes `created` and `modified`. */
export function timestamp(date: Date): string {
  return `${date.toISOString().slice(0, 19)}Z`
}

/** devpi's `[Y, M, D, h, m, s]`. */
export function devpiTime(date: Date): readonly number[] {
  return [
    date.getUTCFullYear(),
    date.getUTCMonth() + 1,
    date.getUTCDate(),
    date.getUTCHours(),
    date.getUTCMinutes(),
    date.getUTCSeconds(),
  ]
}
