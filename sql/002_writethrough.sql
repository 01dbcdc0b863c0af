-- What Writethrough keeps for itself, in the same database as the rows. Running it again is
-- harmless.

-- How far each partition is written: changed in the same transaction as the rows, so it is the
-- only truth about the position (docs/protocol). next_offset is the first record that is not
-- applied yet; the generation is new at every reset, and a position means something only together
-- with it; the timestamp (ms since 1970) and the digest are those of the record before it and
-- tell another log from ours.
CREATE TABLE IF NOT EXISTS writethrough_ledger (
	group_id VARCHAR(255) NOT NULL,
	topic VARCHAR(249) NOT NULL,
	partition_id INT NOT NULL,
	next_offset BIGINT NOT NULL,
	last_timestamp BIGINT NULL,
	last_digest INT UNSIGNED NULL,
	generation BIGINT NOT NULL DEFAULT 0,
	updated_by VARCHAR(255) NOT NULL DEFAULT '',
	updated_at TIMESTAMP(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3)
		ON UPDATE CURRENT_TIMESTAMP(3),
	PRIMARY KEY (group_id, topic, partition_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- Who writes a table: one group and one topic, and the partition count its keys were spread over.
CREATE TABLE IF NOT EXISTS writethrough_route (
	table_name VARCHAR(64) NOT NULL,
	group_id VARCHAR(255) NOT NULL,
	topic VARCHAR(249) NOT NULL,
	partitions INT NOT NULL,
	PRIMARY KEY (table_name)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
