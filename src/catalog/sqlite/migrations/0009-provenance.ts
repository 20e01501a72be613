/** Provenance of files (PEP 740). */
export const PROVENANCE_STEP = `
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
  `
