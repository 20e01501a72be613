/** Users, indexes, projects, releases, files, what mirrors remember, the journal, jobs and search. */
export const FIRST_TABLES_STEP = `
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
  `
