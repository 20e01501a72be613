/** Metadata that was made for wheels of mirrors. */
export const MADE_METADATA_STEP = `
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
  `
