/**
 * The table of the options of an index. From it come the types `StageOptions` and `MirrorOptions`, what a request may
 * send, the defaults, the order in which a new index shows them (devpi's), and `docs/index-options.md`.
 */
import type { UserName } from './names.ts'
import {
  ANYTHING,
  BYTE_COUNT,
  choiceOf,
  DAYS,
  FLAG,
  INDEX_LIST,
  INHERITANCE,
  type OptionValue,
  PRINCIPAL_LIST,
  PROJECT_LIST,
  readText,
  SECONDS,
  TEXT,
  UPSTREAM_URL,
} from './option-values.ts'

export type IndexKind = 'stage' | 'mirror'

export interface IndexOption {
  /** The kinds of index that have it. */
  readonly kind: IndexKind | 'both'
  readonly value: OptionValue<unknown>
  /** What a new index begins with: such an option is always there. */
  readonly default?: (owner: UserName) => unknown
  /** Of an option without default: what holds while it is absent. */
  readonly absent?: string
  /** What it says, for `docs/index-options.md`; without a final full stop. */
  readonly sentence: string
  /** Its name in devpi-server 7, which is read as well. */
  readonly devpi7?: string
  /** devpi knows no such option. */
  readonly isOurs?: true
}

export const INDEX_OPTIONS = {
  type: {
    kind: 'both',
    value: { form: '`stage` or `mirror`', example: 'mirror', read: readText },
    absent: '`stage`',
    sentence: 'The kind of index: a stage takes uploads, a mirror answers from an upstream. It cannot be changed later',
  },
  bases: {
    kind: 'stage',
    value: INDEX_LIST,
    default: () => [],
    sentence: 'Indexes whose projects this index shows as well, in the order in which they are asked',
  },
  volatile: {
    kind: 'both',
    value: FLAG,
    default: () => true,
    sentence:
      'Whether files, releases, projects and the index itself can be replaced and deleted. On an index that is not volatile, a file never changes',
  },
  acl_upload: {
    kind: 'stage',
    value: PRINCIPAL_LIST,
    default: (owner: UserName) => [owner],
    sentence: 'Who may upload to the index, change what is on it, and delete from it while it is volatile',
  },
  acl_toxresult_upload: {
    kind: 'stage',
    value: PRINCIPAL_LIST,
    default: () => [':ANONYMOUS:'],
    sentence: 'Who may send results of tests (`devpi test`)',
  },
  mirror_whitelist: {
    kind: 'stage',
    value: PROJECT_LIST,
    default: () => [],
    devpi7: 'project_inheritance_rules',
    sentence:
      'Projects whose files may come from mirrors among the bases although a stage has a project of that name. All others are kept from mirrors, so that nobody outside can take over a private name',
  },
  mirror_whitelist_inheritance: {
    kind: 'stage',
    value: INHERITANCE,
    default: (): 'intersection' | 'union' => 'intersection',
    devpi7: 'trust_inheritance_rules_from',
    sentence:
      'How the whitelists of the index and of its bases are joined: `intersection` lets through the projects that all of them list, `union` those that one of them lists',
  },
  title: {
    kind: 'both',
    value: TEXT,
    absent: 'none',
    sentence: 'The title of the index on its page. With `description` and `custom_data` at most 64 KiB',
  },
  description: { kind: 'both', value: TEXT, absent: 'none', sentence: 'What the page of the index says about it' },
  custom_data: {
    kind: 'both',
    value: ANYTHING,
    absent: 'none',
    sentence: 'Data of your own, kept and given back as it is; the server does nothing with it',
  },
  acl_pkg_read: {
    kind: 'both',
    value: PRINCIPAL_LIST,
    absent: 'everybody',
    isOurs: true,
    sentence:
      'Who may read the index: pages, files, lists, JSON, search, and through indexes that have it as a base. Root may always. In devpi this is a plugin',
  },
  upload_checks: {
    kind: 'stage',
    value: choiceOf('strict', 'lenient'),
    absent: '`strict`',
    isOurs: true,
    sentence:
      'Whether uploads are refused for faults of form. `lenient` takes them, as devpi does; faults of safety are refused in any case ([uploads.md](uploads.md))',
  },
  mirror_url: {
    kind: 'mirror',
    value: UPSTREAM_URL,
    absent: 'none: the mirror serves only the files that it has',
    devpi7: 'remote_url',
    sentence:
      'The upstream: the address that pip would be given as its index. User and password in it are sent to that host only and shown to nobody ([upstreams.md](upstreams.md))',
  },
  mirror_cache_expiry: {
    kind: 'mirror',
    value: SECONDS,
    absent: 'the setting `mirror_cache_expiry`',
    devpi7: 'remote_refresh_delay',
    sentence: 'Age after which the mirror asks upstream again for a page or for the list of projects',
  },
  mirror_no_project_list: {
    kind: 'mirror',
    value: FLAG,
    absent: '`False`',
    devpi7: 'remote_no_project_list',
    sentence: 'Never ask upstream for the list of all projects, for an upstream that has none',
  },
  mirror_use_external_urls: {
    kind: 'mirror',
    value: FLAG,
    absent: '`False`',
    devpi7: 'remote_use_external_urls',
    sentence: 'Redirect to upstream for files that are not here, instead of fetching and keeping them',
  },
  mirror_web_url_fmt: {
    kind: 'mirror',
    value: {
      ...TEXT,
      form: 'text: a URL with `{name}` in it (pages link to http and https only)',
      example: 'https://packages.example.com/project/{name}/',
    },
    absent: 'none',
    devpi7: 'remote_web_url_fmt',
    sentence: 'Where people read about a project of the upstream; pages link to it, with the name for `{name}`',
  },
  mirror_ignore_serial_header: {
    kind: 'mirror',
    value: FLAG,
    absent: '`False`',
    devpi7: 'remote_ignore_serial_header',
    sentence:
      'Take a page of upstream also when its `X-PyPI-Last-Serial` is lower than that of the page before. Otherwise such a page is refused, and the earlier one is served as stale',
  },
  mirror_provides_core_metadata: {
    kind: 'mirror',
    value: FLAG,
    absent: 'nothing changes',
    devpi7: 'remote_provides_core_metadata',
    sentence: 'Kept for devpi and without effect: the pages of upstream say whether it has metadata files',
  },
  mirror_cache_size: {
    kind: 'mirror',
    value: BYTE_COUNT,
    absent: 'the setting `mirror_cache_size`',
    isOurs: true,
    sentence: 'Room that the files of the mirror may take up. Files that were used longest ago are deleted first',
  },
  mirror_cache_days: {
    kind: 'mirror',
    value: DAYS,
    absent: 'the setting `mirror_cache_days`',
    isOurs: true,
    sentence: 'How long a file is kept after its last use',
  },
  mirror_pinned: {
    kind: 'mirror',
    value: PROJECT_LIST,
    absent: 'none',
    isOurs: true,
    sentence: 'Projects whose files are never deleted to make room',
  },
  mirror_forbidden_is_absent: {
    kind: 'mirror',
    value: FLAG,
    absent: '`False`',
    isOurs: true,
    sentence:
      'Read a 403 of upstream as "no such project". Storage services that may not list their files answer so ([upstreams.md](upstreams.md))',
  },
  mirror_make_metadata: {
    kind: 'mirror',
    value: FLAG,
    absent: '`True`',
    isOurs: true,
    sentence: 'Read the metadata of wheels from the wheels at upstream where upstream has no metadata files',
  },
  mirror_removals: {
    kind: 'mirror',
    value: choiceOf('keep', 'follow', 'block'),
    absent: '`keep`',
    isOurs: true,
    sentence:
      'What becomes of files here that upstream has removed. `keep` delivers them and shows them as yanked, `follow` neither lists nor delivers them, `block` does not deliver yanked files either',
  },
} as const satisfies Readonly<Record<string, IndexOption>>

export type IndexOptionKey = keyof Table

type Table = typeof INDEX_OPTIONS
type Read<Key extends IndexOptionKey> = Table[Key]['value'] extends OptionValue<infer T> ? T : never
type KeyOf<Kind extends IndexKind> = {
  [Key in IndexOptionKey]: Table[Key]['kind'] extends Kind | 'both' ? Key : never
}[IndexOptionKey]
type Always<Kind extends IndexKind> = {
  [Key in KeyOf<Kind>]: Table[Key] extends { readonly default: unknown } ? Key : never
}[KeyOf<Kind>]

/** The options of one kind of index, as they are kept: those with a default always, the others where they were set. */
export type OptionsOf<Kind extends IndexKind> = {
  readonly [Key in Always<Kind>]: Read<Key>
} & { readonly [Key in Exclude<KeyOf<Kind>, Always<Kind> | 'type'>]?: Read<Key> }

/** What every object has (`constructor`, `toString`) is no option. */
export function indexOption(key: string): IndexOption | undefined {
  return Object.hasOwn(INDEX_OPTIONS, key) ? INDEX_OPTIONS[key as IndexOptionKey] : undefined
}

/** In the order in which devpi shows them. */
export function optionsOfKind(kind: IndexKind): readonly (readonly [IndexOptionKey, IndexOption])[] {
  const all = Object.entries(INDEX_OPTIONS) as [IndexOptionKey, IndexOption][]
  return all.filter(([, option]) => option.kind === kind || option.kind === 'both')
}
