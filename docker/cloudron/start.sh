#!/bin/sh
# What Cloudron starts, as root: sees to the data directory, then runs ORLY as the user cloudron.
set -eu

data=/app/data
settings=$data/orly.env

# The operator's own, kept over updates and in backups.
[ -f "$settings" ] || cp /app/code/orly.env "$settings"
# ORLY reads $XDG_CONFIG_HOME/ORLY/.env: the same file.
mkdir -p "$data/.config/ORLY"
ln -sfn ../../orly.env "$data/.config/ORLY/.env"

# What the file does not say follows from where the app is installed.
says() { grep -Eq "^[[:space:]]*(export[[:space:]]+)?$1[[:space:]]*=" "$settings"; }
if [ -n "${CLOUDRON_APP_DOMAIN:-}" ] && ! says ORLY_RELAY_URL; then
    export ORLY_RELAY_URL="wss://$CLOUDRON_APP_DOMAIN"
fi
if [ -n "${CLOUDRON_PROXY_IP:-}" ] && ! says ORLY_TRUSTED_PROXIES; then
    export ORLY_TRUSTED_PROXIES="$CLOUDRON_PROXY_IP"
fi
if ! says ORLY_LAUNCHER_SYNC_NEGENTROPY_ENABLED && ! says ORLY_NEGENTROPY_ENABLED; then
    export ORLY_LAUNCHER_SYNC_NEGENTROPY_ENABLED=true ORLY_NEGENTROPY_ENABLED=true
fi
export HOME="$data" XDG_CONFIG_HOME="$data/.config" ORLY_DATA_DIR="$data/store" ORLY_LISTEN=0.0.0.0 ORLY_PORT=3334
export ORLY_LAUNCHER_SOCKET=/run/orly/launcher.sock ORLY_LOG_TO_STDOUT=true

mkdir -p "$ORLY_DATA_DIR" /run/orly
# After a restore all of it belongs to root.
chown -R cloudron:cloudron "$data" /run/orly

exec gosu cloudron:cloudron /app/code/orly-launcher "$@"
