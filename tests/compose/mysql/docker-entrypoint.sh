#!/bin/bash
# The first start makes the data folder, the database and the user, with a temporary server that
# answers on its socket only; then mysqld takes this process over. Only as the user mysql.
set -eu
data=/var/lib/mysql
socket=/var/run/mysqld/mysqld.sock
case ${1:-} in -*) set -- mysqld "$@" ;; esac
[ "$1" = mysqld ] || exec "$@"
shift
from_file() { # NAME: its value, or what stands in the file NAME_FILE
	local file=${1}_FILE
	if [ -n "${!file:-}" ]; then cat "${!file}"; else echo "${!1:-}"; fi
}
if [ ! -d "$data/mysql" ]; then
	password=$(from_file MYSQL_PASSWORD)
	root=$(from_file MYSQL_ROOT_PASSWORD)
	[ -n "$root" ] || { echo "no MYSQL_ROOT_PASSWORD" >&2; exit 1; }
	mysqld --no-defaults --datadir=$data --initialize-insecure
	mysqld --no-defaults --datadir=$data --socket=$socket --skip-networking --mysqlx=off &
	temporary=$!
	until mysql --no-defaults -u root -S $socket -e 'SELECT 1' >/dev/null 2>&1; do
		kill -0 $temporary
		sleep 0.2
	done
	mysql --no-defaults -u root -S $socket <<-SQL
		CREATE DATABASE \`$MYSQL_DATABASE\`;
		CREATE USER '$MYSQL_USER'@'%' IDENTIFIED BY '$password';
		GRANT ALL ON \`$MYSQL_DATABASE\`.* TO '$MYSQL_USER'@'%';
		ALTER USER root@localhost IDENTIFIED BY '$root';
		CREATE USER root@'%' IDENTIFIED BY '$root';
		GRANT ALL ON *.* TO root@'%' WITH GRANT OPTION;
	SQL
	kill $temporary
	wait $temporary || true
fi
exec mysqld --no-defaults --datadir=$data --socket=$socket "$@"
