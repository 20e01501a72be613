/** What belongs to a release beside its archives, the addresses of what was deleted, and groups of users. */
export const ATTACHMENTS_AND_GROUPS_STEP = `
  CREATE TABLE attachments (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    index_id INTEGER NOT NULL REFERENCES indexes (id) ON DELETE CASCADE,
    project_id INTEGER NOT NULL REFERENCES projects (id) ON DELETE CASCADE,
    file_id INTEGER REFERENCES files (id) ON DELETE CASCADE,
    kind TEXT NOT NULL CHECK (kind IN ('doczip', 'toxresult')),
    version TEXT NOT NULL,
    filename TEXT NOT NULL,
    digest TEXT NOT NULL,
    size_bytes INTEGER NOT NULL,
    created TEXT NOT NULL,
    address_hash TEXT NOT NULL,
    log TEXT NOT NULL,
    UNIQUE (project_id, filename)
  ) STRICT;
  CREATE INDEX attachments_by_name ON attachments (index_id, filename);
  CREATE INDEX attachments_by_digest ON attachments (digest);
  CREATE INDEX attachments_by_file ON attachments (file_id) WHERE file_id IS NOT NULL;

  CREATE TABLE deleted_addresses (address TEXT PRIMARY KEY) STRICT, WITHOUT ROWID;

  CREATE TABLE groups (name TEXT PRIMARY KEY) STRICT, WITHOUT ROWID;
  CREATE TABLE group_members (
    group_name TEXT NOT NULL REFERENCES groups (name) ON DELETE CASCADE,
    user TEXT NOT NULL REFERENCES users (name) ON DELETE CASCADE,
    PRIMARY KEY (group_name, user)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX group_members_by_user ON group_members (user);
  `
