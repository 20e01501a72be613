/** How many files are held, and their bytes. */
export const FILE_TOTALS_STEP = `
  CREATE TABLE file_totals (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    files INTEGER NOT NULL,
    bytes INTEGER NOT NULL
  ) STRICT;
  INSERT INTO file_totals SELECT 1, count(*), coalesce(sum(size_bytes), 0) FROM files;
  CREATE TRIGGER files_are_totalled AFTER INSERT ON files BEGIN
    UPDATE file_totals SET files = files + 1, bytes = bytes + new.size_bytes;
  END;
  CREATE TRIGGER files_are_totalled_anew AFTER UPDATE OF size_bytes ON files BEGIN
    UPDATE file_totals SET bytes = bytes + new.size_bytes - old.size_bytes;
  END;
  CREATE TRIGGER files_are_totalled_out AFTER DELETE ON files BEGIN
    UPDATE file_totals SET files = files - 1, bytes = bytes - old.size_bytes;
  END;
  `
