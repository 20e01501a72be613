/** The tables as types for Kysely. The migrations of an engine make the tables (`sqlite/migrations/`); the two change together. */
import type { Generated } from 'kysely'
import type { ProjectStatus } from '../pep/simple.ts'

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
    status: ProjectStatus['status'] | null
    status_reason: string | null
    stamp: Generated<number>
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
  made_metadata: {
    index_id: number
    project: string
    filename: string
    wheel: string
    digest: string | null
    fault: string | null
  }
  provenance: { file_id: number; text: string; size_bytes: number; verdict: string }
  mirror_provenance: {
    id: Generated<number>
    index_id: number
    filename: string
    project: string
    digest: string
    text: string
    size_bytes: number
    verdict: string
    etag: string | null
    fetched_ms: number
  }
  file_totals: { one: number; files: number; bytes: number }
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
  tokens: {
    id: Generated<number>
    hash: string
    user: string
    note: string
    actions: string
    indexes: string | null
    projects: string | null
    created_ms: number
    expires_ms: number | null
    used_ms: number | null
  }
  publishers: {
    id: Generated<number>
    index_id: number
    kind: 'github' | 'gitlab' | 'oidc'
    issuer: string
    identity: string
    projects: string | null
    created_ms: number
    created_by: string
  }
  minted_tokens: {
    hash: string
    kind: 'github' | 'gitlab' | 'oidc'
    issuer: string
    claims: string
    expires_ms: number
  }
  minted_by: { token_hash: string; publisher_id: number }
  used_oidc_tokens: { id: string; expires_ms: number }
  upload_sessions: {
    id: Generated<number>
    key: string
    preview: string
    index_id: number
    project: string
    name: string
    version: string
    status: 'open' | 'published'
    created_ms: number
    expires_ms: number
  }
  staged_files: {
    id: Generated<number>
    key: string
    session_id: number
    filename: string
    size_bytes: number
    hashes: string
    status: 'pending' | 'error' | 'completed'
    fault: string | null
    digest: string | null
    metadata_digest: string | null
    metadata_bytes: number | null
    requires_python: string | null
    metadata: string | null
    note: string | null
    attestations: string | null
    signed: string | null
    received_ms: number | null
  }
  advisories: { rowid: Generated<number>; id: string; modified: string; withdrawn: string | null; record: string }
  advisory_imports: { completed: string }
  advisory_packages: { rowid: Generated<number>; name: string; id: string; affected: string }
  search: { rowid: number; name: string; summary: string; description: string }
  search_names: { rowid: number; name: string }
  search_documentation: { rowid: number; text: string }
}
