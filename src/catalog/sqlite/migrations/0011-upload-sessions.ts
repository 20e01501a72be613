/** Upload sessions (PEP 694) and their staged files. */
export const UPLOAD_SESSIONS_STEP = `
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
  `
