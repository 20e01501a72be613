/** The tables as types, for Kysely. `migrations.ts` makes them; the two change together. */
import type { Generated } from 'kysely'

export interface Schema {
  users: {
    name: string
    password_hash: string | null
    email: string | null
    title: string | null
    description: string | null
    custom_data: string | null
    created: string
    modified: string | null
  }
  indexes: { id: Generated<number>; name: string; user: string; type: 'stage' | 'mirror'; options: string }
  projects: {
    id: Generated<number>
    index_id: number
    name: string
    latest_version: string | null
    summary: string | null
  }
  releases: { id: Generated<number>; project_id: number; version: string; metadata: string }
  files: {
    id: Generated<number>
    index_id: number
    project_id: number
    version: string
    filename: string
    digest: string
    size_bytes: number
    upload_time: string
    address_hash: string
    requires_python: string | null
    yanked: string | null
    metadata_digest: string | null
    metadata_bytes: number | null
    origin: string | null
    log: string
    upstream: string | null
  }
  attachments: {
    id: Generated<number>
    index_id: number
    project_id: number
    file_id: number | null
    kind: 'doczip' | 'toxresult'
    version: string
    filename: string
    digest: string
    size_bytes: number
    created: string
    address_hash: string
    log: string
  }
  deleted_addresses: { address: string }
  groups: { name: string }
  group_members: { group_name: string; user: string }
  mirror_pages: {
    index_id: number
    name: string
    fetched_ms: number
    found: number
    etag: string | null
    last_modified: string | null
    detail: Uint8Array | null
  }
  mirror_state: { index_id: number; key: string; value: string }
  file_uses: { file_id: number; index_id: number; used_ms: number; uses: number }
  mirror_metadata: { index_id: number; digest: string; size_bytes: number; used_ms: number }
  index_holdings: { index_id: number; files: number; bytes: number }
  dropped_blobs: { digest: string; dropped_ms: number }
  journal: { serial: number; at: string; changes: string }
  jobs: {
    id: Generated<number>
    kind: string
    key: string
    payload: string
    due_ms: number
    attempts: number
    failure: string | null
  }
  search: { rowid: number; name: string; summary: string; description: string }
  search_names: { rowid: number; name: string }
  search_documentation: { rowid: number; text: string }
}
