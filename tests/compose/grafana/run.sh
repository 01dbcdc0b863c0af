#!/bin/bash
set -eu
etc=/etc/grafana
grep -q '^ *url: http://prometheus:9090$' $etc/provisioning/datasources/*.yml
path=$(sed -n 's/.*path: \([^}]*\)}.*/\1/p' $etc/provisioning/dashboards/*.yml)
grep -q '"uid": "writethrough"' "$path"/*.json
test -r "$GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"
touch /var/lib/grafana/writable /tmp/writable
mkdir -p /tmp/www/api/health
echo '{"database":"ok"}' >/tmp/www/api/health/index.html
# As process 1 httpd itself would not hear SIGTERM.
busybox httpd -f -p 3000 -h /tmp/www &
trap "exit 0" TERM
wait
