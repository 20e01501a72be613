/** API tokens, trusted publishers and what they were given. */
export const TOKENS_AND_PUBLISHERS_STEP = `
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
  `
