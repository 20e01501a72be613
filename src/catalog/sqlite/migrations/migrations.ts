/**
 * Schema migrations: how a catalog comes to today's form. Each step is a file of this folder; it runs once, in order, in one
 * transaction, and `PRAGMA user_version` counts them. Steps are never edited after a release, only added. `docs/format.md`
 * describes the result.
 */
import { FIRST_TABLES_STEP } from './0001-first-tables.ts'
import { ATTACHMENTS_AND_GROUPS_STEP } from './0002-attachments-and-groups.ts'
import { DOCUMENTATION_SEARCH_STEP } from './0003-documentation-search.ts'
import { FILES_UPSTREAM_STEP } from './0004-files-upstream.ts'
import { MIRROR_ROOM_STEP } from './0005-mirror-room.ts'
import { PROJECT_STATUS_STEP } from './0006-project-status.ts'
import { MADE_METADATA_STEP } from './0007-made-metadata.ts'
import { TOKENS_AND_PUBLISHERS_STEP } from './0008-tokens-and-publishers.ts'
import { PROVENANCE_STEP } from './0009-provenance.ts'
import { PROJECT_STAMPS_STEP } from './0010-project-stamps.ts'
import { UPLOAD_SESSIONS_STEP } from './0011-upload-sessions.ts'
import { ADVISORIES_STEP } from './0012-advisories.ts'
import { FILE_TOTALS_STEP } from './0013-file-totals.ts'
import { STAMP_COLUMN_STEP } from './0014-stamp-column.ts'

export const MIGRATIONS: readonly string[] = [
  FIRST_TABLES_STEP,
  ATTACHMENTS_AND_GROUPS_STEP,
  DOCUMENTATION_SEARCH_STEP,
  FILES_UPSTREAM_STEP,
  MIRROR_ROOM_STEP,
  PROJECT_STATUS_STEP,
  MADE_METADATA_STEP,
  TOKENS_AND_PUBLISHERS_STEP,
  PROVENANCE_STEP,
  PROJECT_STAMPS_STEP,
  UPLOAD_SESSIONS_STEP,
  ADVISORIES_STEP,
  FILE_TOTALS_STEP,
  STAMP_COLUMN_STEP,
]
