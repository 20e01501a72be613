/**
 * How a catalog comes to today's form: each step runs once, in order, in one transaction; `PRAGMA user_version` counts
 * them. Steps are never edited after a release, only added. `docs/format.md` describes the result.
 */
import { FILE_TOTALS } from '../file-totals.ts'

export const MIGRATIONS: readonly string[] = [
  `
  CREATE TABLE users (
    name TEXT PRIMARY KEY,
    password_hash TEXT,
    email TEXT, title TEXT, description TEXT, custom_data TEXT,
    created TEXT NOT NULL, modified TEXT
  ) STRICT;

  CREATE TABLE indexes (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL UNIQUE,
    user TEXT NOT NULL REFERENCES users (name) ON DELETE CASCADE,
    type TEXT NOT NULL CHECK (type IN ('stage', 'mirror')),
    options TEXT NOT NULL
  ) STRICT;
  CREATE INDEX indexes_by_user ON indexes (user, name);

  CREATE TABLE projects (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    index_id INTEGER NOT NULL REFERENCES indexes (id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    latest_version TEXT, summary TEXT,
    UNIQUE (index_id, name)
  ) STRICT;

  CREATE TABLE releases (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    project_id INTEGER NOT NULL REFERENCES projects (id) ON DELETE CASCADE,
    version TEXT NOT NULL,
    metadata TEXT NOT NULL,
    UNIQUE (project_id, version)
  ) STRICT;

  CREATE TABLE files (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    index_id INTEGER NOT NULL REFERENCES indexes (id) ON DELETE CASCADE,
    project_id INTEGER NOT NULL REFERENCES projects (id) ON DELETE CASCADE,
    version TEXT NOT NULL,
    filename TEXT NOT NULL,
    digest TEXT NOT NULL,
    size_bytes INTEGER NOT NULL,
    upload_time TEXT NOT NULL,
    address_hash TEXT NOT NULL,
    requires_python TEXT, yanked TEXT,
    metadata_digest TEXT, metadata_bytes INTEGER,
    origin TEXT,
    log TEXT NOT NULL,
    UNIQUE (project_id, filename)
  ) STRICT;
  CREATE INDEX files_by_name ON files (index_id, filename);
  CREATE INDEX files_by_digest ON files (digest);
  CREATE INDEX files_by_metadata ON files (metadata_digest) WHERE metadata_digest IS NOT NULL;

  CREATE TABLE mirror_pages (
    index_id INTEGER NOT NULL REFERENCES indexes (id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    fetched_ms INTEGER NOT NULL,
    found INTEGER NOT NULL,
    etag TEXT, last_modified TEXT,
    detail BLOB,
    PRIMARY KEY (index_id, name)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE mirror_state (
    index_id INTEGER NOT NULL REFERENCES indexes (id) ON DELETE CASCADE,
    key TEXT NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (index_id, key)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE journal (serial INTEGER PRIMARY KEY, at TEXT NOT NULL, changes TEXT NOT NULL) STRICT;

  CREATE TABLE jobs (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    kind TEXT NOT NULL,
    key TEXT NOT NULL UNIQUE,
    payload TEXT NOT NULL,
    due_ms INTEGER NOT NULL,
    attempts INTEGER NOT NULL,
    failure TEXT
  ) STRICT;
  CREATE INDEX jobs_by_due ON jobs (due_ms);

  CREATE VIRTUAL TABLE search USING fts5 (
    name, summary, description, tokenize = 'porter unicode61', prefix = '2 3'
  );
  CREATE VIRTUAL TABLE search_names USING fts5 (name, tokenize = 'trigram');
  CREATE TRIGGER projects_leave_search AFTER DELETE ON projects BEGIN
    DELETE FROM search WHERE rowid = old.id;
    DELETE FROM search_names WHERE rowid = old.id;
  END;
  `,
  `
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
  `,
  `
  CREATE VIRTUAL TABLE search_documentation USING fts5 (text, tokenize = 'porter unicode61', prefix = '2 3');
  CREATE TRIGGER projects_leave_documentation_search AFTER DELETE ON projects BEGIN
    DELETE FROM search_documentation WHERE rowid = old.id;
  END;
  `,
  `ALTER TABLE files ADD COLUMN upstream TEXT;`,
  `
  CREATE TABLE file_uses (
    file_id INTEGER PRIMARY KEY REFERENCES files (id) ON DELETE CASCADE,
    index_id INTEGER NOT NULL REFERENCES indexes (id) ON DELETE CASCADE,
    used_ms INTEGER NOT NULL,
    uses INTEGER NOT NULL
  ) STRICT;
  CREATE INDEX file_uses_by_age ON file_uses (index_id, used_ms);
  INSERT INTO file_uses
    SELECT files.id, index_id, CAST(unixepoch('subsec') * 1000 AS INTEGER), 0 FROM files JOIN indexes ON indexes.id = index_id
    WHERE type = 'mirror';
  CREATE TRIGGER files_of_mirrors_are_used AFTER INSERT ON files
    WHEN (SELECT type FROM indexes WHERE id = new.index_id) = 'mirror' BEGIN
    INSERT INTO file_uses VALUES (new.id, new.index_id, CAST(unixepoch('subsec') * 1000 AS INTEGER), 0);
  END;

  CREATE TABLE mirror_metadata (
    index_id INTEGER NOT NULL REFERENCES indexes (id) ON DELETE CASCADE,
    digest TEXT NOT NULL,
    size_bytes INTEGER NOT NULL,
    used_ms INTEGER NOT NULL,
    PRIMARY KEY (index_id, digest)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX mirror_metadata_by_age ON mirror_metadata (index_id, used_ms);
  CREATE INDEX mirror_metadata_by_digest ON mirror_metadata (digest);

  CREATE TABLE index_holdings (
    index_id INTEGER PRIMARY KEY REFERENCES indexes (id) ON DELETE CASCADE,
    files INTEGER NOT NULL,
    bytes INTEGER NOT NULL
  ) STRICT;
  INSERT INTO index_holdings
    SELECT index_id, count(*), sum(size_bytes + coalesce(metadata_bytes, 0)) FROM files GROUP BY index_id;
  CREATE TRIGGER files_are_counted AFTER INSERT ON files BEGIN
    INSERT INTO index_holdings VALUES (new.index_id, 1, new.size_bytes + coalesce(new.metadata_bytes, 0))
      ON CONFLICT (index_id) DO UPDATE SET files = files + 1, bytes = bytes + excluded.bytes;
  END;
  CREATE TRIGGER files_are_counted_anew AFTER UPDATE OF size_bytes, metadata_bytes ON files BEGIN
    UPDATE index_holdings SET bytes = bytes + new.size_bytes + coalesce(new.metadata_bytes, 0)
      - old.size_bytes - coalesce(old.metadata_bytes, 0) WHERE index_id = new.index_id;
  END;
  CREATE TRIGGER files_are_counted_out AFTER DELETE ON files BEGIN
    UPDATE index_holdings SET files = files - 1, bytes = bytes - old.size_bytes - coalesce(old.metadata_bytes, 0)
      WHERE index_id = old.index_id;
  END;
  CREATE TRIGGER mirror_metadata_is_counted AFTER INSERT ON mirror_metadata BEGIN
    INSERT INTO index_holdings VALUES (new.index_id, 0, new.size_bytes)
      ON CONFLICT (index_id) DO UPDATE SET bytes = bytes + excluded.bytes;
  END;
  CREATE TRIGGER mirror_metadata_is_counted_out AFTER DELETE ON mirror_metadata BEGIN
    UPDATE index_holdings SET bytes = bytes - old.size_bytes WHERE index_id = old.index_id;
  END;

  CREATE TABLE dropped_blobs (digest TEXT PRIMARY KEY, dropped_ms INTEGER NOT NULL) STRICT, WITHOUT ROWID;
  CREATE TRIGGER files_drop_blobs AFTER DELETE ON files BEGIN
    INSERT INTO dropped_blobs VALUES (old.digest, CAST(unixepoch('subsec') * 1000 AS INTEGER))
      ON CONFLICT (digest) DO UPDATE SET dropped_ms = excluded.dropped_ms;
  END;
  CREATE TRIGGER files_drop_metadata AFTER DELETE ON files WHEN old.metadata_digest IS NOT NULL BEGIN
    INSERT INTO dropped_blobs VALUES (old.metadata_digest, CAST(unixepoch('subsec') * 1000 AS INTEGER))
      ON CONFLICT (digest) DO UPDATE SET dropped_ms = excluded.dropped_ms;
  END;
  CREATE TRIGGER files_change_blobs AFTER UPDATE OF digest ON files WHEN old.digest IS NOT new.digest BEGIN
    INSERT INTO dropped_blobs VALUES (old.digest, CAST(unixepoch('subsec') * 1000 AS INTEGER))
      ON CONFLICT (digest) DO UPDATE SET dropped_ms = excluded.dropped_ms;
  END;
  CREATE TRIGGER files_change_metadata AFTER UPDATE OF metadata_digest ON files
    WHEN old.metadata_digest IS NOT NULL AND old.metadata_digest IS NOT new.metadata_digest BEGIN
    INSERT INTO dropped_blobs VALUES (old.metadata_digest, CAST(unixepoch('subsec') * 1000 AS INTEGER))
      ON CONFLICT (digest) DO UPDATE SET dropped_ms = excluded.dropped_ms;
  END;
  CREATE TRIGGER attachments_drop_blobs AFTER DELETE ON attachments BEGIN
    INSERT INTO dropped_blobs VALUES (old.digest, CAST(unixepoch('subsec') * 1000 AS INTEGER))
      ON CONFLICT (digest) DO UPDATE SET dropped_ms = excluded.dropped_ms;
  END;
  CREATE TRIGGER attachments_change_blobs AFTER UPDATE OF digest ON attachments
    WHEN old.digest IS NOT new.digest BEGIN
    INSERT INTO dropped_blobs VALUES (old.digest, CAST(unixepoch('subsec') * 1000 AS INTEGER))
      ON CONFLICT (digest) DO UPDATE SET dropped_ms = excluded.dropped_ms;
  END;
  CREATE TRIGGER mirror_metadata_drops_blobs AFTER DELETE ON mirror_metadata BEGIN
    INSERT INTO dropped_blobs VALUES (old.digest, CAST(unixepoch('subsec') * 1000 AS INTEGER))
      ON CONFLICT (digest) DO UPDATE SET dropped_ms = excluded.dropped_ms;
  END;
  `,
  `
  ALTER TABLE projects ADD COLUMN status TEXT CHECK (status IN ('active', 'archived', 'quarantined', 'deprecated'));
  ALTER TABLE projects ADD COLUMN status_reason TEXT;
  `,
  `
  CREATE TABLE made_metadata (
    index_id INTEGER NOT NULL REFERENCES indexes (id) ON DELETE CASCADE,
    project TEXT NOT NULL,
    filename TEXT NOT NULL,
    wheel TEXT NOT NULL,
    digest TEXT,
    fault TEXT,
    PRIMARY KEY (index_id, project, filename),
    CHECK ((digest IS NULL) <> (fault IS NULL))
  ) STRICT, WITHOUT ROWID;
  `,
  `
  CREATE TABLE tokens (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    hash TEXT NOT NULL UNIQUE,
    user TEXT NOT NULL REFERENCES users (name) ON DELETE CASCADE,
    note TEXT NOT NULL,
    actions TEXT NOT NULL,
    indexes TEXT, projects TEXT,
    created_ms INTEGER NOT NULL,
    expires_ms INTEGER,
    used_ms INTEGER
  ) STRICT;
  CREATE INDEX tokens_by_user ON tokens (user, id);

  CREATE TABLE publishers (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    index_id INTEGER NOT NULL REFERENCES indexes (id) ON DELETE CASCADE,
    kind TEXT NOT NULL CHECK (kind IN ('github', 'gitlab', 'oidc')),
    issuer TEXT NOT NULL,
    identity TEXT NOT NULL,
    projects TEXT,
    created_ms INTEGER NOT NULL,
    created_by TEXT NOT NULL
  ) STRICT;
  CREATE INDEX publishers_by_index ON publishers (index_id, id);
  CREATE INDEX publishers_by_issuer ON publishers (issuer);

  CREATE TABLE minted_tokens (
    hash TEXT PRIMARY KEY,
    kind TEXT NOT NULL CHECK (kind IN ('github', 'gitlab', 'oidc')),
    issuer TEXT NOT NULL,
    claims TEXT NOT NULL,
    expires_ms INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE minted_by (
    token_hash TEXT NOT NULL REFERENCES minted_tokens (hash) ON DELETE CASCADE,
    publisher_id INTEGER NOT NULL REFERENCES publishers (id) ON DELETE CASCADE,
    PRIMARY KEY (token_hash, publisher_id)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX minted_by_publisher ON minted_by (publisher_id);
  CREATE INDEX minted_tokens_by_end ON minted_tokens (expires_ms);

  CREATE TABLE used_oidc_tokens (id TEXT PRIMARY KEY, expires_ms INTEGER NOT NULL) STRICT, WITHOUT ROWID;
  CREATE INDEX used_oidc_tokens_by_end ON used_oidc_tokens (expires_ms);
  `,
  `
  CREATE TABLE provenance (
    file_id INTEGER PRIMARY KEY REFERENCES files (id) ON DELETE CASCADE,
    text TEXT NOT NULL,
    size_bytes INTEGER NOT NULL,
    verdict TEXT NOT NULL
  ) STRICT;
  CREATE TRIGGER files_change_provenance AFTER UPDATE OF digest ON files WHEN old.digest IS NOT new.digest BEGIN
    DELETE FROM provenance WHERE file_id = old.id;
  END;

  CREATE TABLE mirror_provenance (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    index_id INTEGER NOT NULL REFERENCES indexes (id) ON DELETE CASCADE,
    filename TEXT NOT NULL,
    project TEXT NOT NULL,
    digest TEXT NOT NULL,
    text TEXT NOT NULL,
    size_bytes INTEGER NOT NULL,
    verdict TEXT NOT NULL,
    etag TEXT,
    fetched_ms INTEGER NOT NULL,
    UNIQUE (index_id, filename, project)
  ) STRICT;
  CREATE INDEX mirror_provenance_by_project ON mirror_provenance (index_id, project);
  CREATE TRIGGER files_leave_mirror_provenance AFTER DELETE ON files BEGIN
    DELETE FROM mirror_provenance WHERE index_id = old.index_id AND filename = old.filename;
  END;
  `,
  `
  ALTER TABLE projects ADD COLUMN serial INTEGER NOT NULL DEFAULT 0;
  UPDATE projects SET serial = (
    SELECT coalesce(max(CAST(unixepoch(at, 'subsec') * 1000 AS INTEGER)), 0) FROM journal
  );
  `,
  `
  CREATE TABLE upload_sessions (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    key TEXT NOT NULL UNIQUE,
    preview TEXT NOT NULL UNIQUE,
    index_id INTEGER NOT NULL REFERENCES indexes (id) ON DELETE CASCADE,
    project TEXT NOT NULL,
    name TEXT NOT NULL,
    version TEXT NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('open', 'published')),
    created_ms INTEGER NOT NULL,
    expires_ms INTEGER NOT NULL
  ) STRICT;
  CREATE INDEX upload_sessions_by_project ON upload_sessions (index_id, project);
  CREATE INDEX upload_sessions_by_end ON upload_sessions (expires_ms);

  CREATE TABLE staged_files (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    key TEXT NOT NULL UNIQUE,
    session_id INTEGER NOT NULL REFERENCES upload_sessions (id) ON DELETE CASCADE,
    filename TEXT NOT NULL,
    size_bytes INTEGER NOT NULL,
    hashes TEXT NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('pending', 'error', 'completed')),
    fault TEXT,
    digest TEXT,
    metadata_digest TEXT,
    metadata_bytes INTEGER,
    requires_python TEXT,
    metadata TEXT,
    note TEXT,
    attestations TEXT,
    signed TEXT,
    received_ms INTEGER,
    UNIQUE (session_id, filename)
  ) STRICT;
  CREATE INDEX staged_files_by_digest ON staged_files (digest) WHERE digest IS NOT NULL;
  CREATE INDEX staged_files_by_metadata ON staged_files (metadata_digest) WHERE metadata_digest IS NOT NULL;
  CREATE TRIGGER staged_files_drop_blobs AFTER DELETE ON staged_files WHEN old.digest IS NOT NULL BEGIN
    INSERT INTO dropped_blobs VALUES (old.digest, CAST(unixepoch('subsec') * 1000 AS INTEGER))
      ON CONFLICT (digest) DO UPDATE SET dropped_ms = excluded.dropped_ms;
  END;
  CREATE TRIGGER staged_files_drop_metadata AFTER DELETE ON staged_files WHEN old.metadata_digest IS NOT NULL BEGIN
    INSERT INTO dropped_blobs VALUES (old.metadata_digest, CAST(unixepoch('subsec') * 1000 AS INTEGER))
      ON CONFLICT (digest) DO UPDATE SET dropped_ms = excluded.dropped_ms;
  END;
  CREATE TRIGGER staged_files_change_blobs AFTER UPDATE OF digest ON staged_files
    WHEN old.digest IS NOT NULL AND old.digest IS NOT new.digest BEGIN
    INSERT INTO dropped_blobs VALUES (old.digest, CAST(unixepoch('subsec') * 1000 AS INTEGER))
      ON CONFLICT (digest) DO UPDATE SET dropped_ms = excluded.dropped_ms;
  END;
  CREATE TRIGGER staged_files_change_metadata AFTER UPDATE OF metadata_digest ON staged_files
    WHEN old.metadata_digest IS NOT NULL AND old.metadata_digest IS NOT new.metadata_digest BEGIN
    INSERT INTO dropped_blobs VALUES (old.metadata_digest, CAST(unixepoch('subsec') * 1000 AS INTEGER))
      ON CONFLICT (digest) DO UPDATE SET dropped_ms = excluded.dropped_ms;
  END;
  `,
  `
  CREATE TABLE advisories (
    rowid INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    modified TEXT NOT NULL,
    withdrawn TEXT,
    record TEXT NOT NULL
  ) STRICT;
  CREATE TABLE advisory_packages (
    rowid INTEGER PRIMARY KEY,
    name TEXT NOT NULL,
    id TEXT NOT NULL REFERENCES advisories (id) ON DELETE CASCADE,
    affected TEXT NOT NULL,
    UNIQUE (name, id)
  ) STRICT;
  CREATE INDEX advisory_packages_by_id ON advisory_packages (id);
  CREATE TABLE advisory_imports (completed TEXT NOT NULL) STRICT;
  `,
  FILE_TOTALS,
]
