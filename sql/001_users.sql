-- The default target table. Run the files of this folder in order; running them again is harmless.
-- MariaDB 10.11 or newer, MySQL 8.0.19 or newer.
--
-- The id compares by its bytes (utf8mb4_bin). Kafka and Redis tell 'Anna' from 'anna' and from
-- 'ànna'; under the usual case-insensitive collation MySQL would not, and two keys that live in
-- two partitions, with two orders, would be one row. (Trailing spaces, which this collation still
-- ignores, are refused before they get here.)
CREATE TABLE IF NOT EXISTS users (
	id VARCHAR(64) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
	name VARCHAR(255) NOT NULL,
	age INT NOT NULL,
	occupation VARCHAR(255) NOT NULL,
	PRIMARY KEY (id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;
