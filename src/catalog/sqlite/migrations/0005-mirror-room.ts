/** How mirrors use their room, and the blobs whose name a row gave up. */
export const MIRROR_ROOM_STEP = `
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
  `
