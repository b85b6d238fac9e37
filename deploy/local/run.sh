#!/usr/bin/env bash
# Runs the agent on this machine alone: no cluster, state and policy in ./run.
#
# It follows /var/log/syslog (or $LOG). Where there is none it plays lines that a real kernel wrote.
set -euo pipefail
cd "$(dirname "$0")/../.."

log=${LOG:-/var/log/syslog}
listen=${LISTEN:-127.0.0.1:9137}
mkdir -p run
start=end
if [ ! -e "$log" ]; then
    echo "There is no $log here: playing recorded lines of a real kernel into run/syslog."
    log=run/syslog
    start=start
    .venv/bin/python deploy/local/play.py "$log" & # ends with us
fi

cat <<TEXT

  following   $log
  page        http://$listen/
  metrics     http://$listen/metrics
  blacklist   run/blacklist.yaml   (calicoctl apply -f run/blacklist.yaml)
  stop        Ctrl-C

TEXT
# When make is killed the agent ends as well.
exec setpriv --pdeathsig TERM .venv/bin/logwatch agent --log "$log" --from "$start" \
    --state run/state --listen "$listen" --mode enforce --policy-file run/blacklist.yaml
